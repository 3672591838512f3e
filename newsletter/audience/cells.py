"""Cells of a CSV file, in pairs: how a value is written, how it is read back.

Text enters, text leaves; whatever the first of a pair writes the second restores. Knows no file,
no person and no database.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime

# A spreadsheet runs a cell that starts like this (deliverability 7.26). Leading apostrophes count:
# a value that has one of its own must not lose it on the way back.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_PLAIN_TAG = re.compile(r"[^;,\"\n\r]+")
_TAG_END = re.compile(r"[;,]")
_FIELD = re.compile(r"[a-z_][a-z0-9_]*")
_NOT_WORD = re.compile(r"\W+")
# `2021-01-05 10:11:12.123 +0000 UTC` (Go), `2023-03-24 10:23:10 UTC` (Ruby)
_ZONE_WORD = re.compile(r"\s*\b(?:UTC|GMT|Z)$", re.IGNORECASE)
_SPACED_OFFSET = re.compile(r"\s+(?=[+-]\d\d:?\d\d$)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")

VERBATIM = "field:"


def guard(value: str) -> str:
    """The cell a spreadsheet shows instead of running: an apostrophe before `= + - @ TAB CR`."""
    return f"'{value}" if _FORMULA.match(value) else value


def restored(cell: str) -> str:
    """The value `guard` was given, without surrounding blanks."""
    value = cell.strip()
    return value[1:] if _GUARDED.match(value) else value


def joined_tags(tags: tuple[str, ...]) -> str:
    """`vip;press`, or `"a,b","c"` when a tag has a separator or a quote inside."""
    if all(_PLAIN_TAG.fullmatch(tag) for tag in tags):
        return ";".join(tags)
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="").writerow(tags)
    return line.getvalue()


def split_tags(cell: str) -> tuple[str, ...]:
    """The tags of `vip; press`, `vip,press`, or the quoted list `"Editors","VIP"` (Mailchimp),
    each once, in order. Raises csv.Error for a quoted list that does not end."""
    if cell.startswith('"'):
        parts = next(csv.reader(io.StringIO(cell, newline=""), strict=True), [])
    else:
        parts = _TAG_END.split(cell)
    return tuple(dict.fromkeys(tag for part in parts if (tag := part.strip())))


def field_of(header: str) -> str:
    """The name a column's values have in a subscriber's fields: `Home town` is `home_town`."""
    if header.startswith(VERBATIM):
        return header.removeprefix(VERBATIM)
    name = _NOT_WORD.sub("_", header.casefold()).strip("_")
    return f"_{name}" if name[:1].isdigit() else name


def is_plain_field(name: str) -> bool:
    """Whether a column may bear the field's own name and be read back as that field."""
    return bool(_FIELD.fullmatch(name)) and field_of(name) == name


def time_of(cell: str) -> datetime:
    """The moment, in UTC when it names no zone. Raises ValueError for anything but
    year-month-day first: `03/04/2021` is two different days."""
    if not _DATE.match(cell):
        raise ValueError
    bare = _SPACED_OFFSET.sub("", _ZONE_WORD.sub("", cell).rstrip())
    moment = datetime.fromisoformat(bare)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
