"""Files of subscribers: what is read, what is reported with its line, what is refused whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.audience.cells import guard, joined_tags, restored, split_tags, time_of
from newsletter.audience.columns import STATUSES, read_header
from newsletter.audience.csv_file import csv_rows
from newsletter.audience.exports import export_problems
from newsletter.audience.imports import CsvPlan, ImportReport, import_people, read_csv
from newsletter.errors import ImportRefused
from newsletter.model import NewSubscriber, Severity, SubscriberStatus
from newsletter.store import Store, open_store

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
ACTIVE, UNSUBSCRIBED = SubscriberStatus.ACTIVE, SubscriberStatus.UNSUBSCRIBED


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:{tmp_path / 'state' / 'letter.db'}") as store:
        yield store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


def planned(file: Path, content: str | bytes) -> CsvPlan:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_csv(file)


def people(file: Path, content: str | bytes) -> list[NewSubscriber]:
    rows = list(planned(file, content).rows())
    assert not [row.problem for row in rows if row.problem]
    return [row.person for row in rows if row.person]


def person(file: Path, content: str | bytes) -> NewSubscriber:
    (one,) = people(file, content)
    return one


def problems(file: Path, content: str | bytes) -> list[tuple[int, str]]:
    rows = planned(file, content).rows()
    return [(row.line, row.problem.message) for row in rows if row.problem]


def imported(store: Store, file: Path, content: str, *, dry_run: bool = False) -> ImportReport:
    return import_people(store, planned(file, content).rows(), now=NOW, dry_run=dry_run)


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return (report.added, report.updated, report.unchanged, report.kept, report.bad)


# --- what is read --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "email",
        "E-Mail",
        "ADDRESS",
        " Email Address ",
        "e-mail address",
        "email_address",
        "Subscriber",
    ],
)
def test_the_address_column_has_exact_aliases(file: Path, header: str) -> None:
    assert person(file, f"id,{header}\n7,ada@example.com\n").address == "ada@example.com"


def test_every_known_column_finds_its_place(file: Path) -> None:
    one = person(
        file,
        "id,email,name,status,tags,source,subscribed_at,Home town\n"
        "9,Ada@EXAMPLE.com,Ada L,Unsubscribed,vip; press,fair,2025-03-04 10:23:10 UTC,Linden\n",
    )
    assert one == NewSubscriber(
        address="Ada@example.com",
        name="Ada L",
        status=UNSUBSCRIBED,
        reason="import",
        consent_source="fair",
        consent_at=datetime(2025, 3, 4, 10, 23, 10, tzinfo=UTC),
        tags=("vip", "press"),
        fields={"id": "9", "home_town": "Linden"},
    )


def test_first_and_last_name_make_a_name_and_stay_fields(file: Path) -> None:
    one = person(file, "Email Address,First Name,Last Name\nada@example.com,Ada,Lark\n")
    assert (one.name, one.fields) == ("Ada Lark", {"first_name": "Ada", "last_name": "Lark"})


def test_a_postal_address_beside_the_mail_address_is_a_field(file: Path) -> None:
    one = person(file, "Address,Email Address\n1 Orchard Row,ada@example.com\n")
    assert (one.address, one.fields) == ("ada@example.com", {"postal_address": "1 Orchard Row"})


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("Ada <ada@example.com>", "Ada"),
        ('"""Lark, Ada"" <ada@example.com>"', "Lark, Ada"),
        ("mailto:ada@example.com", ""),
        ("  ada@example.com ", ""),
    ],
)
def test_an_address_cell_may_be_a_mailbox(file: Path, cell: str, name: str) -> None:
    one = person(file, f"email\n{cell}\n")
    assert (one.address, one.name) == ("ada@example.com", name)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfemail,name\r\nada@example.com,Ada\r\n",
        b"email;name\nada@example.com;Ada\n",
        b"email\tname\nada@example.com\tAda",
        b"sep=;\r\nemail;name\r\nada@example.com;Ada\r\n",
        b'\xef\xbb\xbf"sep=;"\nemail;name\nada@example.com;Ada\n',
        b"email,name\rada@example.com,Ada\r",
        b'"email","name"\n\n,\n"ada@example.com","Ada"\n\n',
        b'"na;me,x";email;name\n;ada@example.com;Ada\n',
        b"email,name,city\nada@example.com,Ada\n",
        b"email,name\nada@example.com,Ada,,\n",
    ],
)
def test_spreadsheets_write_csv_in_many_ways(file: Path, content: bytes) -> None:
    one = person(file, content)
    assert (one.address, one.name, one.fields) == ("ada@example.com", "Ada", {})


