"""Readers who put a letter to the test: the longest, the emptiest, those whose names look like
something else. All of them invented, on domains that nobody has (RFC 2606).

Enters: the declared fields of a publication. Leaves: addressees with every field filled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.delivery.addressing import Addressee

LONG_NAME = "Maximiliane-Theodora Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh"
# RFC 5321 4.5.3.1: 64 octets of local part.
LONG_ADDRESS = f"{'a.very.long.local.part.'.ljust(64, 'x')}@mail.department.university.example.com"


@dataclass(frozen=True, slots=True)
class WorstCase:
    """One of them. `name` goes into addresses, `title` is for people."""

    name: str
    title: str
    addressee: Addressee


def worst_cases(fields: Iterable[str]) -> tuple[WorstCase, ...]:
    """The readers, each with a value of its kind in every one of `fields`."""
    declared = tuple(fields)

    def case(name: str, title: str, person: tuple[str, str], value: str) -> WorstCase:
        full_name, address = person
        filled = dict.fromkeys(declared, value)
        return WorstCase(name, title, Addressee(0, address, full_name, filled))

    return (
        case("empty", "No name, no fields", ("", "e@example.com"), ""),
        case("longest", "The longest values", (LONG_NAME, LONG_ADDRESS), LONG_NAME),
        case("unbroken", "One endless word", ("W" * 80, "w@example.com"), "w" * 120),
        case(
            "markup",
            "Looks like markup",
            ('<b>Bobby</b> "&amp;" <script>alert(1)</script>', "bobby@example.com"),
            '"><img src=x onerror=alert(1)>',
        ),
        case(
            "slots", "Looks like a slot", ("{{ name }} %s ${x}", "slots@example.com"), "{{ a | b }}"
        ),
        case("rtl", "Right to left", ("ליאורה بن يوسف", "liora@example.com"), "תל אביב"),
        case("han", "Wide characters", ("山田 太郎", "taro@example.com"), "東京都千代田区"),
        case("emoji", "Emoji and accents", ("Zoë 👩‍👩‍👧‍👦 Ångström", "zoe@example.com"), "🏝️ Çeşme"),
    )
