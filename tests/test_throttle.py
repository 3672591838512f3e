"""How fast mail leaves: one count for all processes, kept to whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.delivery.pace import Pace, World
from newsletter.model import Hours, Limits, Relay, WarmUp
from newsletter.store import Store, open_store
from tests.bench.rates import measure
from tests.conftest import thorough

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:{tmp_path / 'n.db'}") as opened:
        yield opened


def moments(store: Store, limits: Limits, count: int, now: datetime = NOW) -> list[datetime]:
    got = store.reserve("relay:main", limits, count, now)
    return [got.first + got.step * number for number in range(got.count)]


@settings(max_examples=30, deadline=None)
@given(
    rate=st.floats(0.0005, 2000),
    asks=st.lists(st.tuples(st.integers(1, 30), st.integers(-50, 500)), min_size=1, max_size=30),
)
def test_no_moment_is_given_twice_and_none_sooner_than_the_rate_allows(
    tmp_path_factory: pytest.TempPathFactory, rate: float, asks: list[tuple[int, int]]
) -> None:
    now, given_out = NOW, list[datetime]()
    with open_store(f"sqlite:{tmp_path_factory.mktemp('t') / 'n.db'}") as store:
        for count, later_ms in asks:
            now += timedelta(milliseconds=later_ms)
            given_out += moments(store, Limits(per_second=rate), count, now)
    gap = SECOND / rate
    assert all(b - a >= gap * 0.999 for a, b in pairwise(sorted(given_out)))


def test_a_minute_is_used_up_and_comes_back_piece_by_piece(store: Store) -> None:
    limits = Limits(per_minute=5)
    assert len(moments(store, limits, 3)) == 3
    assert len(moments(store, limits, 3)) == 2
    full = store.reserve("relay:main", limits, 1, NOW)
    assert full.count == 0
    assert SECOND * 55 < full.first - NOW <= SECOND * 65
    assert store.reserve("relay:main", limits, 1, full.first - SECOND).count == 0
    assert store.reserve("relay:main", limits, 9, full.first).count == 5


def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'n.db'}"
    for left in (2, 1, 0):
        with open_store(url) as store:
            got = store.reserve("relay:main", Limits(per_day=2, per_hour=50), 1, NOW)
            assert bool(got.count) == bool(left)


def test_a_clock_put_back_does_not_stop_the_mail(store: Store) -> None:
    limits = Limits(per_second=10)
    moments(store, limits, 5)
    earlier = NOW - timedelta(days=3)
    assert moments(store, limits, 1, earlier) == [earlier]


def test_a_new_sender_is_made_known_day_by_day() -> None:
    warm = WarmUp(start=date(2026, 11, 20), first_per_day=50, growth=2)
    days = [date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 23), date(2027, 1, 1)]
    assert [warm.per_day(day) for day in days] == [None, 50, 400, None]
    limits = Limits(per_day=300, warm_up=warm)
    caps = [limits.caps(day).get(timedelta(days=1)) for day in days]
    assert caps == [300, 50, 300, 300]


def test_a_slower_pace_halves_and_doubles_again_with_each_minute(store: Store) -> None:
    store.slow_down("relay:main", 100, NOW)
    store.slow_down("relay:main", 100, NOW)
    paces = [store.slowed(NOW + timedelta(minutes=m)) for m in (0, 1, 2, 3, 9)]
    assert paces == [{"relay:main": pace} for pace in (25, 50, 100, 200)] + [{}]
    first, second = moments(store, Limits(), 2)
    assert (second - first) / SECOND == pytest.approx(1 / 25, rel=0.05)


class Stopwatch:
    """A clock that rests move on."""

    def __init__(self) -> None:
        self.time = NOW

    def rest(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def pace(store: Store, relay: Relay, watch: Stopwatch, *, stopped: bool = False) -> Pace:
    world = World(now=lambda: watch.time, rest=watch.rest, stopping=lambda: stopped)
    return Pace(store, relay, world)


MAIN = Relay(name="main", kind="smtp", limits=Limits(per_second=10))


def test_a_domain_has_limits_of_its_own_within_those_of_the_relay(store: Store) -> None:
    watch = Stopwatch()
    relay = replace(MAIN, domains={"slow.example": Limits(per_second=1)})
    slow = pace(store, relay, watch)
    for _ in range(5):
        assert slow.wait("slow.example")
    assert watch.time - NOW >= SECOND * 4
    before = watch.time
    for _ in range(10):
        assert slow.wait("fast.example")
    assert watch.time - before < SECOND * 1.2


def test_a_used_up_day_ends_the_run_and_says_when_it_goes_on(store: Store) -> None:
    capped = pace(store, replace(MAIN, limits=Limits(per_day=2)), Stopwatch())
    assert [capped.wait("a.example") for _ in range(3)] == [True, True, False]
    assert capped.full_until is not None
    assert capped.full_until - NOW > timedelta(hours=23)


def test_a_used_up_minute_is_waited_for(store: Store) -> None:
    """A limit by the minute is a pace: nobody has to resume the send each minute."""
    watch, left = Stopwatch(), list[datetime]()
    capped = pace(store, replace(MAIN, limits=Limits(per_minute=5)), watch)
    for _ in range(18):
        assert capped.wait("example.com")
        left.append(watch.time)
    assert capped.full_until is None
    for first, sixth in zip(left, left[5:], strict=False):
        assert sixth - first > timedelta(minutes=1)
    assert left[-1] - NOW < timedelta(minutes=3.5)


def test_a_used_up_hour_of_one_domain_stops_nobody_else(store: Store) -> None:
    watch = Stopwatch()
    relay = replace(MAIN, domains={"slow.example": Limits(per_hour=1)})
    capped = pace(store, relay, watch)
    assert capped.wait("slow.example")
    assert capped.domain_full("slow.example") is None
    assert capped.wait("slow.example")
    full_until = capped.domain_full("slow.example")
    assert full_until is not None
    assert full_until > watch.time
    assert capped.wait("fast.example")
    assert capped.full_until is None
    watch.time = full_until
    assert capped.domain_full("slow.example") is None


def test_one_may_be_stopped_while_waiting(store: Store) -> None:
    slowest = replace(MAIN, limits=Limits(per_second=0.1))
    stopped = pace(store, slowest, Stopwatch(), stopped=True)
    assert stopped.wait("a.example")
    assert not stopped.wait("a.example")


@pytest.mark.parametrize(
    ("local", "opens"),
    [
        ("2026-11-23T20:59", None),
        ("2026-11-23T21:00", "2026-11-24T08:00"),
        ("2026-11-24T07:59", "2026-11-24T08:00"),
        ("2026-11-24T08:00", None),
        ("2026-11-27T22:00", "2026-11-30T08:00"),
        ("2026-11-28T12:00", "2026-11-30T08:00"),
    ],
)
def test_nothing_leaves_in_quiet_hours_nor_on_other_days(local: str, opens: str | None) -> None:
    zone = ZoneInfo("Europe/Lisbon")
    hours = Hours(
        zone=zone, quiet_from=clock(21), quiet_until=clock(8), weekdays=frozenset(range(5))
    )
    found = hours.opens(datetime.fromisoformat(local).replace(tzinfo=zone))
    assert found == (datetime.fromisoformat(opens).replace(tzinfo=zone) if opens else None)


def test_quiet_hours_within_a_day_and_none_at_all() -> None:
    zone = ZoneInfo("UTC")
    noon = Hours(zone=zone, quiet_from=clock(12), quiet_until=clock(14))
    assert noon.opens(NOW) == NOW.replace(hour=14)
    assert Hours(zone=zone).opens(NOW) is None


@pytest.mark.parametrize("rate", [14, 100, 1000])
def test_four_processes_together_keep_to_the_limit_of_a_second(tmp_path: Path, rate: int) -> None:
    held = measure(tmp_path, rate, seconds=thorough(5, 2))
    assert held.busiest_second <= rate * 1.02 + 1
    assert held.mean <= rate * 1.005  # a busy machine may be slower than the limit, never faster