def test_a_quoted_line_break_keeps_the_line_numbers_right(file: Path) -> None:
    content = 'email,note\nada@example.com,"two\r\nlines"\n\nbroken,x\n'
    rows = list(planned(file, content).rows())
    assert rows[0].person is not None
    assert rows[0].person.fields == {"note": "two\r\nlines"}
    assert [row.line for row in rows] == [2, 5]


def test_a_sep_line_counts_as_a_line(file: Path) -> None:
    assert problems(file, "sep=;\nemail\nbroken\n")[0][0] == 3


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("vip;press", ("vip", "press")),
        (" vip , press,vip", ("vip", "press")),
        ('"""Editors"",""A, B"""', ("Editors", "A, B")),
        ("", ()),
    ],
)
def test_tags_are_a_list_in_one_cell(file: Path, cell: str, tags: tuple[str, ...]) -> None:
    quoted = cell if cell.startswith('"') else f'"{cell}"'
    assert person(file, f"email,tags\nada@example.com,{quoted}\n").tags == tags


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2025-03-04", datetime(2025, 3, 4, tzinfo=UTC)),
        ("2025-03-04 10:11:12", datetime(2025, 3, 4, 10, 11, 12, tzinfo=UTC)),
        ("2025-03-04T10:11:12.5Z", datetime(2025, 3, 4, 10, 11, 12, 500000, tzinfo=UTC)),
        ("2025-03-04 10:11:12 +0100 GMT", datetime(2025, 3, 4, 9, 11, 12, tzinfo=UTC)),
        ("2025-03-04 10:11:12.123 +0000 UTC", datetime(2025, 3, 4, 10, 11, 12, 123000, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_utc(cell: str, moment: datetime) -> None:
    assert time_of(cell) == moment


def test_the_most_telling_time_is_the_consent(file: Path) -> None:
    content = (
        "email,CREATED_AT,OPTIN_TIME,CONFIRM_TIME\n"
        "ada@example.com,2020-01-01,2021-01-01,2022-01-01\n"
        "ben@example.com,2020-01-01,2021-01-01,\n"
        "cleo@example.com,2020-01-01,,\n"
    )
    years = [one.consent_at.year if one.consent_at else None for one in people(file, content)]
    assert years == [2022, 2021, None]
    (only,) = people(file, "email,created_at\nada@example.com,2020-01-01\n")
    assert only.consent_at == datetime(2020, 1, 1, tzinfo=UTC)


def test_who_names_no_source_came_from_this_file(file: Path) -> None:
    content = "email,source\nada@example.com,\nben@example.com,fair\n"
    digest = sha256(content.encode()).hexdigest()
    sources = [one.consent_source for one in people(file, content)]
    assert sources == [f"import people.csv sha256:{digest}", "fair"]
    other = replace(planned(file, content), source="the spring fair", tags=("fair",))
    first, second = (row.person for row in other.rows())
    assert first is not None
    assert second is not None
    assert (first.consent_source, second.consent_source) == ("the spring fair", "fair")
    assert first.tags == second.tags == ("fair",)


# --- status --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "expected"), STATUSES.items())
def test_a_status_is_a_whole_word(
    file: Path, word: str, expected: tuple[SubscriberStatus, str]
) -> None:
    one = person(file, f"email,status\nada@example.com, {word.upper()}\n")
    assert (one.status, one.reason) == expected


@pytest.mark.parametrize("word", ["inactive", "unactivated", "unconfirmed", "cleaned"])
def test_a_word_that_contains_another_is_not_taken_for_it(word: str) -> None:
    assert STATUSES[word][0] is not ACTIVE


def test_an_unknown_status_stops_the_import_with_every_value_and_line(file: Path) -> None:
    lines = "".join(f"r{number}@example.com,churning\n" for number in range(8))
    content = (
        f"email,status\nada@example.com,active\nb@example.com,\n{lines}c@example.com,\x1b[2J\n"
    )
    with pytest.raises(ImportRefused) as refused:
        planned(file, content)
    assert (refused.value.path, refused.value.line) == (str(file), 3)
    assert refused.value.message == (
        "unknown status: (blank) (line 3); 'churning' (lines 4, 5, 6, 7, 8 and 3 more); "
        r"'\x1b[2J' (line 12)"
    )
    assert refused.value.hint is not None
    assert "nothing was imported" in refused.value.hint


@pytest.mark.parametrize("column", ["UNSUB_TIME", "CLEAN_TIME", "email_disabled", "deleted_at"])
def test_a_column_that_tells_who_left_is_not_ignored(file: Path, column: str) -> None:
    content = f"Email Address,{column}\nada@example.com,2024-01-01\n"
    with pytest.raises(ImportRefused, match="tells who left"):
        planned(file, content)
    (row,) = read_csv(file, status=UNSUBSCRIBED).rows()
    assert row.person is not None
    assert (row.person.status, row.person.reason) == (UNSUBSCRIBED, "import")


# --- refused as a whole --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", None, "empty"),
        (b"\n\n", None, "empty"),
        (b"name,city\nAda,Linden\n", 1, "no column is the address; found: 'name', 'city'"),
        (b"ada@example.com,Ada\n", 1, "no column is the address"),
        (b"email,name,name\n", 1, "several columns are the name"),
        (b"email,City,city\n", 1, "several columns are called 'city'"),
        (b"email,E-Mail\n", 1, "several columns are the address"),
        (b"email,first name,First_Name\n", 1, "several columns are called 'first_name'"),
        (b"email,,name\n", 1, "column 2 has no header"),
    ],
)
def test_a_header_that_could_be_misread_is_refused(
    file: Path, content: bytes, line: int | None, message: str
) -> None:
    with pytest.raises(ImportRefused, match=message) as refused:
        planned(file, content)
    assert (refused.value.path, refused.value.line) == (str(file), line)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"email\na@example.com\nb\0@example.com\n", 3, "NUL"),
        (b"email,name\na@example.com,Ada\nb@example.com,B\xe9a\n", 3, "not UTF-8"),
        ("email\na@example.com\n".encode("utf-16"), 1, "UTF-16"),
        (b'email,name\na@example.com,"Ada\nb@example.com,Ben\n', 2, "unexpected end of data"),
        (b'email,name\na@example.com,"A"da\n', 2, "no CSV"),
        (b"email,note\na@example.com," + b"x" * 140_000 + b"\n", 2, "field limit"),
        (b"email\n" + b"x" * (1024 * 1024 + 1), 2, "more than a million characters"),
        (b"email" + b",x" * 501 + b"\n", 1, "500 columns"),
    ],
)
def test_attack_26_a_file_that_is_no_plain_csv_is_refused_with_its_line(
    file: Path, content: bytes, line: int, message: str
) -> None:
    with pytest.raises(ImportRefused, match=message) as refused:
        planned(file, content)
    assert (refused.value.path, refused.value.line) == (str(file), line)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.csv"):
        with pytest.raises(ImportRefused, match="not a file"):
            read_csv(path)


