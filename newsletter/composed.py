"""An Email with what composing it found, and the word on whether it may be sent."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from newsletter.errors import ComposeError
from newsletter.model import Article, Email, Letter, Problem, Severity, Slot
from newsletter.slots import SLOT, leftovers, open_slots


@dataclass(frozen=True, slots=True)
class Composed:
    """An Email and what composing it found worth saying."""

    email: Email
    problems: tuple[Problem, ...]


def first_error(composed: Composed) -> ComposeError | None:
    """The first finding that is an error, as one; None when there is none."""
    for problem in composed.problems:
        if problem.severity is Severity.ERROR:
            return _as_error(problem)
    return None


def _as_error(problem: Problem) -> ComposeError:
    return ComposeError(
        problem.message, path=problem.path, line=problem.line, hint=problem.hint or None
    )


def ready(composed: Composed) -> Email:
    """The Email, when nothing forbids sending it. Raises ComposeError at the first finding that
    does: an error, or double braces that no subscriber's field will fill."""
    for problem in composed.problems:
        if problem.severity is Severity.ERROR or problem.code == "slot-unknown":
            raise _as_error(problem)
    if Slot("unsubscribe_url") not in composed.email.slots:
        raise ComposeError(
            "the mail has no unsubscribe link", hint="put {{ unsubscribe_url }} into email.html"
        )
    return composed.email


def unfilled_braces(article: Article, letter: Letter) -> tuple[Problem, ...]:
    """Double braces in what the author wrote for the inbox row that no field will fill."""
    written = {"subject": article.subject, "preheader": article.preheader or ""}
    return tuple(
        Problem(
            path=article.path,
            line=1,
            severity=Severity.WARNING,
            code="slot-unknown",
            message=f"{braces} in the {place} names no declared field",
            hint=_meant(braces, letter),
        )
        for place, text in written.items()
        for braces in leftovers(open_slots(text, letter.fields)[0])
    )


def _meant(braces: str, letter: Letter) -> str:
    typed = SLOT.fullmatch(braces)
    near = difflib.get_close_matches(typed[1], letter.fields, n=1) if typed else []
    return f"did you mean `{near[0]}`?" if near else "declare it: fields = [...] in [letter]"
