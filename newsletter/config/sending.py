"""[send] and the limits of a relay: how careful a send is, and how fast."""

from __future__ import annotations

from datetime import date, time
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from newsletter.config.table import Table
from newsletter.model import Hours, Limits, WarmUp

WEEKDAYS: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = (
    *("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
)


class WarmUpTable(Table):
    """warm_up = { start = 2026-11-22 }: a new sender made known day by day."""

    start: date
    first_per_day: int = Field(default=50, ge=1)
    growth: float = Field(default=1.5, ge=1)


class LimitsTable(Table):
    """How many mails may leave; all of them hold at once."""

    per_second: float | None = Field(default=None, gt=0)
    per_minute: int | None = Field(default=None, ge=1)
    per_hour: int | None = Field(default=None, ge=1)
    per_day: int | None = Field(default=None, ge=1)
    warm_up: WarmUpTable | None = None

    def limits(self) -> Limits:
        """The same as a noun."""
        warm_up = WarmUp(**self.warm_up.model_dump()) if self.warm_up else None
        return Limits(
            per_second=self.per_second,
            per_minute=self.per_minute,
            per_hour=self.per_hour,
            per_day=self.per_day,
            warm_up=warm_up,
        )


class SendTable(Table):
    """[send]: how careful a send is."""

    canary_watch_s: float = Field(
        default=600.0, ge=0, description="how long a canary is watched before all others"
    )
    canary_failures: float = Field(
        default=0.05, ge=0, lt=1, description="the share of a canary that may go badly"
    )
    quiet_hours: str | None = Field(
        default=None,
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        description="when nothing leaves, such as 21:00-08:00 in the letter's time zone",
    )
    weekdays: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(
        default_factory=lambda: [*WEEKDAYS], min_length=1, description="when mail may leave"
    )

    def hours(self, zone: ZoneInfo) -> Hours:
        """The same as a noun."""
        first, _, last = (self.quiet_hours or "").partition("-")
        return Hours(
            zone=zone,
            quiet_from=time.fromisoformat(first) if first else None,
            quiet_until=time.fromisoformat(last) if last else None,
            weekdays=frozenset(WEEKDAYS.index(day) for day in self.weekdays),
        )
