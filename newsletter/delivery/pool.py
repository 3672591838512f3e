"""Several relays for one send: who takes part, who stands by, and when a send is over.

Ways enter, those to use next leave. A row goes from one relay to another only when the first
certainly does not have it: refused, given back, or never offered.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from threading import Lock

from newsletter.delivery.lane import Lane
from newsletter.delivery.replies import fold
from newsletter.delivery.run import Run
from newsletter.delivery.way import Way
from newsletter.errors import StoreError
from newsletter.model import DeliveryState, Turn, TurnKind


def usable(ways: Sequence[Way]) -> list[Way]:
    """The ways to go on by: those with a weight, and the standbys only when all of these have
    failed. One whose allowance is used up has not: it goes on later."""
    able = [way for way in ways if way.failure is None]
    weighted = [way for way in able if way.out.relay.weight != 0]
    return [way for way in weighted or able if way.pace.full_until is None]


def lanes(ways: Sequence[Way], wanted: int) -> list[Lane]:
    """At most so many lanes, at least one: all of the heaviest way's, fewer of the lighter ones',
    as their weights are, and in that proportion when there are not rows enough for all."""
    most = max(_weight(way) for way in ways)
    places: list[tuple[float, int, Lane]] = []
    for number, way in enumerate(ways):
        share = max(1, round(len(way.out.transports) * _weight(way) / most))
        opened = way.out.transports[:share]
        places += [
            ((place + 0.5) / _weight(way), number, Lane(way, transport))
            for place, transport in enumerate(opened)
        ]
    ordered = sorted(places, key=lambda place: place[:2])
    return [lane for _, _, lane in ordered[: max(wanted, 1)]]


@dataclass(slots=True)
class Failover:
    """Tells, as soon as a relay is left and others take its rows, which and why: once for each."""

    run: Run
    ways: Sequence[Way]
    told: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    def tell(self) -> None:
        """Look whether a relay was left since the last time, by any thread."""
        with self.lock:
            others = tuple(way.out.relay.name for way in usable(self.ways))
            left = [way for way in self.ways if self._is_left(way)]
            if not left or not others or self.run.over:
                return
            with suppress(StoreError):  # a store that takes no more is told of by the error
                if self.run.work_left():
                    for way in left:
                        self._tell(way, others)

    def _is_left(self, way: Way) -> bool:
        stopped = way.failure is not None or way.pace.full_until is not None
        return stopped and way.out.relay.name not in self.told

    def _tell(self, way: Way, others: tuple[str, ...]) -> None:
        office, name = self.run.office, way.out.relay.name
        self.told.add(name)
        why = way.failure.message if way.failure else "its limit is used up"
        turn = Turn(
            kind=TurnKind.FAILED_OVER,
            at=office.now(),
            why=fold(why),
            until=None if way.failure else way.pace.full_until,
            relay=name,
            goes_on_by=others,
        )
        office.store.tell(self.run.send.id, turn)
        office.say(f"going on by {', '.join(others)}. {name}: {why}")


def goes_on_at(run: Run, ways: Sequence[Way]) -> datetime | None:
    """When a run that has come to a limit of the day, or to its quiet hours, goes on."""
    full = (way.pace.full_until for way in ways if way.pace.full_until is not None)
    return run.closed_until or min(full, default=None)


def verdict(run: Run, ways: Sequence[Way]) -> Exception | None:
    """Why the run came to an early end. A relay that failed matters only when no other is left,
    and a lane that gave up only when nobody took its rows."""
    if run.error or any(way.failure is None for way in ways):
        return run.error
    refused = chain.from_iterable((way.error, way.breaker.error) for way in ways)
    if error := next(filter(None, refused), None):
        return error
    left = run.office.store.progress(run.send.id)
    if left[DeliveryState.PENDING] or left[DeliveryState.CLAIMED]:
        return ways[0].retired
    return None


def _weight(way: Way) -> int:
    return way.out.relay.weight or 1
