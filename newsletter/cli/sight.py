"""What is to be seen of a send at one moment, from within or from another process.

Rows as they are answered, or counts of the ledger, enter; a Sight leaves. Knows no terminal and
names nobody.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nlargest

from newsletter.delivery.replies import fold
from newsletter.model import Delivery, DeliveryState, Limits, Reply, Send, SendState, Turn, TurnKind
from newsletter.store import Store

LOOK_EVERY_S = 1.0
RATE_OVER_S = 15.0
TOP = 5
DOMAIN_RESTS = 20
WAITING = frozenset({DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.SKIPPED})
NOT_THE_LAST = (DeliveryState.DEFERRED, DeliveryState.UNKNOWN)
STUMBLED = (DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One look. `counts` holds the answered rows by state; `per_second` is None until two looks
    can be compared; `domains` are the biggest, each with its answered rows; `answer` is the last
    one, folded, `answered_s` ago; `slowed` maps a key to the pace it is slowed down to."""

    slug: str
    state: SendState
    total: int
    counts: Mapping[DeliveryState, int]
    per_second: float | None = None
    most_per_second: float | None = None
    domains: tuple[tuple[str, int], ...] = ()
    answer: str = ""
    answered_s: float = 0.0
    slowed: Mapping[str, float] = field(default_factory=dict)
    turns: tuple[Turn, ...] = ()

    @property
    def done(self) -> int:
        return sum(self.counts.values())

    @property
    def left_s(self) -> float | None:
        """How long it still takes at this pace; None when nobody can tell."""
        if not self.per_second or self.state.over:
            return None
        return max(self.total - self.done, 0) / self.per_second

    @property
    def throttled(self) -> int:
        """How often a relay or a domain asked for a slower pace."""
        return sum(turn.kind is TurnKind.SLOWED for turn in self.turns)


@dataclass(slots=True)
class Speed:
    """Rows a second over the last moments."""

    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def at(self, now_s: float, done: int) -> float | None:
        """The speed, now that so many are done."""
        self._marks.append((now_s, done))
        while len(self._marks) > 2 and now_s - self._marks[0][0] > RATE_OVER_S:
            self._marks.popleft()
        since_s, before = self._marks[0]
        return max(done - before, 0) / (now_s - since_s) if now_s > since_s else None


@dataclass(slots=True)
class Ticker:
    """The turns of a send since one of them, and the paces they led to, asked for once a second."""

    store: Store
    send_id: int
    turns: list[Turn] = field(default_factory=list)
    after: int = 0
    slowed: dict[str, float] = field(default_factory=dict)
    _next_s: float = 0.0

    def look(self, now: datetime, *, at_once: bool = False) -> None:
        """Ask the store, unless it was asked just now."""
        if not at_once and time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + LOOK_EVERY_S
        for turn in self.store.turns(self.send_id, self.after):
            self.turns.append(turn)
            self.after = turn.id
        keys = {turn.why for turn in self.turns if turn.kind is TurnKind.SLOWED}
        paces = self.store.slowed(now)
        self.slowed = {key: paces[key] for key in sorted(keys & paces.keys())}


