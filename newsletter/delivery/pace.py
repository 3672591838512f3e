"""When the next mail may leave: the relay's and the domain's limits, kept to.

A recipient domain enters; the wait is over when it returns. It reserves moments in the store, which
every process on it shares, a few at a time where they are dense. Threads may share it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from newsletter.model import Limits, Relay
from newsletter.store import Store

# As many slots at once as fall into this time: fewer questions, and none far ahead.
AHEAD_S = 0.02
# A slot that is older was missed; used now, it would come on top of those that are due.
STALE = timedelta(milliseconds=50)
NAP_S = 0.1
# A mail that leaves later than this, because the machine was busy, would crowd those after it.
MISSED_S = 0.012
TRIES = 5
# A cap that has room again so soon is waited for: a limit by the minute is a pace, not an end.
SOON = timedelta(minutes=2)
FREE = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The clock, a way to rest, and whether somebody asked to stop."""

    now: Callable[[], datetime]
    rest: Callable[[float], object]
    stopping: Callable[[], bool]


@dataclass(slots=True)
class Pace:
    """The moments reserved for one run. `full_until` is set once a cap of the relay's is used up
    for longer than somebody waits."""

    store: Store
    relay: Relay
    world: World
    full_until: datetime | None = None
    _room_at: datetime | None = None
    _full: dict[str, datetime] = field(default_factory=dict)
    _slots: dict[str, deque[datetime]] = field(default_factory=dict)
    _slowed: frozenset[str] | None = None
    _free: bool | None = None
    _kept: dict[str, Mapping[str, Limits]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def free(self) -> bool:
        """Whether no mail has a limit to keep, as of the last look at the store."""
        if self._free is None:
            limits = (self.relay.limits, *self.relay.domains.values())
            with self._lock:
                self._free = not self._keys_slowed() and not any(each.any for each in limits)
        return self._free

    def wait(self, domain: str) -> bool:
        """Whether the run goes on: after the wait for a mail to that domain, which then may leave
        unless the domain is `domain_full`. False when it is to stop, or a cap of the relay's is
        used up."""
        limits = self._limits(domain)
        return not limits or bool(self.domain_full(domain)) or self._wait(domain, limits)

    def _wait(self, domain: str, limits: Mapping[str, Limits]) -> bool:
        tries = 0
        while tries < TRIES:
            due = self._dues(limits)
            if self.full_until is not None:
                return False
            if due is None:
                self._rest_until(self._room_at or self.world.now())
                if self.world.stopping():
                    return False
                continue
            tries += 1
            until = max((moment for moment in due if moment), default=None)
            if until is None or domain in self._full or self._rest_until(until):
                return True
            if self.world.stopping():
                return False
        return True

    def _dues(self, limits: Mapping[str, Limits]) -> list[datetime | None] | None:
        """The moments reserved for one mail, the relay's first; None when it has no room now."""
        due: list[datetime | None] = []
        for key, each in limits.items():
            due.append(self._due(key, each))
            if due[0] is None and key.startswith("relay:"):
                return None
        return due

    def _rest_until(self, until: datetime) -> bool:
        """Whether that moment was met: False when it was missed, or somebody asked to stop."""
        while (left := (until - self.world.now()).total_seconds()) > 0:
            if self.world.stopping():
                return False
            self.world.rest(min(left, NAP_S))
        return -left <= MISSED_S

    def domain_full(self, domain: str) -> datetime | None:
        """Until when a cap of that domain's is used up; None when mail to it may leave."""
        until = self._full.get(domain)
        if until is not None and until <= self.world.now():
            self._full.pop(domain, None)
            return None
        return until

    def look_again(self) -> None:
        """Ask the store anew whether anybody was told to slow down: with each page of rows."""
        with self._lock:
            self._slowed = self._free = None
            self._kept.clear()

    def slow_down(self, key: str, per_second: float) -> None:
        """Act on a relay's or a domain's "slower"."""
        self.store.slow_down(key, per_second, self.world.now())
        with self._lock:
            self._slots.pop(key, None)
            self._slowed = self._free = None
            self._kept.clear()

    def _limits(self, domain: str) -> Mapping[str, Limits]:
        limits = self._kept.get(domain)
        if limits is None:
            with self._lock:  # kept before anybody slower is told of, or made anew after that
                limits = self._kept[domain] = self._kept_to(domain)
        return limits

    def _kept_to(self, domain: str) -> Mapping[str, Limits]:
        """The limits that a mail to this domain has to keep. Under the lock."""
        keys = {
            f"relay:{self.relay.name}": self.relay.limits,
            f"domain:{domain}": self.relay.domains.get(domain, FREE),
        }
        slowed = self._keys_slowed()
        return {key: limits for key, limits in keys.items() if limits.any or key in slowed}

    def _keys_slowed(self) -> frozenset[str]:
        """Which of this relay's and of all domains' keys are slowed down. Under the lock."""
        if self._slowed is None:
            ours = f"relay:{self.relay.name}"
            found = self.store.slowed(self.world.now())
            self._slowed = frozenset(key for key in found if key == ours or key[:7] == "domain:")
        return self._slowed

    def _due(self, key: str, limits: Limits) -> datetime | None:
        """The moment reserved for one mail, None when a cap is used up."""
        with self._lock:
            slots = self._slots.setdefault(key, deque())
            now = self.world.now()
            while slots and slots[0] < now - STALE:
                slots.popleft()
            if not slots:
                self._reserve(key, limits, now)
            return slots.popleft() if slots else None

    def _reserve(self, key: str, limits: Limits, now: datetime) -> None:
        wanted = max(1, int((limits.per_second or 1) * AHEAD_S))
        got = self.store.reserve(key, limits, wanted, now)
        kind, _, domain = key.partition(":")
        if not got.count and kind == "domain":
            self._full[domain] = got.first
        elif not got.count and got.first - now <= SOON:
            self._room_at = got.first
        elif not got.count:
            self.full_until = got.first
        self._slots[key].extend(got.first + got.step * number for number in range(got.count))
