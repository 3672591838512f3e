"""People as CSV: safe in a spreadsheet, and the same people when read back."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.audience.exports import export_csv
from newsletter.audience.imports import read_csv
from newsletter.model import NewSubscriber, Subscriber, SubscriberStatus
from newsletter.store import open_store
from tests.conftest import thorough

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
TRIGGERS = ("=", "+", "-", "@", "\t", "\r")

LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20).map(
    str.strip
)
CELL = (
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
    | st.sampled_from(["=1+1", "'=x", "''@", "-5", "\tx", 'a"b', "a;b", "a\r\nb", "a\rb"])
).map(str.strip)
KEY = LINE | st.sampled_from(
    ["email", "status", "Name", "firstname", "first_name", "e-mail", "unsub_time", "=x", "field:a"]
)
ADDRESS = st.sampled_from(["ada", "+ada", "=ada", "-ada", "'ada", "a.d.a", "ada+x"]).map(
    lambda local: f"{local}@example.com"
)


@st.composite
def subscribers(draw: st.DrawFn) -> Subscriber:
    status = draw(st.sampled_from(SubscriberStatus))
    plain = status in (SubscriberStatus.ACTIVE, SubscriberStatus.PENDING)
    return Subscriber(
        id=draw(st.integers(1, 9)),
        address=draw(ADDRESS),
        name=draw(LINE),
        status=status,
        reason="" if plain else draw(LINE.filter(bool)),
        consent_source=draw(LINE.filter(bool)),
        consent_at=draw(st.datetimes(timezones=st.just(UTC)) | st.none()),
        created_at=NOW,
        tags=tuple(draw(st.lists(LINE.filter(bool), unique=True, max_size=3))),
        fields=draw(st.dictionaries(KEY.filter(bool), CELL.filter(bool), max_size=4)),
    )


def exported(*people: Subscriber) -> str:
    out = io.StringIO(newline="")
    assert export_csv(iter(people), out) == len(people)
    return out.getvalue()


def brought_back(person: Subscriber) -> NewSubscriber:
    """What an import should make of the person. A name is made of first and last name when there
    is none: then there is one more than before."""
    first, last = person.fields.get("first_name", ""), person.fields.get("last_name", "")
    return NewSubscriber(
        address=person.address,
        name=person.name or f"{first} {last}".strip(),
        status=person.status,
        reason=person.reason,
        consent_source=person.consent_source,
        consent_at=person.consent_at,
        tags=person.tags,
        fields=person.fields,
    )


def clean_names(person: Subscriber) -> bool:
    names = [person.fields.get("first_name", ""), person.fields.get("last_name", "")]
    return all(name.isprintable() for name in names)


@given(st.lists(subscribers().filter(clean_names), max_size=4))
@settings(max_examples=thorough(150, 37))
def test_what_is_exported_is_imported_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, people: list[Subscriber]
) -> None:
    file = tmp_path_factory.getbasetemp() / "round.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        assert export_csv(people, out) == len(people)
    rows = list(read_csv(file).rows())
    assert [row.problem for row in rows if row.problem] == []
    assert [row.person for row in rows] == [brought_back(person) for person in people]


@given(st.lists(subscribers(), max_size=4))
def test_attack_26_no_cell_starts_like_a_formula(people: list[Subscriber]) -> None:
    for row in csv.reader(io.StringIO(exported(*people), newline="")):
        assert not [cell for cell in row if cell.startswith(TRIGGERS)]


def test_the_columns_are_the_nouns_of_the_house() -> None:
    person = Subscriber(
        id=1,
        address="ada@example.com",
        name="Ada, Lark",
        status=SubscriberStatus.UNSUBSCRIBED,
        reason="one click",
        consent_source="form",
        consent_at=NOW,
        created_at=NOW,
        tags=("press", "vip"),
        fields={"city": "Lindenford", "Email": "x"},
    )
    assert exported(person) == (
        "address,name,status,reason,consent_source,consent_at,created_at,tags,city,field:Email\r\n"
        'ada@example.com,"Ada, Lark",unsubscribed,one click,form,2026-11-22T08:30:00+00:00,'
        "2026-11-22T08:30:00+00:00,press;vip,Lindenford,x\r\n"
    )


def test_nobody_is_a_header_and_nothing_else() -> None:
    assert exported().count("\r\n") == 1


def test_a_store_exported_into_an_empty_store_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    with open_store(f"sqlite:{tmp_path / 'a' / 'x.db'}") as store:
        for number, status in enumerate(SubscriberStatus):
            store.add(
                NewSubscriber(
                    address=f"r{number}@example.com",
                    status=status,
                    reason="" if status is SubscriberStatus.ACTIVE else "why",
                    consent_source="form",
                    consent_at=NOW,
                    tags=("a", "b"),
                    fields={"city": "=Lindenford"},
                ),
                NOW,
            )
        people = list(store.subscribers())
        with file.open("w", encoding="utf-8", newline="") as out:
            export_csv(store.subscribers(), out)
    with open_store(f"sqlite:{tmp_path / 'b' / 'x.db'}") as store:
        for row in read_csv(file).rows():
            assert row.person is not None
            store.merge(row.person, NOW)
        assert list(store.subscribers()) == people
