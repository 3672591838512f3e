"""A file of subscribers -> people in the store.

A CSV file enters in two passes. The first reads all of it and writes nothing: a broken file or one
unknown status stops the import there. The second brings the people one by one; a row that cannot
be taken is reported with its line and the others go on. Nobody is ever moved towards active. Knows
no database: whoever can `merge` and `rehearse` will do.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from newsletter.audience.addresses import parse_mailbox
from newsletter.audience.cells import restored, split_tags, time_of
from newsletter.audience.columns import STATUSES, Header, read_header
from newsletter.audience.csv_file import CsvRow, csv_rows
from newsletter.errors import AudienceError, ImportRefused
from newsletter.model import NewSubscriber, Problem, Severity, SubscriberStatus

LONGEST_NAME = 200
LONGEST_FIELD = 10_000
SHOWN_LINES = 5
# Unicode's Cc, Zl and Zp: whatever ends a line somewhere, or moves a cursor.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class People(Protocol):
    """What an import needs of the store."""

    def merge(self, person: NewSubscriber, now: datetime) -> str:
        """One of "added", "updated", "unchanged", "kept"."""

    def rehearsal(self) -> AbstractContextManager[None]:
        """What happens within is undone."""


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One row of the file: a person, or the problem that kept them out."""

    path: Path
    line: int
    person: NewSubscriber | None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvPlan:
    """A file that was read once and can be imported.

    `source` is written down as the consent source of everybody whose row names none; `tags` are
    worn by everybody in the file: `replace(plan, source=..., tags=...)` to choose them. `status`
    is for a file that has no status column.
    """

    path: Path
    sha256: str
    header: Header
    count: int
    source: str
    status: SubscriberStatus = SubscriberStatus.ACTIVE
    tags: tuple[str, ...] = ()

    def rows(self) -> Iterator[ImportRow]:
        """Every row, in the order of the file, streamed."""
        rows = csv_rows(self.path)
        next(rows, None)
        for row in rows:
            try:
                person = self._person(row.cells)
            except AudienceError as error:
                yield ImportRow(self.path, row.line, None, _problem(self.path, row.line, error))
            else:
                yield ImportRow(self.path, row.line, person)

    def _person(self, cells: Sequence[str]) -> NewSubscriber:
        """The person in one row. Raises AudienceError, which says what is wrong with it."""
        header = self.header
        _refuse_surplus(cells, header.width)
        mailbox = parse_mailbox(header.cell(cells, "address"))
        fields = _fields(cells, header)
        named = f"{fields.get('first_name', '')} {fields.get('last_name', '')}".strip()
        status, reason = self._status(header.cell(cells, "status"))
        return NewSubscriber(
            address=mailbox.address,
            name=_name(header.cell(cells, "name") or named or mailbox.name),
            status=status,
            reason=_line_of_text("reason", header.cell(cells, "reason")) or reason,
            consent_source=_line_of_text("source", header.cell(cells, "consent_source"))
            or self.source,
            consent_at=_consent_at(cells, header),
            tags=tuple(dict.fromkeys((*_tags(header.cell(cells, "tags")), *self.tags))),
            fields=fields,
        )

    def _status(self, word: str) -> tuple[SubscriberStatus, str]:
        if not self.header.has("status"):
            return self.status, "" if self.status is SubscriberStatus.ACTIVE else "import"
        try:
            return STATUSES[word.casefold()]
        except KeyError:
            raise AudienceError("unknown status", code="import.status") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of the rows of a file. `kept` people were unsubscribed, suppressed or pending
    here and stay so; `bad` rows were not imported. `problems` names both, with their lines."""

    added: int
    updated: int
    unchanged: int
    kept: int
    bad: int
    problems: tuple[Problem, ...]

    @property
    def read(self) -> int:
        return self.added + self.updated + self.unchanged + self.kept + self.bad


def read_csv(path: Path, *, status: SubscriberStatus | None = None) -> CsvPlan:
    """The file, read to its end and found importable.

    `status` is that of everybody in a file without a status column (default active). Raises
    ImportRefused for what is wrong with the file as a whole: encoding, quoting, size, no header
    row, no address column, an unknown status, or a column that tells who left while no status
    column does.
    """
    rows = csv_rows(path)
    first = next(rows, None)
    if first is None:
        raise ImportRefused("the file is empty", path=path, code="import.file")
    try:
        header = read_header(first.cells)
    except ImportRefused as error:
        error.path, error.line = str(path), first.line
        raise
    _refuse_unread_status(path, header, status)
    count = _check_statuses(path, header, rows)
    digest = _sha256(path)
    return CsvPlan(
        path=path,
        sha256=digest,
        header=header,
        count=count,
        source=f"import {path.name} sha256:{digest}",
        status=status or SubscriberStatus.ACTIVE,
    )


def import_people(
    people: People, rows: Iterable[ImportRow], *, now: datetime, dry_run: bool = False
) -> ImportReport:
    """What became of every row. A rehearsal (`dry_run`) counts exactly, duplicates within the
    file included, and writes nothing. A consent without a time is dated `now`. Repeating an
    import changes nothing."""
    counts: Counter[str] = Counter()
    problems: list[Problem] = []
    with people.rehearsal() if dry_run else nullcontext():
        for row in rows:
            if row.person is None:
                counts["bad"] += 1
            else:
                dated = replace(row.person, consent_at=row.person.consent_at or now)
                became = str(people.merge(dated, now))
                counts[became] += 1
                if became == "kept":
                    problems.append(_kept(row))
            if row.problem is not None:
                problems.append(row.problem)
    return ImportReport(
        added=counts["added"],
        updated=counts["updated"],
        unchanged=counts["unchanged"],
        kept=counts["kept"],
        bad=counts["bad"],
        problems=tuple(problems),
    )


def _problem(path: Path, line: int, error: AudienceError) -> Problem:
    return Problem(
        path=path,
        line=line,
        severity=Severity.ERROR,
        code=error.code,
        message=error.message,
        hint=error.hint or "",
    )


def _kept(row: ImportRow) -> Problem:
    return Problem(
        path=row.path,
        line=row.line,
        severity=Severity.INFO,
        code="import.kept",
        message="already pending, unsubscribed or suppressed here, and stays so",
    )


def _refuse_unread_status(path: Path, header: Header, status: SubscriberStatus | None) -> None:
    if header.tells_who_left and status is None and not header.has("status"):
        raise ImportRefused(
            f"the column {header.tells_who_left[0]} tells who left, and there is no status column",
            path=path,
            line=1,
            hint="add a column status, or import each status as a file of its own",
            code="import.status",
        )


def _check_statuses(path: Path, header: Header, rows: Iterator[CsvRow]) -> int:
    """How many rows there are. Raises ImportRefused with every unknown status and its lines."""
    unknown: defaultdict[str, list[int]] = defaultdict(list)
    count = 0
    for row in rows:
        count += 1
        if header.has("status"):
            word = header.cell(row.cells, "status")
            if word.casefold() not in STATUSES:
                unknown[word].append(row.line)
    if unknown:
        listed = "; ".join(_listed(word, lines) for word, lines in unknown.items())
        raise ImportRefused(
            f"unknown status: {listed}",
            path=path,
            line=min(lines[0] for lines in unknown.values()),
            hint=f"nothing was imported. Known: {', '.join(STATUSES)}",
            code="import.status",
        )
    return count


def _listed(word: str, lines: list[int]) -> str:
    shown = ", ".join(map(str, lines[:SHOWN_LINES]))
    more = f" and {len(lines) - SHOWN_LINES} more" if len(lines) > SHOWN_LINES else ""
    name = ascii(word[:60]) if word else "(blank)"
    return f"{name} (line{'s' if len(lines) > 1 else ''} {shown}{more})"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_surplus(cells: Sequence[str], width: int) -> None:
    """A short row lacks its last cells; a long one may have shifted all of them."""
    if any(cell.strip() for cell in cells[width:]):
        raise AudienceError(
            f"{len(cells)} cells, but the header has {width}",
            hint='a cell with the delimiter inside needs "quotation marks"',
            code="import.ragged",
        )


def _fields(cells: Sequence[str], header: Header) -> dict[str, str]:
    fields = {}
    for column, name in header.fields.items():
        value = restored(cells[column]) if column < len(cells) else ""
        if len(value) > LONGEST_FIELD:
            raise AudienceError(f"{name!a} is too long", code="import.long")
        if value:
            fields[name] = value
    for name in ("first_name", "last_name"):
        _name(fields.get(name, ""))
    return fields


def _name(text: str) -> str:
    """The name. Raises AudienceError for one that could add a header line (deliverability 7.1)."""
    if len(text) > LONGEST_NAME:
        raise AudienceError(f"a name of {len(text)} characters is too long", code="import.name")
    return _line_of_text("name", text)


def _line_of_text(role: str, text: str) -> str:
    if CONTROL.search(text):
        raise AudienceError(
            f"the {role} contains a line break or another control character",
            code=f"import.{role}",
        )
    return text


def _tags(cell: str) -> tuple[str, ...]:
    try:
        return tuple(_line_of_text("tag", tag) for tag in split_tags(cell))
    except csv.Error:
        raise AudienceError("the quoted list of tags does not end", code="import.tag") from None


def _consent_at(cells: Sequence[str], header: Header) -> datetime | None:
    """The most telling time the row has; when it was written down only if the file knows no
    better."""
    role = "consent_at" if header.has("consent_at") else "created_at"
    cell = header.cell(cells, role)
    if not cell:
        return None
    try:
        return time_of(cell)
    except (ValueError, OverflowError):
        raise AudienceError(
            f"{cell[:60]!a} is not a time that can be read",
            hint="such as 2026-11-22 or 2026-11-22 08:30:00 UTC",
            code="import.time",
        ) from None
