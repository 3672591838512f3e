"""Time goes wrong: clocks that jump, a relay away for an hour, a ledger from an earlier release."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.audience.tokens import Keys
from newsletter.delivery.deliver import deliver
from newsletter.delivery.run import Office
from newsletter.delivery.steps import Step, next_step, start
from newsletter.errors import RelayUnavailable
from newsletter.model import DeliveryState, Limits, SendState
from newsletter.smtp import open_transports
from newsletter.store import Store, open_store
from newsletter.store.migrate import migrate, shipped
from tests.killing import NOW, frozen, url
from tests.sample import letter
from tests.smtpd import ScriptedRelay
from tests.stores import NEW, readers, states, store_is_whole, taken

ACCEPTED, DEFERRED = DeliveryState.ACCEPTED, DeliveryState.DEFERRED
HOUR = timedelta(hours=1)


class Clock:
    """A clock that stands unless somebody waits, or it is put."""

    def __init__(self) -> None:
        self.now = NOW
        self.waited = timedelta()

    def rest(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.waited += timedelta(seconds=seconds)

    def office(self, store: Store, folder: Path) -> Office:
        return Office(
            store=store,
            letter=letter(folder),
            keys=Keys((b"k" * 32,)),
            now=lambda: self.now,
            sleep=self.rest,
            rest=self.rest,
        )


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as running:
        yield running


def reached(relay: ScriptedRelay) -> list[str]:
    return sorted(one.rcpt_to for one in relay.accepted)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("limits", [Limits(), Limits(per_second=50)], ids=["free", "paced"])
def test_attack_45_a_clock_that_jumps_loses_nobody_and_sends_nothing_twice(
    tmp_path: Path, relay: ScriptedRelay, seed: int, limits: Limits
) -> None:
    folder, clock, dice = frozen(tmp_path, 100), Clock(), random.Random(seed)
    relay.on("rcpt", to="p7@example.com", say="451 4.3.0 later", times=1)
    relay.on("dot", to="p9@example.com", say="451 4.3.0 later", times=1)
    relay.on("data", to="p11@example.com", drop=True, times=1)
    way = relay.relay(limits=limits)
    with open_store(url(folder)) as store:
        [send] = store.sends()
        for _ in range(6):
            for _ in deliver(send, open_transports(way), clock.office(store, folder), way):
                if dice.random() < 0.1:
                    clock.now += timedelta(hours=dice.choice([-24, -1, 1, 24]))
            if store.send(send.id).state is SendState.DONE:
                break
            clock.now = max(store.due_at(send.id) or clock.now, clock.now)
        assert set(states(store, send.id).values()) == {"accepted"}
    assert reached(relay) == sorted(f"p{number}@example.com" for number in range(100))
    assert clock.waited < HOUR, "a jump is not waited out"


def test_attack_45_a_scheduled_send_starts_once_when_the_clock_is_put_back(tmp_path: Path) -> None:
    with open_store(f"sqlite:{tmp_path / 'newsletter.db'}") as store:
        readers(store, "ada", "ben")
        send = store.freeze(replace(NEW, not_before=NOW + HOUR), NOW)
        assert next_step(store, send, NOW).step is Step.WAIT
        assert next_step(store, send, NOW + HOUR).step is Step.FREEZE
        begun = start(store, send, NOW + HOUR)
        assert next_step(store, begun, NOW).step is Step.DELIVER, "begun is begun"
        store.move(send.id, SendState.SENDING, NOW)
        for row in store.claim(send.id, 10, NOW + HOUR):
            store.record(taken(row), NOW)
        done = store.move(send.id, SendState.DONE, NOW - HOUR)
        for moment in (NOW - 24 * HOUR, NOW, NOW + HOUR, NOW + 24 * HOUR):
            assert next_step(store, done, moment).step is Step.OVER


def test_attack_45_a_pace_booked_by_a_clock_that_was_ahead_is_not_waited_for(
    tmp_path: Path, relay: ScriptedRelay
) -> None:
    folder, clock = frozen(tmp_path, 20), Clock()
    way = relay.relay(limits=Limits(per_second=10))
    clock.now += 24 * HOUR
    with open_store(url(folder)) as store:
        [send] = store.sends()
        rows = deliver(send, open_transports(way), clock.office(store, folder), way)
        for _ in range(5):
            next(rows)
        clock.now -= 24 * HOUR
        list(rows)
        assert set(states(store, send.id).values()) == {"accepted"}
    assert clock.waited < timedelta(minutes=1)


def test_a_relay_that_is_away_for_an_hour_costs_an_hour(
    tmp_path: Path, relay: ScriptedRelay
) -> None:
    """As the worker does it: the run ends, and it comes again every quarter of a minute."""
    folder, clock, tries = frozen(tmp_path, 30), Clock(), 0
    with open_store(url(folder)) as store:
        [send] = store.sends()
        office = clock.office(store, folder)
        back_at = NOW + HOUR
        there = relay.relay()
        away = replace(there, port=1)
        while store.send(send.id).state is not SendState.DONE:
            tries += 1
            way = there if clock.now >= back_at else away
            try:
                list(deliver(send, open_transports(way), office))
            except RelayUnavailable:
                assert set(states(store, send.id).values()) == {"pending"}
                assert store.send(send.id).state is SendState.PAUSED
            clock.rest(15)
        assert set(states(store, send.id).values()) == {"accepted"}
    assert tries > 50
    assert len(reached(relay)) == len(set(reached(relay))) == 30
    assert clock.now - NOW < HOUR + timedelta(minutes=5)


# an earlier release


def schema_2(path: Path) -> sqlite3.Connection:
    """A database as the second schema made it, closed to others."""
    path.touch(0o600)
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, [one for one in shipped() if one.version <= 2])
    return connection


def test_a_ledger_of_the_second_schema_keeps_every_row(tmp_path: Path) -> None:
    with open_store(f"sqlite:{tmp_path / 'now.db'}") as store:
        readers(store, *"abcdefg")
        send = store.move(store.freeze(NEW, NOW).id, SendState.SENDING, NOW)
        rows = store.claim(send.id, 5, NOW)
        for row, state in zip(rows, ("accepted", "deferred", "failed", "unknown"), strict=False):
            store.record(taken(row)._replace(state=DeliveryState(state), reason=state), NOW)
    path = tmp_path / "old.db"
    with closing(schema_2(path)) as old:
        old.execute(f"ATTACH '{tmp_path / 'now.db'}' AS now")
        for table in ("subscriber", "send", "delivery", "event"):
            columns = ", ".join(row[1] for row in old.execute(f"PRAGMA table_info({table})"))
            old.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}")
        before = old.execute("SELECT * FROM main.delivery ORDER BY subscriber_id").fetchall()
        wide = ", ".join(row[1] for row in old.execute("PRAGMA main.table_info(delivery)"))
    with open_store(f"sqlite:{path}") as store:
        with closing(sqlite3.connect(path)) as raw:
            query = f"SELECT {wide} FROM delivery ORDER BY subscriber_id"
            assert raw.execute(query).fetchall() == before
            version = raw.execute("SELECT max(version) FROM schema_version").fetchone()
            assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
        assert version == (shipped()[-1].version,)
        assert store_is_whole(store, send.id)
        assert store.recover(send.id, NOW) == 0
        assert states(store, send.id) == {
            "a": "accepted",
            "b": "deferred",
            "c": "failed",
            "d": "unknown",
            **dict.fromkeys("efg", "pending"),
        }
        assert len(store.claim(send.id, 10, NOW)) == 4
