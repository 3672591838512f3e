"""A CSV file as its rows, with the line each one begins on.

A path enters; rows of text leave, streamed. Refused as a whole: what is not UTF-8, holds a NUL, is
too large, or whose quoting is broken, since every later row would be misread. Knows no person.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from newsletter.errors import ImportRefused

LARGEST_BYTES = 512 * 1024 * 1024
MOST_ROWS = 10_000_000
MOST_COLUMNS = 500
LONGEST_LINE = 1024 * 1024
DELIMITERS = ",;\t"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class CsvRow:
    """The cells of one row, and the line of the file it begins on, from 1."""

    line: int
    cells: list[str]


@dataclass(slots=True)
class _Lines:
    """The lines of a file, counted and checked as they pass."""

    path: Path
    file: TextIO
    number: int = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.file.readline(LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > LONGEST_LINE:
            raise self.refused("a line of more than a million characters")
        if "\0" in line:
            raise self.refused("a NUL character: this is no text file")
        return line

    def refused(self, message: str, hint: str | None = None) -> ImportRefused:
        return ImportRefused(
            message, path=self.path, line=self.number, hint=hint, code="import.file"
        )


def csv_rows(path: Path) -> Iterator[CsvRow]:
    """Every row that is not blank, the header first. Raises ImportRefused."""
    with _opened(path) as file:
        lines = _Lines(path, file)
        first = next(lines, "")
        declared = _declared_delimiter(first)
        header = next(lines, "") if declared else first
        delimiter = declared or max(DELIMITERS, key=_unquoted(header).count)
        yield from _parsed(lines, header, delimiter)


def _parsed(lines: _Lines, header: str, delimiter: str) -> Iterator[CsvRow]:
    before = lines.number - 1
    rows = csv.reader(_again(header, lines), delimiter=delimiter, strict=True)
    count, line = 0, lines.number
    try:
        for cells in rows:
            count += 1
            if count > MOST_ROWS or len(cells) > MOST_COLUMNS:
                raise lines.refused(f"more than {MOST_ROWS:,} rows or {MOST_COLUMNS} columns")
            if any(cell.strip() for cell in cells):
                yield CsvRow(line, cells)
            line = before + rows.line_num + 1
    except csv.Error as error:
        lines.number = line
        raise lines.refused(
            f"the row that begins here is no CSV: {error}",
            'a cell with " inside is written "like ""this"""',
        ) from error


def _again(header: str, lines: _Lines) -> Iterator[str]:
    if header:
        yield header
    yield from lines


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            raise ImportRefused("not a file of at most 512 MB", path=path, code="import.file")
        _refuse_utf_16(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        raise ImportRefused(
            "not UTF-8",
            path=path,
            line=_first_undecodable(path),
            hint='save it as "CSV UTF-8"',
            code="import.file",
        ) from error
    except OSError as error:
        raise ImportRefused(
            f"cannot read: {error.strerror}", path=path, code="import.file"
        ) from error


def _refuse_utf_16(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(2) in UTF_16:
            raise ImportRefused(
                "UTF-16, not UTF-8",
                path=path,
                line=1,
                hint='save it as "CSV UTF-8"',
                code="import.file",
            )


def _first_undecodable(path: Path) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1


def _declared_delimiter(line: str) -> str:
    """The delimiter of a `sep=;` line, as Excel writes it; "" when the line is none."""
    text = line.strip("\r\n\ufeff ").strip('"')
    return text[4] if len(text) == 5 and text[:4].lower() == "sep=" else ""


def _unquoted(line: str) -> str:
    """The line without what stands between quotation marks."""
    return "".join(line.split('"')[::2])
