"""What is told of a whole send, without naming anybody: its turns, and counts over its ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsletter.model.ledger import DeliveryState
from newsletter.model.mail import Reply


class TurnKind(StrEnum):
    """What happened to a send. HELD until somebody resumes it, WAITING until a time; SLOWED by a
    relay's or a domain's "slower"; BROKEN_OFF by an error; TAKEN_OVER from a sender that died.
    FAILED_OVER from a relay to others; OFFERED_AGAIN to the relay that may have it already."""

    SCHEDULED = "scheduled"
    FROZEN = "frozen"
    SENDING = "sending"
    TAKEN_OVER = "taken over"
    PAUSED = "paused"
    HELD = "held"
    WAITING = "waiting"
    WIDENED = "widened"
    SLOWED = "slowed"
    FAILED_OVER = "failed over"
    BROKEN_OFF = "broken off"
    REOPENED = "reopened"
    OFFERED_AGAIN = "offered again"
    CANCELLED = "cancelled"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One of them. `why` is the reason, the key that was SLOWED ("relay:main",
    "domain:example.com") or the state that was REOPENED; `until` is when it ends by itself;
    `number` is how many recipients (in doubt, if it was TAKEN_OVER), or mails a second. `relay` is
    the one it is about, `goes_on_by` those that take its rows. `id` grows with time."""

    kind: TurnKind
    at: datetime
    why: str = ""
    until: datetime | None = None
    number: float | None = None
    relay: str = ""
    goes_on_by: tuple[str, ...] = ()
    id: int = 0


@dataclass(frozen=True, slots=True)
class DomainTally:
    """How many recipients of one domain are in one state."""

    domain: str
    state: DeliveryState
    count: int


@dataclass(frozen=True, slots=True)
class ReplyTally:
    """How many rows have one state, reason and answer: the addressee and their domain are left out
    of the text. The text of a yes is left out altogether."""

    state: DeliveryState
    reason: str
    reply: Reply | None
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """That one person was refused an issue for good, why and when."""

    slug: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Beat:
    """How many rows came into a state within one step of time that began `at`."""

    at: datetime
    state: DeliveryState
    count: int
