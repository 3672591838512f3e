"""The contract of the store about people: every verb as its docstring says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.errors import AudienceError
from newsletter.model import (
    NewSubscriber,
    SubscriberStatus,
)
from newsletter.store import Merge, Store
from tests.stores import (
    ACTIVE,
    BY_RANK,
    NOW,
    PENDING,
    SUPPRESSED,
    UNSUBSCRIBED,
    OpenStore,
    reader,
    readers,
)

pytest_plugins = ("tests.store_fixtures",)


# --- people --------------------------------------------------------------------------------------


def test_a_person_comes_back_as_written(store: Store) -> None:
    person = NewSubscriber(
        address="Ada.L@example.com",
        name="Ada “Æ” O'Hara \U0001f600",
        consent_source="form https://example.com/join",
        consent_at=NOW - timedelta(days=3, microseconds=1),
        tags=("vip", "press"),
        fields={"city": "Lindenford", "note": "two\nlines", "blank": ""},
    )
    added = store.add(person, NOW)
    assert added == store.subscriber("Ada.L@example.com") == store.subscriber_with_id(added.id)
    assert (added.address, added.name, added.fields) == (person.address, person.name, person.fields)
    assert (added.consent_at, added.created_at) == (person.consent_at, NOW)
    assert added.tags == ("press", "vip")
    assert list(store.subscribers()) == [added]


def test_a_naive_time_is_a_bug_not_a_row(store: Store) -> None:
    with pytest.raises(TypeError):
        store.add(reader("ada"), NOW.replace(tzinfo=None))
    assert not list(store.subscribers())


def test_two_spellings_that_casefold_makes_one_are_two_mailboxes(store: Store) -> None:
    readers(store, "straße", "strasse", "JÜRGEN")
    assert len(list(store.subscribers())) == 3
    assert store.subscriber("jürgen@example.com") is not None


def test_addresses_are_compared_case_insensitively(store: Store) -> None:
    readers(store, "ada")
    found = store.subscriber("ADA@Example.COM")
    assert found is not None
    assert found.address == "ada@example.com"
    with pytest.raises(AudienceError, match="status active"):
        store.add(reader("ADA"), NOW)


def test_dots_and_plus_tags_are_other_mailboxes(store: Store) -> None:
    readers(store, "a.da", "ada", "ada+letters")
    assert store.census() == Counter({ACTIVE: 3})


def test_nobody_has_an_unknown_address(store: Store) -> None:
    assert store.subscriber("ada@example.com") is None
    assert store.subscriber_with_id(1) is None
    for verb in (store.history, store.tag, lambda one: store.unsubscribe(one, "", NOW)):
        with pytest.raises(AudienceError, match="no subscriber"):
            verb("ada@example.com")


def test_people_are_streamed_in_the_order_of_arrival_and_may_be_changed_meanwhile(
    opened: OpenStore,
) -> None:
    store, other = opened(), opened()
    names = [f"r{number}" for number in range(1203)]
    readers(store, *names)
    seen = []
    for person in store.subscribers():
        seen.append(person.name.lower())
        if person.id % 400 == 0:
            store.unsubscribe(person.address, "left", NOW)
            other.tag(person.address, add=("gone",))
    assert seen == names
    assert len(list(store.subscribers(status=UNSUBSCRIBED, tag="gone"))) == 3
    assert not list(store.subscribers(status=ACTIVE, tag="gone"))


def test_tags_are_added_and_removed_idempotently(store: Store) -> None:
    readers(store, "ada", "ben")
    for _ in range(2):
        assert store.tag("ada@example.com", add=("vip", " press ", "")).tags == ("press", "vip")
    store.tag("ben@example.com", add=("vip",))
    assert store.tags() == Counter({"vip": 2, "press": 1})
    for _ in range(2):
        assert store.tag("ada@example.com", remove=("vip",)).tags == ("press",)


def test_an_unsubscribe_is_idempotent_and_keeps_the_first_reason(store: Store) -> None:
    readers(store, "ada")
    assert store.unsubscribe("ADA@example.com", "one click", NOW).status is UNSUBSCRIBED
    again = store.unsubscribe("ada@example.com", "by hand", NOW)
    assert (again.status, again.reason) == (UNSUBSCRIBED, "one click")
    assert [event.what for event in store.history("ada@example.com")] == ["active", "unsubscribed"]


def test_a_suppressed_person_who_unsubscribes_stays_suppressed(store: Store) -> None:
    store.add(reader("ada", SUPPRESSED, "bounce"), NOW)
    again = store.unsubscribe("ada@example.com", "one click", NOW)
    assert (again.status, again.reason) == (SUPPRESSED, "bounce")


def test_the_log_says_when_what_and_by_whose_word(store: Store) -> None:
    readers(store, "ada")
    later = NOW + timedelta(hours=1)
    store.unsubscribe("ada@example.com", "one click", later)
    events = [(event.at, event.what, event.source) for event in store.history("ada@example.com")]
    assert events == [(NOW, "active", "form"), (later, "unsubscribed", "one click")]


# --- merge ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", BY_RANK)
@pytest.mark.parametrize("brought", BY_RANK)
def test_an_import_never_moves_anybody_towards_active(
    store: Store, known: SubscriberStatus, brought: SubscriberStatus
) -> None:
    store.add(reader("ada", known, "before"), NOW)
    became = store.merge(reader("ada", brought, "after"), NOW)
    found = store.subscriber("ada@example.com")
    assert found is not None
    if BY_RANK.index(known) > BY_RANK.index(brought):
        assert (became, found.status, found.reason) == (Merge.KEPT, known, "before")
    elif known is brought:
        assert (became, found.reason) == (Merge.UNCHANGED, "before")
    else:
        assert (became, found.status, found.reason) == (Merge.UPDATED, brought, "after")


def test_a_merge_adds_then_finds_nothing_to_change(store: Store) -> None:
    person = replace(reader("ada"), tags=("vip", "press"), fields={"city": "Lindenford"})
    assert store.merge(person, NOW) is Merge.ADDED
    assert store.merge(person, NOW + timedelta(days=1)) is Merge.UNCHANGED
    assert len(store.history(person.address)) == 1


def test_a_blank_never_overwrites_and_a_recorded_consent_stays(store: Store) -> None:
    store.add(replace(reader("ada"), fields={"city": "Lindenford", "age": "9"}), NOW)
    brought = replace(
        reader("ada"),
        name=" ",
        consent_source="import x.csv",
        consent_at=NOW + timedelta(days=9),
        tags=("new",),
        fields={"city": "", "age": "10"},
    )
    assert store.merge(brought, NOW) is Merge.UPDATED
    found = store.subscriber("ada@example.com")
    assert found is not None
    assert (found.name, found.consent_source, found.consent_at) == ("Ada", "form", NOW)
    assert (found.fields, found.tags) == ({"city": "Lindenford", "age": "10"}, ("new",))


def test_a_consent_is_filled_in_where_none_was_recorded(store: Store) -> None:
    store.add(NewSubscriber(address="ada@example.com"), NOW)
    assert store.merge(reader("ada"), NOW) is Merge.UPDATED
    found = store.subscriber("ada@example.com")
    assert found is not None
    assert (found.consent_source, found.consent_at) == ("form", NOW)


def test_a_rehearsal_counts_like_the_real_thing_and_leaves_nothing(store: Store) -> None:
    readers(store, "ada")
    with store.rehearsal():
        assert store.merge(reader("ben"), NOW) is Merge.ADDED
        assert store.merge(reader("BEN"), NOW) is Merge.UNCHANGED
        assert store.merge(reader("ben", PENDING), NOW) is Merge.UPDATED
        with pytest.raises(AudienceError):
            store.add(reader("ada"), NOW)
        assert store.census() == Counter({ACTIVE: 1, PENDING: 1})
    assert store.census() == Counter({ACTIVE: 1})


def test_a_rehearsal_that_fails_leaves_nothing_either(store: Store) -> None:
    readers(store, "ada")
    with pytest.raises(AudienceError), store.rehearsal():  # noqa: PT012
        store.unsubscribe("ada@example.com", "x", NOW)
        store.history("ben@example.com")
    assert store.census() == Counter({ACTIVE: 1})
