"""The table of facts, read: what each client supports, when that was tested, where it is told.

Enters: table.txt. Leaves: Clients and Features. A line of the table is taken apart when its feature
is asked for: all of it at once would take 15 ms, this takes under 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("table.txt")
LINK = "https://www.caniemail.com/features/{}/"
CELL = re.compile(r"([yanu-])([0-9A-Z]*)")


class Support(StrEnum):
    """caniemail's letters; NEVER means that nobody has tested it there."""

    YES = "y"
    PARTLY = "a"
    NO = "n"
    UNKNOWN = "u"
    NEVER = "-"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one client makes of one feature; `notes` are the numbers of caniemail's remarks."""

    support: Support
    notes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Name:
    """A client: `gmail.ios`, its `family` `gmail`, and `Gmail (iOS)` as people say."""

    id: str
    family: str
    said: str


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: the day of its last test (ISO 8601) and a cell for each client.

    `guests` are the notes that only concern mailboxes of other providers in a client's app, such as
    a Yahoo mailbox in Gmail's; by the notes `guests_only` nobody else has the feature.
    """

    slug: str
    tested: str
    cells: Mapping[str, Cell]
    guests: frozenset[int]
    guests_only: frozenset[int]


@dataclass(frozen=True, slots=True)
class Facts:
    """The whole table; `source` and `date` are what its head says."""

    source: str
    date: str
    clients: Mapping[str, Name]
    rows: Mapping[str, str]
    _read: dict[str, Feature] = field(default_factory=dict, compare=False, repr=False)

    def tested(self, slug: str) -> str:
        """The day of its last test, without taking its line apart."""
        return self.rows[slug].split(" ", 2)[1]

    def feature(self, slug: str) -> Feature:
        """One feature. Raises KeyError for a slug that caniemail does not have."""
        if slug not in self._read:
            self._read[slug] = _feature(self.rows[slug], self.clients)
        return self._read[slug]


def link(slug: str) -> str:
    """Where caniemail tells all of a feature."""
    return LINK.format(slug)


@cache
def facts(table: Path = TABLE) -> Facts:
    """The facts in the table, read once."""
    head, _, body = table.read_text("utf-8").partition("\n\n")
    rows = {line.partition(" ")[0]: line for line in body.splitlines()}
    clients = (line for line in head.splitlines() if line.startswith("client "))
    names = {name.id: name for line in clients for name in _names(line)}
    return Facts(_said(head, "Source"), _said(head, "Date"), names, rows)


def _said(head: str, word: str) -> str:
    match = re.search(rf"^# {word}:\s+(.+)$", head, re.MULTILINE)
    return match[1] if match else ""


def _names(line: str) -> list[Name]:
    """The clients in `client gmail Gmail: ios iOS, android Android`."""
    family, _, platforms = line.removeprefix("client ").partition(": ")
    code, _, said = family.partition(" ")
    pairs = (part.partition(" ") for part in platforms.split(", "))
    return [Name(f"{code}.{name}", code, f"{said} ({where})") for name, _, where in pairs]


def _feature(row: str, clients: Iterable[str]) -> Feature:
    slug, tested, *groups = row.split(" ")
    kinds = {group[0]: frozenset(_numbers(group[1:])) for group in groups if group[0] in "~!"}
    found = CELL.findall("".join(group for group in groups if group[0] not in kinds))
    cells = (_cell(letter, notes) for letter, notes in found)
    none: frozenset[int] = frozenset()
    of_client = dict(zip(clients, cells, strict=True))
    return Feature(slug, tested, of_client, kinds.get("~", none), kinds.get("!", none))


def _numbers(digits: str) -> Iterator[int]:
    return (int(digit, 36) for digit in digits)


@cache
def _cell(letter: str, notes: str) -> Cell:
    return Cell(Support(letter), tuple(_numbers(notes)))
