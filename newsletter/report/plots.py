"""SVG, written by hand: how fast the mail left, and who answered how.

Numbers enter, markup leaves. Colours are classes of the page's style sheet; nothing is fetched and
nothing runs. Every mark has a title for whoever points at it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from newsletter.model import Beat, DeliveryState, Turn
from newsletter.report.account import ANSWERED
from newsletter.report.course import Stretch
from newsletter.report.words import duration, rate

WIDTH, HEIGHT = 760, 236
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 26, 30
CUT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """What the plot over time shows: the pieces of time that are drawn, the bars in them, the marks
    of slower paces, and the clock of the letter."""

    pieces: Sequence[Stretch]
    beats: Sequence[Beat]
    step: timedelta
    slower: Sequence[Turn]
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Scale:
    """Moments to x: pieces of time side by side, each as wide as it lasts, a cut between them."""

    pieces: Sequence[Stretch]

    @property
    def per_s(self) -> float:
        """Units of width for a second."""
        room = WIDTH - LEFT - RIGHT - CUT * (len(self.pieces) - 1)
        return room / max(sum(piece.lasts.total_seconds() for piece in self.pieces), 0.001)

    def starts(self) -> list[float]:
        """Where each piece begins."""
        found, at = [], float(LEFT)
        for piece in self.pieces:
            found.append(at)
            at += piece.lasts.total_seconds() * self.per_s + CUT
        return found

    def x(self, moment: datetime) -> float:
        """Where the moment is; one in a cut is at its edge."""
        at = float(LEFT)
        for piece, start in zip(self.pieces, self.starts(), strict=True):
            if moment < piece.start:
                return at
            inside = min(moment, piece.end) - piece.start
            at = start + inside.total_seconds() * self.per_s
        return at


def nice(most: float) -> float:
    """The next round number: 1, 2 or 5 times a power of ten."""
    if most <= 0:
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(most))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= most * 0.999)


def throughput(shown: Throughput) -> Markup:
    """Bars over time: rows answered a second, a colour for each state."""
    scale = Scale(shown.pieces)
    seconds = shown.step.total_seconds()
    bars: dict[datetime, Counter[DeliveryState]] = {}
    for beat in shown.beats:
        bars.setdefault(beat.at, Counter())[beat.state] += beat.count
    most = nice(max((bar.total() / seconds for bar in bars.values()), default=1))
    parts = [
        *_grid(most),
        *_cuts(scale),
        *(part for at, bar in bars.items() for part in _bar(shown, scale, (at, bar, most))),
        *_marks(shown, scale),
        *_clock(shown, scale),
    ]
    return Markup(
        '<svg class="plot" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">{parts}</svg>'
    ).format(w=WIDTH, h=HEIGHT, label=_label(shown, bars), parts=Markup("").join(parts))


def _label(shown: Throughput, bars: Mapping[datetime, Counter[DeliveryState]]) -> str:
    fastest = max((bar.total() / shown.step.total_seconds() for bar in bars.values()), default=0)
    return (
        f"Mails a second over time, each bar {duration(shown.step.total_seconds())}: "
        f"{rate(fastest)} a second at most; slowed down {len(shown.slower)} times"
    )


def _y(share: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)


def _grid(most: float) -> Iterator[Markup]:
    for share in (0.0, 0.5, 1.0):
        y = _y(share)
        yield Markup('<line class="grid" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/>').format(
            LEFT, WIDTH - RIGHT, y=y
        )
        label = f"{rate(most * share)}/s" if share else "0"
        yield Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
            LEFT - 6, y + 4, label
        )


def _cuts(scale: Scale) -> Iterator[Markup]:
    """Where the send rested for long: the time is left out, and said."""
    starts = scale.starts()[1:]
    for (one, other), start in zip(pairwise(scale.pieces), starts, strict=True):
        rested = duration((other.start - one.end).total_seconds())
        middle = start - CUT / 2
        yield Markup(
            '<g class="cut"><rect x="{:.1f}" y="{}" width="{}" height="{}"/>'
            '<text transform="translate({:.1f} {}) rotate(-90)" text-anchor="middle">{}</text>'
            "<title>rested for {}</title></g>"
        ).format(
            *(start - CUT + 3, TOP, CUT - 6, HEIGHT - TOP - BOTTOM),
            *(middle + 4, (TOP + HEIGHT - BOTTOM) / 2, rested, rested),
        )


def _bar(
    shown: Throughput, scale: Scale, bar: tuple[datetime, Counter[DeliveryState], float]
) -> Iterator[Markup]:
    at, counts, most = bar
    seconds = shown.step.total_seconds()
    left, right = scale.x(at), scale.x(at + shown.step)
    width = max(right - left - min(1.0, (right - left) / 5), 0.8)
    title = f"{at.astimezone(shown.zone):%H:%M:%S}: " + ", ".join(
        f"{counts[state]:,} {state.value}" for state in ANSWERED if counts[state]
    )
    below = 0.0
    yield Markup("<g><title>{}</title>").format(title)
    for state in ANSWERED:
        if not counts[state]:
            continue
        share = counts[state] / seconds / most
        top, bottom = _y(below + share), _y(below)
        below += share
        yield Markup(
            '<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>'
        ).format(state.value, left, top, width, max(bottom - top, 0.6))
    yield Markup("</g>")


def _marks(shown: Throughput, scale: Scale) -> Iterator[Markup]:
    """A triangle for each slower pace; those that would lie on each other are one."""
    last = -math.inf
    for turn in shown.slower:
        x = scale.x(turn.at)
        if x - last >= 4:
            last = x
            when = turn.at.astimezone(shown.zone)
            title = f"{when:%H:%M:%S}: {turn.why} slowed to {rate(turn.number or 0)}/s"
            yield Markup(
                '<path class="slower" d="M{:.1f} {} l5.5 -9 h-11 z"><title>{}</title></path>'
            ).format(x, TOP - 3, title)


def _clock(shown: Throughput, scale: Scale) -> Iterator[Markup]:
    """When each piece begins, and when the last one ends, as far as there is room."""
    days = {
        moment.astimezone(shown.zone).date() for p in shown.pieces for moment in (p.start, p.end)
    }
    form = "%d %b %H:%M" if len(days) > 1 else "%H:%M:%S"
    taken, last = -math.inf, WIDTH - RIGHT
    for piece, x in zip(shown.pieces, scale.starts(), strict=True):
        if x >= taken and x + 78 <= last - 78:
            taken = x + 84
            yield _tick(x, "start", f"{piece.start.astimezone(shown.zone):{form}}")
    if shown.pieces:
        yield _tick(last, "end", f"{shown.pieces[-1].end.astimezone(shown.zone):{form}}")


def _tick(x: float, anchor: str, text: str) -> Markup:
    return Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
        x, HEIGHT - 10, anchor, text
    )


def strip(counts: Mapping[DeliveryState, int], most: int) -> Markup:
    """One bar of the table by domain, as long as its share of the biggest."""
    parts, x = [], 0.0
    for state in (*ANSWERED, DeliveryState.PENDING, DeliveryState.CLAIMED):
        count = counts.get(state, 0)
        if not count:
            continue
        width = max(100 * count / max(most, 1), 0.6)
        parts.append(
            Markup('<rect class="{}" x="{:.2f}" y="0" width="{:.2f}" height="10"/>').format(
                escape(state.value), min(x, 100 - width), width
            )
        )
        x += width
    return Markup(
        '<svg class="strip" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        "{}</svg>"
    ).format(Markup("").join(parts))
