"""One send and its deliveries: what the ledger holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from newsletter.model.mail import Email, Reply
from newsletter.model.publication import Letterhead


class SendState(StrEnum):
    """preparing -> frozen -> sending <-> paused -> done | cancelled (platforms 2.14).

    PREPARING has its content and waits for its time to freeze its audience."""

    PREPARING = "preparing"
    FROZEN = "frozen"
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing more leaves, unless somebody asks for a retry."""
        return self in (SendState.DONE, SendState.CANCELLED)


class DeliveryState(StrEnum):
    """What the ledger says of one recipient. ACCEPTED means the relay took responsibility
    (RFC 5321 2.1), not that anyone received it; UNKNOWN means only the relay can tell."""

    PENDING = "pending"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"

    __hash__ = str.__hash__  # an enumeration's own is a call of Python


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the frozen bytes came from: the git commit ("" outside git) and whether the tree was
    dirty."""

    commit: str = ""
    dirty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One decision to mail one frozen Email to one frozen audience.

    `not_before` is when it may go on; `hold` is why it must not go on by itself, or empty;
    `canary` is how many try it first, and until `widened` it goes to no others. A `local` one ends
    in a folder of this machine."""

    id: int
    slug: str
    state: SendState
    email: Email
    content_hash: str
    origin: Origin
    letterhead: Letterhead
    relay: str
    candidates: int
    recipients: int
    frozen_at: datetime
    finished_at: datetime | None = None
    not_before: datetime | None = None
    hold: str = ""
    local: bool = False
    canary: int = 0
    widened: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SendEntry:
    """A send as a list shows it: without the Email, which may carry megabytes. `subject` is as
    somebody without a name gets it."""

    id: int
    slug: str
    state: SendState
    subject: str
    content_hash: str
    origin: Origin
    relay: str
    candidates: int
    recipients: int
    frozen_at: datetime
    finished_at: datetime | None = None
    not_before: datetime | None = None
    hold: str = ""
    local: bool = False


class Offer(NamedTuple):
    """By which relay a mail is about to leave, and under which Message-ID."""

    relay: str = ""
    message_id: str = ""


NO_OFFER = Offer()
# As `Offer(...)` of a tuple. The constructor of a NamedTuple is a call of Python, this is none.
offer_of = partial(tuple.__new__, Offer)


class Delivery(NamedTuple):
    """One Email to one person: a row of the ledger. `reply` is the last answer of the relay,
    `deferrals` how often it said "later"; `attempts` counts claims, offered to a relay or not.
    `relay` is the one it was offered to last, empty when it was to none or nobody can tell."""

    send_id: int
    subscriber_id: int
    address: str
    name: str
    state: DeliveryState
    fields: Mapping[str, str] = MappingProxyType({})
    reason: str = ""
    attempts: int = 0
    deferrals: int = 0
    message_id: str = ""
    relay: str = ""
    reply: Reply | None = None
    next_at: datetime | None = None
    updated_at: datetime | None = None


# As `Delivery(...)` of a tuple with all its fields in order.
row_of = partial(tuple.__new__, Delivery)
