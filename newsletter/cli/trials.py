"""An issue tried on readers that break letters: what they get that the specimen's reader does not.

Real people are called by their number. What their mail says is not quoted, since findings end up
in logs: the rule's own words stand there instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from newsletter.audience.addresses import parse_address
from newsletter.delivery.readers import (
    Extremes,
    Reader,
    invented,
    personal_slots,
    reader_of,
    values_of,
)
from newsletter.delivery.specimen import specimen
from newsletter.errors import AudienceError, MailRefused
from newsletter.lint import Written, check_issue
from newsletter.lint.rules import BY_CODE
from newsletter.model import Email, Gaps, Problem, Severity, SubscriberStatus
from newsletter.slots import SLOT
from newsletter.store import Store

# They say numbers only, so they may be quoted of anybody.
_QUOTABLE = frozenset(("size", "size-clip", "size-style"))
# The plain text is wrapped before names are filled in: a long name makes a line a little wider,
# and nobody who writes can help it.
_NOT_THEIRS = frozenset(("text-wide",))
# An invented name of braces or tags arrives as it is: said of a real one, of an invented one not.
_NOT_INVENTED = frozenset(("placeholder", "text-markup"))
OpenStore = Callable[[], AbstractContextManager[Store]]
Choose = Callable[[Email], tuple[Reader, ...]]
Count = Callable[[Email], Gaps | None]


def invented_readers(email: Email) -> tuple[Reader, ...]:
    """The worst readers that could be, when nobody real is asked about."""
    slots = personal_slots(email)
    return invented(slots) if slots else ()


def nobody_counted(_email: Email) -> Gaps | None:
    """None: nobody real is asked about."""
    return None


@dataclass(slots=True)
class WorstReaders:
    """The worst readers there are; everybody is looked through once, when the first issue asks."""

    open_store: OpenStore
    fields: tuple[str, ...]
    _extremes: Extremes | None = None

    def __call__(self, email: Email) -> tuple[Reader, ...]:
        slots = personal_slots(email)
        return self._among_all().readers(slots) if slots else ()

    def gaps(self, email: Email) -> Gaps | None:
        """How many have nothing in a field; None when no slot asks for it."""
        return self._among_all().gaps if personal_slots(email) else None

    def _among_all(self) -> Extremes:
        if self._extremes is None:
            with self.open_store() as store:
                people = store.subscribers(status=SubscriberStatus.ACTIVE)
                self._extremes = Extremes.among(people, self.fields)
        return self._extremes


def the_subscriber(open_store: OpenStore, address: str) -> tuple[Choose, Count]:
    """That one person, called as whoever asked called them, and what they lack. Raises
    AudienceError for an address that nobody has."""
    with open_store() as store:
        person = store.subscriber(parse_address(address))
    if person is None:
        raise AudienceError(
            f"no subscriber has the address {address}", hint="newsletter subscribers list"
        )
    reader = reader_of(person, address)
    values = values_of(person)

    def gaps(email: Email) -> Gaps:
        return Gaps(1, {slot: not values.get(slot, "").strip() for slot in personal_slots(email)})

    return lambda _email: (reader,), gaps


def tried(
    written: Written, found: Iterable[Problem], readers: Iterable[Reader]
) -> Iterator[Problem]:
    """What was found for the specimen's reader, and what is new for the others. The note on size
    is that of the heaviest mail."""
    before = list(found)
    known = set(map(_mark, before))
    first = _first_slot(written)
    heaviest: list[Problem] = [p for p in before if p.code == "size"]
    yield from (p for p in before if p.code != "size")
    for reader in readers:
        for problem in _mail_of(written, reader):
            told = _called(problem, reader)
            if problem.code == "size":
                heaviest = [told] if "longest" in reader.called else heaviest
            elif _counts(problem, reader) and _mark(problem) not in known:
                known.add(_mark(problem))
                article = told.path == written.issue.article.path
                yield replace(told, line=first) if article and told.line == 1 else told
    yield from heaviest


def _counts(problem: Problem, reader: Reader) -> bool:
    left_out = _NOT_THEIRS | _NOT_INVENTED if reader.invented else _NOT_THEIRS
    return problem.severity is not Severity.INFO and problem.code not in left_out


def _first_slot(written: Written) -> int:
    """The line of the article's first slot, which is where what only some readers get comes from:
    their words are not in the article to be found. Its first line when only the template has slots.
    """
    personal = personal_slots(written.email)
    article = written.issue.article
    for match in SLOT.finditer(article.body):
        if match[1] in personal:
            return article.body_line + article.body.count("\n", 0, match.start())
    return 1


def _mark(problem: Problem) -> tuple[object, ...]:
    return problem.path, problem.line, problem.code, problem.severity


def _mail_of(written: Written, reader: Reader) -> tuple[Problem, ...]:
    article = written.issue.article
    try:
        mail = specimen(written.email, article, written.letter, reader.addressee)
    except MailRefused as error:
        return (
            Problem(
                path=article.path,
                line=None,
                severity=Severity.ERROR,
                code=error.code,
                message=error.message if reader.quotable else "no mail can be made",
                hint=error.hint or "look at the subscriber's name and fields",
            ),
        )
    return check_issue(written, mail.content)


def _called(problem: Problem, reader: Reader) -> Problem:
    """The problem with the reader's name for it."""
    rule = BY_CODE.get(problem.code)
    quoted = reader.quotable or rule is None or problem.code in _QUOTABLE
    said = problem.message if quoted or rule is None else rule.title
    return replace(problem, message=f"{said} (for {reader.called})")
