"""What people type on the command line -> a share of the audience, a span, a moment."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click

from newsletter.articles.dates import parse_date
from newsletter.errors import UsageError

SPAN = re.compile(r"\+?(\d+)\s*([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
CLOCK = re.compile(r"(\d{1,2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Share:
    """A part of an audience: a number of people, or a percentage of them."""

    number: float
    percent: bool

    def of(self, recipients: int) -> int:
        """How many people that is: at least one, and never everybody but for a single reader."""
        count = math.ceil(recipients * self.number / 100) if self.percent else int(self.number)
        return max(1, min(count, recipients - 1))


def share(text: str) -> Share:
    """`1%` or `50`. Raises BadParameter for anything else."""
    number, percent, rest = text.strip().partition("%")
    try:
        found = Share(float(number) if percent else int(number), bool(percent))
    except ValueError:
        found = Share(0, percent=False)
    if rest or not found.number > 0 or (found.percent and found.number >= 100):
        raise click.BadParameter(f"{text!r} is neither a share such as 1% nor a number such as 50")
    return found


def span(text: str) -> timedelta:
    """`90s`, `10m`, `2h`, `3d`. Raises BadParameter for anything else."""
    found = SPAN.fullmatch(text.strip())
    if found is None:
        raise click.BadParameter(f"{text!r} is no span of time; write one such as 10m or 2h")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def moment(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment that is meant: a date and time, `18:30` for the next one on the clock, or `+2h`.
    In the letter's zone. Raises UsageError for anything else and for what is over."""
    if SPAN.fullmatch(text.strip()) and text.strip().startswith("+"):
        return now + span(text)
    if clock := CLOCK.fullmatch(text.strip()):
        return _next_on_the_clock(int(clock[1]), int(clock[2]), now.astimezone(zone))
    found = parse_date(text, zone)
    if found is None:
        raise UsageError(f"{text!r} is no time", hint="write one such as 2026-11-29 08:00, or +2h")
    if found <= now:
        raise UsageError(f"{found:%d %b %Y %H:%M} is over", hint="without --at it is sent now")
    return found


def _next_on_the_clock(hour: int, minute: int, local: datetime) -> datetime:
    if hour > 23 or minute > 59:
        raise UsageError(f"{hour}:{minute:02} is no time of day")
    today = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today > local else today + timedelta(days=1)
