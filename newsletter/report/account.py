"""The account of one send: everything its report tells, gathered from the store.

The store is asked for counts only; small domains, which may be one person's own, are told together.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from newsletter.delivery.replies import ReplyGroup, groups
from newsletter.model import Beat, DeliveryState, DomainTally, ReplyTally, SendEntry, Turn, TurnKind
from newsletter.report.course import Course, course, step_for
from newsletter.store import Store

FEWEST = 5
MOST_DOMAINS = 12
OTHERS = "others"
FINE = timedelta(seconds=1)
MOST_BEATS = 300
SLOWEST = timedelta(days=30)
SMALL = "a small domain"
NAME = re.compile(r"[\w-]+(?:\.[\w-]+)+")
ANSWERED = (
    DeliveryState.ACCEPTED,
    DeliveryState.DEFERRED,
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
)
OPEN = (DeliveryState.PENDING, DeliveryState.CLAIMED)


@dataclass(frozen=True, slots=True)
class DomainRow:
    """One domain, or `together` several small ones under the name "others"."""

    name: str
    counts: Mapping[DeliveryState, int]
    together: int = 1

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What became of one send. `progress` counts its rows by state, `relays` those that were
    offered to each relay last, `skipped` those that were not mailed by reason;
    `afterwards` is what those who got it did since; `beats` are `step` long."""

    entry: SendEntry
    progress: Counter[DeliveryState]
    relays: Mapping[str, Counter[DeliveryState]]
    skipped: Counter[str]
    domains: tuple[DomainRow, ...]
    groups: tuple[ReplyGroup, ...]
    turns: tuple[Turn, ...]
    course: Course
    beats: tuple[Beat, ...]
    step: timedelta
    afterwards: Counter[str]

    @property
    def answered(self) -> int:
        """How many recipients have had an answer, or are in doubt."""
        return sum(self.progress[state] for state in ANSWERED)

    @property
    def left(self) -> int:
        return sum(self.progress[state] for state in OPEN)

    @property
    def mailed(self) -> int:
        """How many were to get it and were not skipped after all."""
        return self.answered + self.left

    @property
    def per_second(self) -> float | None:
        """The mean pace while it was at work."""
        seconds = self.course.lasts_s
        return self.answered / seconds if seconds and self.answered else None


def account(store: Store, entry: SendEntry) -> Account:
    """The account of the send as the ledger is now. Some passes over its rows, no row in memory."""
    tallies = [t for t in store.by_domain(entry.id) if t.state is not DeliveryState.SKIPPED]
    small = _small(tallies)
    turns = [_impersonal(turn, small) for turn in store.turns(entry.id)]
    answers = store.by_reply(entry.id)
    run = course(turns, _times(store, entry.id, turns, answers))
    step, beats = _beats(store, entry.id, run.lasts_s)
    return Account(
        entry=entry,
        progress=store.progress(entry.id),
        relays=store.by_relay(entry.id),
        skipped=store.reasons(entry.id),
        domains=tuple(_rows(tallies, small)),
        groups=tuple(_nameless(group, small) for group in groups(answers)),
        turns=tuple(turns),
        course=run,
        beats=tuple(beats),
        step=step,
        afterwards=+store.afterwards(entry.id),
    )


def _times(
    store: Store, send_id: int, turns: Iterable[Turn], answers: Iterable[ReplyTally]
) -> list[datetime]:
    """When answers came: the first and the last, and when a sender died, those in between."""
    found = sorted(at for answer in answers for at in (answer.first_at, answer.last_at))
    if any(turn.kind is TurnKind.TAKEN_OVER for turn in turns):
        found = sorted([*found, *(beat.at for beat in store.over_time(send_id, FINE))])
    return found


def _beats(store: Store, send_id: int, lasts_s: float) -> tuple[timedelta, list[Beat]]:
    """The answers over time in as many steps as a plot has room for, whatever the clocks said."""
    step = step_for(lasts_s)
    beats = store.over_time(send_id, step)
    while (count := len({beat.at for beat in beats})) > MOST_BEATS and step < SLOWEST:
        step = max(step * 2, step_for(count * step.total_seconds()))
        beats = store.over_time(send_id, step)
    return step, beats


def _small(tallies: Iterable[DomainTally]) -> frozenset[str]:
    """The domains with so few readers that their name may be one of them."""
    readers: Counter[str] = Counter()
    for tally in tallies:
        readers[tally.domain] += tally.count
    return frozenset(domain for domain, count in readers.items() if count < FEWEST)


def _rows(tallies: Iterable[DomainTally], small: frozenset[str]) -> Iterable[DomainRow]:
    counts: dict[str, Counter[DeliveryState]] = {}
    for tally in tallies:
        counts.setdefault(tally.domain, Counter())[tally.state] += tally.count
    big = sorted(
        (DomainRow(name, each) for name, each in counts.items() if name not in small),
        key=lambda row: (-row.total, row.name),
    )
    yield from big[:MOST_DOMAINS]
    rest: Counter[DeliveryState] = Counter()
    others = [*(row.name for row in big[MOST_DOMAINS:]), *small]
    for name in others:
        rest += counts[name]
    if others:
        yield DomainRow(OTHERS, rest, len(others))


def _impersonal(turn: Turn, small: frozenset[str]) -> Turn:
    """The turn without the name of a small domain."""
    if turn.kind is TurnKind.SLOWED:
        kind, _, name = turn.why.partition(":")
        return replace(turn, why=SMALL if kind == "domain" and name in small else name)
    return replace(turn, why=without(small, turn.why))


def _nameless(group: ReplyGroup, small: frozenset[str]) -> ReplyGroup:
    reply = group.reply
    said = reply._replace(text=without(small, reply.text)) if reply else None
    return replace(group, reason=without(small, group.reason), reply=said)


def without(small: frozenset[str], text: str) -> str:
    """The text without the names of those domains."""
    return NAME.sub(lambda m: "<domain>" if m[0].lower() in small else m[0], text)
