"""People -> CSV that a spreadsheet opens without running it, and that `imports` reads back.

Subscribers enter, RFC 4180 text leaves. Knows no database, and no file but the one it writes to.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable, Iterator
from typing import TextIO

from newsletter.audience.cells import VERBATIM, is_plain_field, joined_tags
from newsletter.audience.cells import guard as guard  # noqa: PLC0414  for every other CSV we print
from newsletter.audience.columns import ROLES, is_role
from newsletter.model import Problem, Subscriber

HEADER = tuple(ROLES)
PROBLEMS = ("line", "severity", "code", "message", "hint")


def export_csv(people: Iterable[Subscriber], out: TextIO) -> int:
    """How many people were written. Memory stays flat: which fields exist is known only at the
    end, so the people wait in an unnamed temporary file meanwhile. Open `out` with newline=""."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as spool:
        names = _spool(people, spool)
        spool.seek(0)
        # CRLF: only then does Python 3.11 quote a lone CR.
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(guard(header) for header in (*HEADER, *map(_header, names)))
        count = 0
        for count, line in enumerate(spool, 1):  # noqa: B007
            writer.writerow(_cells(line, names))
    return count


def export_problems(problems: Iterable[Problem], out: TextIO) -> int:
    """How many problems were written, each with the line of the file it was found on."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(PROBLEMS)
    count = 0
    for count, problem in enumerate(problems, 1):  # noqa: B007
        line = "" if problem.line is None else str(problem.line)
        cells = (problem.severity.value, problem.code, problem.message, problem.hint)
        writer.writerow((line, *map(guard, cells)))
    return count


def _spool(people: Iterable[Subscriber], spool: TextIO) -> list[str]:
    """The names of the fields that occur, in the order they first did."""
    names: dict[str, None] = {}
    for person in people:
        names.update(dict.fromkeys(person.fields))
        spool.write(json.dumps((_fixed(person), dict(person.fields))) + "\n")
    return list(names)


def _fixed(person: Subscriber) -> tuple[str, ...]:
    """The cells under HEADER."""
    cells = {
        "address": person.address,
        "name": person.name,
        "status": person.status.value,
        "reason": person.reason,
        "consent_source": person.consent_source,
        "consent_at": person.consent_at.isoformat() if person.consent_at else "",
        "created_at": person.created_at.isoformat(),
        "tags": joined_tags(person.tags),
    }
    return tuple(cells[role] for role in HEADER)


def _cells(line: str, names: list[str]) -> Iterator[str]:
    fixed, fields = json.loads(line)
    yield from map(guard, fixed)
    yield from (guard(fields.get(name, "")) for name in names)


def _header(name: str) -> str:
    return name if is_plain_field(name) and not is_role(name) else VERBATIM + name
