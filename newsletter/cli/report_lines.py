"""An Account in some lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from textwrap import wrap
from zoneinfo import ZoneInfo

from newsletter.model import DeliveryState, TurnKind
from newsletter.report.account import ANSWERED, Account
from newsletter.report.course import BEATS
from newsletter.report.words import duration, percent, rate, times

BARS = "▁▂▃▄▅▆▇█"
BLOCK = "▇"
WIDEST = 40
MOST_DOMAINS = 6
MOST_GROUPS = 8
LABEL = 12
WIDTH = 86


def lines(each: Account, zone: ZoneInfo) -> str:
    """The account, a subject in each line."""
    return "\n".join(_lines(each, zone))


def _lines(each: Account, zone: ZoneInfo) -> Iterator[str]:
    entry = each.entry
    frozen = f"{entry.frozen_at.astimezone(zone):%d %b %Y %H:%M}"
    yield f"{entry.slug}   {entry.state.value}   {entry.subject}"
    yield _line("counts", _counts(each))
    took = f"{duration(each.course.lasts_s)}"
    pace = f" at {rate(each.per_second)}/s" if each.per_second else ""
    yield _line("took", f"{took}{pace}   frozen {frozen}   by {entry.relay}")
    yield from _rests(each, zone)
    yield from _relays(each, zone)
    if each.afterwards:
        since = "   ".join(f"{what} {count:,}" for what, count in each.afterwards.items())
        yield _line("since then", since)
    if each.domains:
        yield _line("by domain", _domains(each))
    if each.beats:
        yield _line("over time", sparkline(each) + _throttled(each))
    yield from _answers(each)
    if each.skipped:
        reasons = (f"{count:,} {reason}" for reason, count in each.skipped.most_common())
        yield _line("not mailed", "   ".join(reasons))


def _line(label: str, text: str) -> str:
    return f"{label:<{LABEL}}{text}"


def _counts(each: Account) -> str:
    accepted = each.progress[DeliveryState.ACCEPTED]
    words = [f"accepted {accepted:,} of {each.mailed:,} ({percent(accepted, each.mailed)})"]
    words += [f"{state.value} {each.progress[state]:,}" for state in ANSWERED[1:]]
    if each.left:
        words.append(f"not yet sent {each.left:,}")
    return "   ".join(words)


def _rests(each: Account, zone: ZoneInfo) -> Iterator[str]:
    for rest in each.course.rests:
        start = rest.start.astimezone(zone)
        if rest.lasts_s is None:
            yield _line("resting", f"since {start:%d %b %H:%M}: {rest.why}")
        else:
            yield _line("rested", f"{duration(rest.lasts_s)} from {start:%d %b %H:%M}: {rest.why}")


def _relays(each: Account, zone: ZoneInfo) -> Iterator[str]:
    """Which relays took part, when there were several, and when one was left for another."""
    if len(each.relays) > 1:
        named = (f"{name} {counts.total():,}" for name, counts in sorted(each.relays.items()))
        yield _line("by relay", "   ".join(named))
    for turn in each.turns:
        if turn.kind is TurnKind.FAILED_OVER:
            at = f"{turn.at.astimezone(zone):%d %b %H:%M}"
            others = ", ".join(turn.goes_on_by)
            yield _line("failed over", f"{at} from {turn.relay} to {others}: {turn.why}")


def _domains(each: Account) -> str:
    most = max(row.total for row in each.domains)
    shown = [row for row in each.domains if row.together == 1][:MOST_DOMAINS]
    words = [
        f"{row.name} {row.total:,} {BLOCK * max(1, round(8 * row.total / most))}" for row in shown
    ]
    if others := sum(row.total for row in each.domains) - sum(row.total for row in shown):
        words.append(f"{others:,} others")
    return "   ".join(words)


def sparkline(each: Account) -> str:
    """The answers over time, a sign each; long rests are left out."""
    totals: dict[datetime, int] = {}
    for beat in each.beats:
        totals[beat.at] = totals.get(beat.at, 0) + beat.count
    counts = list(totals.values())
    width = max(1, -(-len(counts) // min(WIDEST, BEATS)))
    sums = [sum(counts[at : at + width]) for at in range(0, len(counts), width)]
    most = max(sums)
    return "".join(
        BARS[min(len(BARS) - 1, len(BARS) * each_sum // (most + 1))] for each_sum in sums
    )


def _throttled(each: Account) -> str:
    return f"   slowed down {times(len(each.course.slower))}" if each.course.slower else ""


def _answers(each: Account) -> Iterator[str]:
    """What was answered to whom who did not get it, with what it means."""
    bad = [group for group in each.groups if group.state is not DeliveryState.ACCEPTED]
    for group in bad[:MOST_GROUPS]:
        reply = group.reply
        said = f"{reply.code} {reply.status} {reply.text}" if reply else group.reason
        yield _line(group.state.value, f"{group.count:,} × {' '.join(said.split())}")
        advice = f"{group.advice.means} {group.advice.todo}".replace("`", "")
        for words in wrap(advice.replace("ISSUE", each.entry.slug), WIDTH, break_on_hyphens=False):
            yield _line("", words)
    if len(bad) > MOST_GROUPS:
        yield _line("", f"and {len(bad) - MOST_GROUPS} other answers: see the page")