# --- one bad row ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("ada@@example.com,Ada,,", ""),
        (",Ada,,", "no address"),
        ("ada@example.com,Ada,,,x", "5 cells, but the header has 4"),
        ("ada@example.com,Ada,,03/04/2021", "'03/04/2021' is not a time"),
        ("ada@example.com,Ada,,2021-13-01", "'2021-13-01' is not a time"),
        (f"ada@example.com,{'x' * 201},,", "201 characters"),
        ('ada@example.com,Ada,"""vip",', "does not end"),
        ("ada@example.com,Ada\x1b[31m,,", "control character"),
    ],
)
def test_a_bad_row_is_reported_with_its_line_and_the_others_go_on(
    store: Store, file: Path, row: str, message: str
) -> None:
    content = f"email,name,tags,created\nben@example.com,,,\n{row}\ncleo@example.com,,,\n"
    report = imported(store, file, content)
    assert counts(report) == (2, 0, 0, 0, 1)
    (problem,) = report.problems
    assert (problem.path, problem.line, problem.severity) == (file, 3, Severity.ERROR)
    assert message in problem.message
    assert problem.message.isprintable()
    assert [one.address for one in store.subscribers()] == ["ben@example.com", "cleo@example.com"]


@pytest.mark.parametrize("column", ["name", "first name", "last name", "tags", "source", "reason"])
@pytest.mark.parametrize("stop", ["\r\n", "\n", "\r", "\u2028", "\x85"])
def test_attack_1_a_line_break_in_a_name_rejects_the_row_with_its_line(
    file: Path, column: str, stop: str
) -> None:
    content = f'email,{column}\na@example.com,Ada\nb@example.com,"Ben{stop}Bcc: x@example.org"\n'
    ((line, message),) = problems(file, content)
    assert line == 3
    assert "line break or another control character" in message


def test_attack_1_a_line_break_in_the_address_cell_rejects_the_row(file: Path) -> None:
    content = 'email\n"Ada\r\nBcc: x@example.org <ada@example.com>"\n'
    assert [line for line, _ in problems(file, content)] == [2]