class Count:
    """The rows of one run, counted as they come: `take` costs half a microsecond, since a mail
    costs a hundred. Another thread may look."""

    def __init__(self, store: Store, send: Send, limits: Limits) -> None:
        progress = store.progress(send.id)
        self.send, self.limits = send, limits
        self.counts: dict[DeliveryState, int] = {state: progress[state] for state in DeliveryState}
        # Those with an answer that is not the last: the next one takes them out of that count.
        self.later = {
            row.subscriber_id: state
            for state in NOT_THE_LAST
            for row in (store.deliveries(send.id, state) if progress[state] else ())
        }
        self.domains: dict[str, int] = {}
        self.last: Delivery | None = None
        self._seen: Delivery | None = None
        self._seen_s = time.monotonic()
        self.speed = Speed()
        self.ticker = Ticker(store, send.id)
        before = store.turns(send.id)
        self.ticker.after = before[-1].id if before else 0

    def take(self, row: Delivery) -> None:
        """Count one row."""
        state, domains, later = row.state, self.domains, self.later
        domain = row.address.rpartition("@")[2]
        domains[domain] = domains.get(domain, 0) + 1
        counts = self.counts
        counts[state] += 1
        if later and row.subscriber_id in later:
            counts[later.pop(row.subscriber_id)] -= 1
        if state is not DeliveryState.ACCEPTED and state in NOT_THE_LAST:
            later[row.subscriber_id] = state
        self.last = row

    def sight(self, now: datetime, *, at_once: bool = False) -> Sight:
        """What is to be seen now; `at_once` asks the store whatever it was asked before."""
        self.ticker.look(now, at_once=at_once)
        answered = {key: n for key, n in self.counts.copy().items() if key not in WAITING}
        # Skipped while it ran: nobody answered, and nobody waits for it either.
        skipped = self.counts[DeliveryState.SKIPPED] - (self.send.candidates - self.send.recipients)
        last = self.last
        return Sight(
            slug=self.send.slug,
            state=SendState.SENDING,
            total=self.send.recipients - max(skipped, 0),
            counts=answered,
            per_second=self.speed.at(time.monotonic(), sum(answered.values())),
            most_per_second=self.limits.per_second,
            domains=tuple(nlargest(TOP, self.domains.copy().items(), key=lambda pair: pair[1])),
            answer=said(last.reply) if last else "",
            slowed=self.ticker.slowed,
            turns=tuple(self.ticker.turns),
            answered_s=self._since(last),
        )

    def _since(self, last: Delivery | None) -> float:
        """Seconds since the last row was another one."""
        if last is not self._seen:
            self._seen, self._seen_s = last, time.monotonic()
        return time.monotonic() - self._seen_s


@dataclass(slots=True)
class Watch:
    """A send as the ledger shows it, whoever sends. A look is a pass or two over its rows; to sort
    them by domain takes longer, and is done the less often."""

    store: Store
    send: Send
    limits: Limits
    speed: Speed = field(default_factory=Speed)
    ticker: Ticker = field(init=False)
    _domains: tuple[tuple[str, int], ...] = ()
    _again_s: float = 0.0

    def __post_init__(self) -> None:
        self.ticker = Ticker(self.store, self.send.id)

    def sight(self, now: datetime) -> Sight:
        """What is to be seen now."""
        [entry] = [row for row in self.store.entries(self.send.slug) if row.id == self.send.id]
        progress = self.store.progress(self.send.id)
        counts = {state: count for state, count in progress.items() if state not in WAITING}
        last = self.store.last_answer(self.send.id)
        self.ticker.look(now, at_once=True)
        self._look_at_domains()
        return Sight(
            slug=entry.slug,
            state=entry.state,
            total=entry.candidates - progress[DeliveryState.SKIPPED],
            counts=counts,
            per_second=self.speed.at(time.monotonic(), sum(counts.values())),
            most_per_second=self.limits.per_second,
            domains=self._domains,
            answer=said(last[1]) if last else "",
            answered_s=max((now - last[0]).total_seconds(), 0.0) if last else 0.0,
            slowed=self.ticker.slowed,
            turns=tuple(self.ticker.turns),
        )

    def _look_at_domains(self) -> None:
        started_s = time.monotonic()
        if started_s < self._again_s:
            return
        counts: Counter[str] = Counter()
        for tally in self.store.by_domain(self.send.id):
            if tally.state not in WAITING:
                counts[tally.domain] += tally.count
        self._domains = tuple(counts.most_common(TOP))
        cost_s = time.monotonic() - started_s
        self._again_s = time.monotonic() + DOMAIN_RESTS * cost_s


def said(reply: Reply | None) -> str:
    """An answer, without what is somebody's own in it."""
    if reply is None:
        return ""
    return " ".join(word for word in (str(reply.code), reply.status, fold(reply.text)) if word)
