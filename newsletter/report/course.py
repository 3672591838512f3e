"""The turns of a send -> when it was at work, and why it rested in between.

Turns and the beats of the ledger enter, a Course leaves. Knows no ledger and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from newsletter.model import Beat, Turn, TurnKind

STARTS = frozenset({TurnKind.SENDING, TurnKind.TAKEN_OVER})
STOPS = frozenset({TurnKind.PAUSED, TurnKind.HELD, TurnKind.DONE, TurnKind.CANCELLED})
EXPLAINS = (TurnKind.HELD, TurnKind.WAITING, TurnKind.BROKEN_OFF, TurnKind.CANCELLED)
# A rest shorter than this share of the work is drawn as it is; a longer one is cut out.
SHORT_REST = 0.12
MOST_STRETCHES = 8
STEPS_S = (
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
    43200,
)
BEATS = 90


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span of time, from `start` to `end`."""

    start: datetime
    end: datetime

    @property
    def lasts(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A span in which nothing left, and why; `end` is None while it lasts."""

    start: datetime
    end: datetime | None
    why: str

    @property
    def lasts_s(self) -> float | None:
        return None if self.end is None else (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """When mail left (`work`), when it rested, and when somebody asked for a slower pace."""

    work: tuple[Stretch, ...]
    rests: tuple[Rest, ...]
    slower: tuple[Turn, ...]

    @property
    def lasts_s(self) -> float:
        """Seconds at work."""
        return sum(stretch.lasts.total_seconds() for stretch in self.work)


def course(turns: Sequence[Turn], answered: Sequence[datetime]) -> Course:
    """The course of a send with answers at those times, oldest first (the first and the last will
    do for a send that nobody killed). A sender that was killed told of no end, and a send from
    before there were turns of nothing."""
    work: list[Stretch] = []
    begun: datetime | None = None
    for turn in turns:
        if begun is not None and turn.kind is TurnKind.TAKEN_OVER:
            last = max((at for at in answered if begun <= at < turn.at), default=begun)
            work.append(Stretch(begun, last))
            begun = None
        elif begun is not None and turn.kind in STOPS:
            work.append(Stretch(begun, max(turn.at, begun)))
            begun = None
        if turn.kind in STARTS and begun is None:
            begun = turn.at
    if begun is not None:
        work.append(Stretch(begun, max(*answered[-1:], begun, begun)))
    if not work and answered:
        work.append(Stretch(answered[0], answered[-1]))
    slower = tuple(turn for turn in turns if turn.kind is TurnKind.SLOWED)
    return Course(work=tuple(work), rests=_rests(work, turns), slower=slower)


def _rests(work: Sequence[Stretch], turns: Sequence[Turn]) -> tuple[Rest, ...]:
    found = [
        Rest(start=one.end, end=other.start, why=_why(turns, one.end, other.start))
        for one, other in pairwise(work)
        if other.start > one.end
    ]
    over = any(turn.kind in (TurnKind.DONE, TurnKind.CANCELLED) for turn in turns[-1:])
    stopped = any(turn.kind in STOPS for turn in turns)
    if work and stopped and not over and turns[-1].kind not in STARTS:
        found.append(Rest(start=work[-1].end, end=None, why=_why(turns, work[-1].end, None)))
    return tuple(found)


def _why(turns: Iterable[Turn], start: datetime, end: datetime | None) -> str:
    """What was told around that rest: what broke the run off was told just before it ended."""
    before = start - timedelta(seconds=5)
    near = [t for t in turns if before <= t.at and (end is None or t.at < end)]
    told = [turn for turn in near if turn.kind in EXPLAINS]
    if not told:
        died = any(turn.kind is TurnKind.TAKEN_OVER and turn.at == end for turn in turns)
        return "the sender died" if died else "some were told to come back later"
    best = max(told, key=lambda turn: (bool(turn.why), turn.at))
    return best.why or ("a limit, or the quiet hours" if best.until else best.kind.value)


def step_for(lasts_s: float) -> timedelta:
    """How long each bar of a plot stands for, so that there are about as many as fit."""
    wanted = lasts_s / BEATS
    return timedelta(seconds=next((step for step in STEPS_S if step >= wanted), STEPS_S[-1]))


def stretches(work: Iterable[Stretch], beats: Iterable[Beat], step: timedelta) -> list[Stretch]:
    """What is drawn: the work with short rests in it, long ones cut out, a few pieces at most."""
    spans = [*work, *(Stretch(beat.at, beat.at + step) for beat in beats)]
    pieces: list[Stretch] = []
    for span in sorted(spans, key=lambda span: span.start):
        if pieces and span.start <= pieces[-1].end + step:
            pieces[-1] = Stretch(pieces[-1].start, max(pieces[-1].end, span.end))
        else:
            pieces.append(span)
    whole = sum((piece.lasts for piece in pieces), timedelta())
    while len(pieces) > 1:
        gaps = [other.start - one.end for one, other in pairwise(pieces)]
        shortest = min(range(len(gaps)), key=gaps.__getitem__)
        if gaps[shortest] > whole * SHORT_REST and len(pieces) <= MOST_STRETCHES:
            break
        merged = Stretch(pieces[shortest].start, pieces[shortest + 1].end)
        pieces[shortest : shortest + 2] = [merged]
    return pieces