def test_the_problems_become_a_csv_a_spreadsheet_opens_safely(store: Store, file: Path) -> None:
    report = imported(store, file, "email\n=cmd|' /C calc'!A0\nada@example.com\n")
    out = io.StringIO(newline="")
    assert export_problems(report.problems, out) == 1
    header, row = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert header == ["line", "severity", "code", "message", "hint"]
    assert row[:2] == ["2", "error"]
    assert not row[3].startswith("=")


# --- into the store ------------------------------------------------------------------------------

MIXED = (
    "email,name,status\n"
    "ada@example.com,Ada,active\n"
    "ben@example.com,Ben,active\n"
    "cleo@example.com,Cleo,unsubscribed\n"
    "ADA@example.com,Ada Lark,active\n"
    "ben@example.com,,active\n"
    "eve@example.com,Eve,active\n"
    "broken,,active\n"
)


def test_an_import_counts_what_became_of_every_row(store: Store, file: Path) -> None:
    store.add(NewSubscriber(address="eve@example.com", status=UNSUBSCRIBED, reason="left"), NOW)
    report = imported(store, file, MIXED)
    assert counts(report) == (3, 1, 1, 1, 1)
    assert report.read == 7
    assert [(one.line, one.severity) for one in report.problems] == [
        (7, Severity.INFO),
        (8, Severity.ERROR),
    ]
    eve = store.subscriber("eve@example.com")
    assert eve is not None
    assert (eve.status, eve.name) == (UNSUBSCRIBED, "")


def test_a_dry_run_counts_exactly_and_writes_nothing(store: Store, file: Path) -> None:
    store.add(NewSubscriber(address="eve@example.com", status=UNSUBSCRIBED, reason="left"), NOW)
    before = list(store.subscribers())
    rehearsed = imported(store, file, MIXED, dry_run=True)
    assert list(store.subscribers()) == before
    assert rehearsed == imported(store, file, MIXED)


def test_repeating_an_import_changes_nothing(store: Store, file: Path) -> None:
    imported(store, file, "email,name,tags\nada@example.com,Ada,vip\nben@example.com,,\n")
    before = list(store.subscribers())
    again = import_people(store, read_csv(file).rows(), now=datetime(2027, 1, 1, tzinfo=UTC))
    assert counts(again) == (0, 0, 2, 0, 0)
    assert list(store.subscribers()) == before


def test_consent_is_recorded_with_source_and_time(store: Store, file: Path) -> None:
    imported(store, file, "email\nada@example.com\n")
    ada = store.subscriber("ada@example.com")
    assert ada is not None
    assert ada.consent_source.startswith("import people.csv sha256:")
    assert ada.consent_at == NOW
    (event,) = store.history(ada.address)
    assert (event.what, event.source) == ("active", ada.consent_source)


def test_a_later_row_may_take_a_person_out_and_never_back_in(store: Store, file: Path) -> None:
    content = (
        "email,status\nada@example.com,active\nada@example.com,bounced\nada@example.com,active\n"
    )
    assert counts(imported(store, file, content)) == (1, 1, 0, 1, 0)
    ada = store.subscriber("ada@example.com")
    assert ada is not None
    assert (ada.status, ada.reason) == (SubscriberStatus.SUPPRESSED, "bounce")


def test_a_large_file_is_streamed(file: Path) -> None:
    lines = (f"r{number}@example.com,Reader {number}\n" for number in range(20_000))
    plan = planned(file, "email,name\n" + "".join(lines))
    rows = plan.rows()
    assert plan.count == 20_000
    assert next(rows).line == 2
    assert sum(1 for _ in csv_rows(file)) == 20_001


# --- pairs ---------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"])).map(str.strip)


@given(TEXT)
def test_attack_26_what_is_guarded_is_restored(value: str) -> None:
    cell = guard(value)
    assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r") or not cell
    assert restored(cell) == value


@given(st.lists(TEXT.filter(bool), unique=True).map(tuple))
def test_tags_survive_their_cell(tags: tuple[str, ...]) -> None:
    assert split_tags(joined_tags(tags)) == tags


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_any_bytes_are_rows_or_refused(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "junk.csv"
    file.write_bytes(b"email,status,tags,created\n" + junk)
    with suppress(ImportRefused):
        rows = list(read_csv(file).rows())
        assert all((row.person is None) != (row.problem is None) for row in rows)


@given(st.lists(st.text(max_size=12), max_size=6))
def test_any_header_is_read_or_refused(cells: list[str]) -> None:
    try:
        header = read_header(cells)
    except ImportRefused:
        return
    columns = [column for role in header.roles.values() for column in role]
    assert sorted([*columns, *header.fields]) == list(range(len(cells)))
