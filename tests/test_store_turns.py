"""The contract of the store about turns and tallies: what happened to a send, and its counts."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.model import DeliveryState, Reply, SendState, Stage, TurnKind
from newsletter.store import Store
from newsletter.store.sqlite import SQLiteStore
from tests.stores import NEW, NOW, OpenStore, readers, sending, taken

pytest_plugins = ("tests.store_fixtures",)
SECOND = timedelta(seconds=1)
K = TurnKind


def kinds(store: Store, send_id: int) -> list[TurnKind]:
    return [turn.kind for turn in store.turns(send_id)]


def test_each_verb_tells_of_itself_once(store: Store) -> None:
    readers(store, "ada", "ben")
    send = store.freeze(replace(NEW, canary=1), NOW)
    for _ in range(2):
        store.move(send.id, SendState.SENDING, NOW)
    for _ in range(2):
        store.hold(send.id, "paused by hand", NOW)
    store.hold(send.id, "", NOW, not_before=NOW + SECOND)
    for _ in range(2):
        store.widen(send.id, NOW)
    for row in store.claim(send.id, 10, NOW):
        store.record(row._replace(state=DeliveryState.FAILED, reason="no"), NOW)
    store.move(send.id, SendState.SENDING, NOW)
    for row in store.claim(send.id, 10, NOW):
        store.record(row._replace(state=DeliveryState.FAILED, reason="no"), NOW)
    store.move(send.id, SendState.DONE, NOW)
    store.reopen(send.id, DeliveryState.FAILED, NOW)
    for _ in range(2):
        store.cancel(send.id, NOW)
    assert kinds(store, send.id) == [
        K.FROZEN, K.SENDING, K.HELD, K.WAITING, K.WIDENED, K.SENDING, K.DONE, K.REOPENED,
        K.CANCELLED,
    ]  # fmt: skip
    frozen, *_, reopened, _ = store.turns(send.id)
    assert (frozen.number, reopened.number, reopened.why) == (2, 2, "failed")


def test_a_scheduled_send_tells_when_it_will_go(store: Store) -> None:
    readers(store, "ada")
    send = store.freeze(replace(NEW, not_before=NOW + SECOND), NOW)
    store.freeze_prepared(send.id, NOW + SECOND)
    assert kinds(store, send.id) == [K.SCHEDULED, K.FROZEN]
    assert store.turns(send.id)[0].until == NOW + SECOND


def test_a_slower_pace_is_told_once_a_second_to_every_send_at_work(store: Store) -> None:
    readers(store, "ada")
    at_work = sending(store)
    store.slow_down("domain:example.com", 8.0, NOW)
    store.slow_down("domain:example.com", 8.0, NOW + SECOND / 2)
    store.slow_down("relay:main", 8.0, NOW + SECOND / 2)
    store.slow_down("domain:example.com", 8.0, NOW + 2 * SECOND)
    slower = [turn for turn in store.turns(at_work.id) if turn.kind is K.SLOWED]
    keys = ["domain:example.com", "relay:main", "domain:example.com"]
    assert [turn.why for turn in slower] == keys
    assert slower[0].number == 4
    assert all(turn.number for turn in slower)


def test_turns_are_asked_for_since_the_last_one_known(store: Store, opened: OpenStore) -> None:
    readers(store, "ada")
    send = sending(store)
    known = store.turns(send.id)[-1].id
    opened().hold(send.id, "paused by hand", NOW)
    assert [turn.kind for turn in store.turns(send.id, known)] == [K.HELD]


@pytest.mark.parametrize("change", ["UPDATE send_turn SET why = ''", "DELETE FROM send_turn"])
def test_a_turn_is_never_changed(store: SQLiteStore, change: str) -> None:
    readers(store, "ada")
    sending(store)
    connection = sqlite3.connect(store._db.path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(change)
    connection.close()


def test_a_tally_holds_nobodys_address(store: Store) -> None:
    readers(store, "ada", "ben", "cleo")
    send = sending(store)
    for number, row in enumerate(store.claim(send.id, 10, NOW)):
        text = f"<{row.address}>: no such user at example.com, {row.address}"
        refused = row._replace(
            state=DeliveryState.FAILED,
            reason=f"cannot write to {row.address}",
            reply=Reply(Stage.RCPT, 550, "5.1.1", text),
        )
        store.record(refused if number else taken(row), NOW + number * SECOND)
    tallies = sorted(store.by_reply(send.id), key=lambda tally: tally.count)
    assert [(tally.count, tally.state) for tally in tallies] == [
        (1, DeliveryState.ACCEPTED),
        (2, DeliveryState.FAILED),
    ]
    assert "@" not in repr(tallies)
    assert tallies[1].reason == "cannot write to <address>"
    last = store.last_answer(send.id)
    assert last is not None
    assert last[0] == NOW + 2 * SECOND


def test_of_too_many_answers_the_rest_is_counted_with_its_kind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from newsletter.store import tallies

    monkeypatch.setattr(tallies, "BY_REPLY", tallies.BY_REPLY.replace("LIMIT 20000", "LIMIT 3"))
    readers(store, *(f"reader{number}" for number in range(9)))
    send = sending(store)
    for number, row in enumerate(store.claim(send.id, 10, NOW)):
        reply = Reply(Stage.RCPT, 550, "5.1.1", f"no {number}")
        store.record(row._replace(state=DeliveryState.FAILED, reason="no", reply=reply), NOW)
    found = store.by_reply(send.id)
    assert len(found) == 4
    assert sum(tally.count for tally in found) == 9


def test_a_quoted_address_has_its_domain_behind_the_last_at(store: SQLiteStore) -> None:
    readers(store, "ada")
    send = sending(store)
    store._db.write("UPDATE delivery SET address = '\"a@b\"@Example.NET'")
    assert [tally.domain for tally in store.by_domain(send.id)] == ["example.net"]


def test_answers_over_time_are_counted_by_steps(store: Store) -> None:
    readers(store, "ada", "ben", "cleo")
    send = sending(store)
    start = NOW.replace(second=0, microsecond=0)
    for number, row in enumerate(store.claim(send.id, 10, start)):
        store.record(taken(row), start + number * 4 * SECOND)
    beats = store.over_time(send.id, 5 * SECOND)
    assert [(beat.at, beat.count) for beat in beats] == [(start, 2), (start + 5 * SECOND, 1)]
