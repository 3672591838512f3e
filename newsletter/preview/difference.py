"""What changed between two texts: lines side by side, the words that differ marked.

Enters: two texts (plain text parts, or HTML sources). Leaves: rows for a table with `<del>` on the
left and `<ins>` on the right. Knows no mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

CONTEXT = 3
# Beyond this many words a line is marked as a whole: comparing takes quadratic time.
MOST_WORDS = 1200
# And beyond this many lines, those that occur often are not looked for.
MOST_LINES = 20_000
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a line; `changed` ones stand in `<del>` or `<ins>`."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line with its number in its text, from 1."""

    number: int
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the comparison. A line that only one text has leaves the other side None; a row
    without sides stands for `skipped` lines that are the same."""

    before: Line | None
    after: Line | None
    skipped: int = 0

    @property
    def changed(self) -> bool:
        return not self.skipped and (
            self.before is None or self.after is None or self.before.text != self.after.text
        )


def difference(before: str, after: str, context: int = CONTEXT) -> tuple[Row, ...]:
    """The rows of the comparison with `context` lines around each change; none for equal texts."""
    if before == after:
        return ()
    old, new = before.split("\n"), after.split("\n")
    return tuple(_folded(list(_rows(old, new)), context))


def _rows(old: list[str], new: list[str]) -> Iterator[Row]:
    quick = len(old) + len(new) > MOST_LINES
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=quick).get_opcodes():
        if tag == "equal":
            yield from map(_same, range(i1, i2), range(j1, j2), old[i1:i2])
        else:
            yield from _pairs(range(i1, i2), range(j1, j2), old, new)


def _same(i: int, j: int, text: str) -> Row:
    return Row(_line(i, text), _line(j, text))


def _pairs(left: range, right: range, old: list[str], new: list[str]) -> Iterator[Row]:
    for i, j in zip_longest(left, right):
        if i is None:
            yield Row(None, _line(j, new[j], changed=True))
        elif j is None:
            yield Row(_line(i, old[i], changed=True), None)
        else:
            was, became = _words(old[i], new[j])
            yield Row(Line(i + 1, was), Line(j + 1, became))


def _line(index: int, text: str, *, changed: bool = False) -> Line:
    return Line(index + 1, (Piece(text, changed),))


def _words(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """The two lines in pieces, those that differ marked."""
    left, right = _WORD.findall(old), _WORD.findall(new)
    if len(left) + len(right) > MOST_WORDS:
        return (Piece(old, changed=True),), (Piece(new, changed=True),)
    was: list[Piece] = []
    became: list[Piece] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        changed = tag != "equal"
        if i1 < i2:
            was.append(Piece("".join(left[i1:i2]), changed))
        if j1 < j2:
            became.append(Piece("".join(right[j1:j2]), changed))
    return tuple(was), tuple(became)


def _folded(rows: list[Row], context: int) -> Iterator[Row]:
    """The rows, with a long run of equal ones between two changes folded into one."""
    near: set[int] = set()
    for place, row in enumerate(rows):
        if row.changed:
            near.update(range(place - context, place + context + 1))
    skipped = 0
    for place, row in enumerate(rows):
        if place not in near:
            skipped += 1
            continue
        if skipped:
            yield Row(None, None, skipped)
        skipped = 0
        yield row
    if skipped:
        yield Row(None, None, skipped)
