"""The ways out: a relay, and how much it may be asked to take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from newsletter.model.signing import DkimKey


class Tls(StrEnum):
    """How the connection to a relay is protected (RFC 8314, RFC 3207)."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """How a new sender is made known: so many mails on the first day, each day `growth` times more,
    until the daily limit is reached or, without one, for thirty days."""

    start: date
    first_per_day: int = 50
    growth: float = 1.5

    def per_day(self, day: date) -> int | None:
        """The most for that day, None before it begins and once it is over."""
        days = (day - self.start).days
        return round(self.first_per_day * self.growth**days) if 0 <= days < 30 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many mails may leave, None for as many as one likes; all of them hold at once. A minute,
    an hour and a day are the last 60 seconds, 60 minutes and 24 hours."""

    per_second: float | None = None
    per_minute: int | None = None
    per_hour: int | None = None
    per_day: int | None = None
    warm_up: WarmUp | None = None

    @property
    def any(self) -> bool:
        """Whether there is anything to hold to."""
        caps = (self.per_second, self.per_minute, self.per_hour, self.per_day, self.warm_up)
        return any(cap is not None for cap in caps)

    def caps(self, day: date) -> dict[timedelta, int]:
        """The most within each span of time, on that day."""
        warm = self.warm_up.per_day(day) if self.warm_up else None
        days = [cap for cap in (self.per_day, warm) if cap is not None]
        named = {
            timedelta(minutes=1): self.per_minute,
            timedelta(hours=1): self.per_hour,
            timedelta(days=1): min(days) if days else None,
        }
        return {span: cap for span, cap in named.items() if cap is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When mail may leave, on the clock of the letter's zone. Quiet from `quiet_from` to
    `quiet_until`, over midnight if that is earlier; on `weekdays` only (0 is Monday)."""

    zone: ZoneInfo
    quiet_from: time | None = None
    quiet_until: time | None = None
    weekdays: frozenset[int] = frozenset(range(7))

    def opens(self, now: datetime) -> datetime | None:
        """The next moment when mail may leave, None when that is now. To the minute."""
        local = now.astimezone(self.zone)
        if self._open(local):
            return None
        minute = local.replace(second=0, microsecond=0)
        steps = (minute + timedelta(minutes=count) for count in range(1, 8 * 24 * 60))
        return next((step for step in steps if self._open(step)), minute + timedelta(days=8))

    def _open(self, local: datetime) -> bool:
        if local.weekday() not in self.weekdays:
            return False
        if self.quiet_from is None or self.quiet_until is None:
            return True
        clock = local.time().replace(second=0, microsecond=0)
        if self.quiet_from <= self.quiet_until:
            return not self.quiet_from <= clock < self.quiet_until
        return self.quiet_until <= clock < self.quiet_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where mail leaves. `kind` is smtp, lmtp, sendmail, inbox, file or maildir; `password` never
    shows in repr.

    `folder` receives what the last three take, `program` is what sendmail runs; the `host` of lmtp
    may be the path of a socket. `tls` NONE is for loopback only.
    `connections` is how many lines are open at once when there is mail enough for them, `depth` how
    many mails may be under way on one where the relay offers CHUNKING. `limits` hold for all that
    leaves by it, `domains` for all that goes to one recipient domain. `headers` go into every mail
    ("{issue}" is the issue's name), `dkim` signs it; `replaces` are fields that the relay writes
    anew, `once` is the field by which it takes a mail only once, for `once_for_h` hours.
    `weight` is its share among the relays that go together, 0 for a standby, None for a relay that
    goes alone. `timeout_s` is how long it may take over anything but the final dot
    (RFC 5321 4.5.3.2); `reports` asks it for reports of failure (RFC 3461).
    """

    name: str
    kind: str
    host: str = "127.0.0.1"
    port: int = 0
    tls: Tls = Tls.NONE
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    folder: Path | None = None
    timeout_s: float = 300.0
    mails_per_connection: int = 100
    connections: int = 1
    weight: int | None = None
    depth: int = 1
    dkim: tuple[DkimKey, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    replaces: tuple[str, ...] = ()
    once: str = ""
    reports: bool = False
    once_for_h: int = 0
    program: str = "/usr/sbin/sendmail"
    limits: Limits = Limits()
    domains: Mapping[str, Limits] = field(default_factory=dict)

    @property
    def reaches_people(self) -> bool:
        """Whether mail may leave this machine by it. A server on loopback may pass it on, but it is
        what one tries things with."""
        return self.kind == "sendmail" or (
            self.kind in ("smtp", "lmtp") and not self.host.startswith("/") and not self.on_loopback
        )

    @property
    def local(self) -> bool:
        """Whether mail ends in a folder of this machine: such a send is a try, and no reader has
        got anything by it."""
        return self.kind in ("inbox", "file", "maildir")

    @property
    def on_loopback(self) -> bool:
        return self.host in ("127.0.0.1", "localhost", "::1")

    @property
    def place(self) -> str:
        """Where that is, in words."""
        match self.kind:
            case "inbox":
                return "the inbox on this machine"
            case "sendmail":
                return f"the program {self.program}"
            case "file" | "maildir":
                return f"the folder {self.folder}"
        return self.host if self.host.startswith("/") else f"{self.host}:{self.port}"
