"""Whom an issue is tried on besides its specimen: the readers that break letters.

Enters: the names of the slots in use, and people when there are any. Leaves: Readers with the
longest values, with none, with values that look like markup, and with names that are written from
right to left. A reader is put together slot by slot: what breaks a letter is the sum.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape

from newsletter.delivery.addressing import Addressee, name_parts
from newsletter.delivery.worst_cases import worst_cases
from newsletter.model import Email, Gaps, Subscriber
from newsletter.slots import ALWAYS_FILLED

ADDRESS = "ada@example.com"
_MARKUP = re.compile(r"[<>&\"{}%*_`\[\]\\]")


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody to try an issue on. `called` is what findings call them: never by name or address.
    `quotable` is whether what they get may be repeated where others read it."""

    addressee: Addressee
    called: str
    invented: bool = True
    quotable: bool = True


def personal_slots(email: Email) -> tuple[str, ...]:
    """The names of the slots whose values differ from reader to reader."""
    return tuple(dict.fromkeys(slot.name for slot in email.slots if slot.name not in ALWAYS_FILLED))


def _length(value: str) -> int:
    return len(escape(value).encode())


def _is_right_to_left(value: str) -> bool:
    return any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in value)


# Which of two values of a slot is the worse one: the first with more of it wins, none with 0.
_WORSE: dict[str, Callable[[str], int]] = {
    "the longest values": lambda value: 1 + _length(value),
    "no values": lambda value: int(not value.strip()),
    "values that look like markup": lambda value: len(_MARKUP.findall(value)),
    "values written from right to left": lambda value: int(_is_right_to_left(value)),
}
# The invented reader of that kind, in `worst_cases`.
_INVENTED = {
    "the longest values": "longest",
    "no values": "empty",
    "values that look like markup": "markup",
    "values written from right to left": "rtl",
}


def invented(slots: Iterable[str], kinds: Iterable[str] = tuple(_WORSE)) -> tuple[Reader, ...]:
    """A reader of each kind."""
    fields = (slot for slot in slots if slot not in name_parts(""))
    cases = {case.name: case.addressee for case in worst_cases(fields)}
    return tuple(
        Reader(cases[_INVENTED[kind]], f"an invented reader with {kind}") for kind in kinds
    )


@dataclass(frozen=True, slots=True)
class Extremes:
    """The worst value of each slot among many people, and whose it is: by kind and slot; and how
    many of them have none."""

    worst: Mapping[str, Mapping[str, tuple[int, str, int]]] = field(default_factory=dict)
    gaps: Gaps = field(default_factory=lambda: Gaps(0, {}))

    @classmethod
    def among(cls, people: Iterable[Subscriber], slots: Iterable[str]) -> Extremes:
        """One pass over everybody; flat in memory."""
        names = tuple(dict.fromkeys(slots))
        worst: dict[str, dict[str, tuple[int, str, int]]] = {kind: {} for kind in _WORSE}
        empty: Counter[str] = Counter()
        number = 0
        for person in people:
            number += 1
            values = values_of(person)
            for slot in names:
                value = values.get(slot, "")
                empty[slot] += not value.strip()
                for kind, badness in _WORSE.items():
                    known, bad = worst[kind].get(slot), badness(value)
                    if bad > (known[0] if known else 0):
                        worst[kind][slot] = (bad, value, person.id)
        return cls(worst, Gaps(number, empty))

    def readers(self, slots: Iterable[str]) -> tuple[Reader, ...]:
        """The worst readers of an issue with these slots. Where nobody is without a value, an
        invented one is: tomorrow somebody subscribes without a name."""
        names = tuple(slots)
        found = [self._reader(kind, names) for kind in self.worst]
        readers = tuple(reader for reader in found if reader is not None)
        missing = [] if any("no values" in r.called for r in readers) else ["no values"]
        return (*readers, *invented(names, missing if readers else tuple(_WORSE)))

    def _reader(self, kind: str, slots: tuple[str, ...]) -> Reader | None:
        worst = {slot: row for slot in slots if (row := self.worst[kind].get(slot))}
        if not worst:
            return None
        values = {slot: value for slot, (_, value, _) in worst.items()}
        name = values.get("name") or values.get("first_name", "Ada")
        ids = sorted({subscriber for _, _, subscriber in worst.values()})
        called = f"{_numbered(ids)}, with {kind}"
        addressee = Addressee(0, ADDRESS, name, values)
        return Reader(addressee, called, invented=False, quotable=False)


def values_of(person: Subscriber) -> dict[str, str]:
    """What fills the person's slots."""
    return {**name_parts(person.name), **person.fields}


def _numbered(ids: list[int]) -> str:
    if len(ids) == 1:
        return f"subscriber {ids[0]}"
    return f"subscribers {', '.join(map(str, ids[:-1]))} and {ids[-1]} in one"


def reader_of(person: Subscriber, called: str) -> Reader:
    """A subscriber as a reader of specimens, whom findings call as the person who asked did."""
    addressee = Addressee(person.id, person.address, person.name, person.fields)
    return Reader(addressee, called, invented=False)
