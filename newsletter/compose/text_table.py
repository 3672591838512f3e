"""Data tables as text.

In: a `table` element, or the words of its cells. Out: lines: columns when they fit, otherwise one
paragraph of `label: value` per row. Refuses to know what surrounds the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from lxml import etree

from newsletter.compose.text_inline import Transcript, inline_text
from newsletter.compose.text_wrap import GLUE, columns, wrap_line

GAP = "  "
WIDEST_SPAN = 20

_SECTIONS = frozenset({"thead", "tbody", "tfoot"})
_PARTS = _SECTIONS | {"caption", "col", "colgroup", "td", "th", "tr"}
_TOO_RICH = ("table", "ul", "ol", "dl", "pre", "blockquote", "hr")
_ALIGN_RIGHT = re.compile(r"text-align\s*:\s*right", re.IGNORECASE)
_SPAN = re.compile(r"\s*([0-9]{1,3})\s*")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table's words. `head` may be empty; `rows` may be ragged; a cell may hold several lines;
    `right` says which columns hold figures and stand to the right."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()


def is_tabular(table: etree._Element) -> bool:
    """Whether the table says something by its rows and columns: not declared presentational, more
    than one column or a header, nothing but words in its cells, and no words outside of them."""
    if table.get("role", "") in ("presentation", "none") or _holds_stray(table):
        return False
    if any(table.find(f".//{tag}") is not None for tag in _TOO_RICH):
        return False
    return any(len(row) > 1 or row.find("th") is not None for row in _rows(table))


def read_grid(table: etree._Element, transcript: Transcript) -> Grid:
    """The words of a table that `is_tabular`."""
    rows = list(_rows(table))
    texts = tuple(tuple(_cells(row, transcript)) for row in rows)
    has_head = len(rows[0]) > 0 and all(cell.tag == "th" for cell in rows[0])
    return Grid(
        head=texts[0] if has_head else (),
        rows=texts[1:] if has_head else texts,
        right=_right_columns(rows[1:] or rows),
    )


def _holds_stray(table: etree._Element) -> bool:
    """Whether words or foreign elements stand between the cells, as a browser would move out."""
    for part in (table, *table.iterchildren(*_SECTIONS), *_rows(table)):
        if (part.text or "").strip():
            return True
        if any(child.tag not in _PARTS or (child.tail or "").strip() for child in part):
            return True
    return False


def _rows(table: etree._Element) -> Iterator[etree._Element]:
    for child in table:
        if child.tag == "tr":
            yield child
        elif child.tag in _SECTIONS:
            yield from child.iterchildren("tr")


def _cells(row: etree._Element, transcript: Transcript) -> Iterator[str]:
    for cell in row:
        yield re.sub("\n+", "\n", inline_text(cell, cell.text, transcript))
        span = _SPAN.fullmatch(cell.get("colspan", "1"))
        yield from [""] * (min(int(span.group(1)), WIDEST_SPAN) - 1 if span else 0)


def _right_columns(rows: list[etree._Element]) -> frozenset[int]:
    """The columns whose every cell in these rows is set to the right."""
    by_column = zip_longest(*(map(_stands_right, row) for row in rows), fillvalue=False)
    return frozenset(index for index, column in enumerate(by_column) if all(column))


def _stands_right(cell: etree._Element) -> bool:
    return (
        cell.get("align", "").lower() == "right"
        or _ALIGN_RIGHT.search(cell.get("style", "")) is not None
    )


def table_lines(grid: Grid, width: int) -> list[str]:
    """The table in at most `width` columns, words permitting."""
    widths = _column_widths(grid)
    if sum(widths) + len(GAP) * (len(widths) - 1) <= width:
        return _aligned(grid, widths)
    return _stacked(grid, width)


def _column_widths(grid: Grid) -> list[int]:
    by_column = zip_longest(grid.head, *grid.rows, fillvalue="")
    return [
        max(columns(line) for cell in column for line in cell.split("\n")) for column in by_column
    ]


def _aligned(grid: Grid, widths: list[int]) -> list[str]:
    lines: list[str] = []
    if grid.head:
        lines += _row_lines(grid.head, widths, grid.right)
        lines.append(GAP.join("-" * width for width in widths))
    # Rows of several lines run into each other without a blank line between them.
    tall = any("\n" in cell for row in grid.rows for cell in row)
    for index, row in enumerate(grid.rows):
        if tall and index:
            lines.append("")
        lines += _row_lines(row, widths, grid.right)
    return lines


def _row_lines(row: tuple[str, ...], widths: list[int], right: frozenset[int]) -> list[str]:
    cells = [cell.replace(GLUE, " ").split("\n") for cell in row]
    return [
        GAP.join(
            _padded(line, width, right=index in right)
            for index, (line, width) in enumerate(zip(parts, widths, strict=False))
        ).rstrip()
        for parts in zip_longest(*cells, fillvalue="")
    ]


def _padded(text: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - columns(text))
    return blanks + text if right else text + blanks


def _stacked(grid: Grid, width: int) -> list[str]:
    lines: list[str] = []
    for row in grid.rows or (grid.head,):
        if lines:
            lines.append("")
        for label, cell in zip_longest(grid.head if grid.rows else (), row, fillvalue=""):
            lines += _entry(label, cell, width)
    return lines


def _entry(label: str, cell: str, width: int) -> list[str]:
    """One cell under its label, continued two columns in; nothing for an empty cell."""
    if not cell:
        return []
    entry = (f"{label}: {cell}" if label else cell).replace("\n", " ")
    first, *others = wrap_line(entry, width, hanging=2)
    return [first, *("  " + line for line in others)]
