"""The store: who reads the letter, and what became of every mail.

A protocol of domain verbs. Every verb is one transaction; every time is aware UTC; every address
is as it is spoken to a relay and compared case-insensitively. The ledger is the source of truth:
each state is left only through a verb that names the state it leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from newsletter.model import (
    NO_OFFER,
    Beat,
    Delivery,
    DeliveryState,
    DomainTally,
    Email,
    Letterhead,
    Limits,
    NewSubscriber,
    Offer,
    Origin,
    Refusal,
    Reply,
    ReplyTally,
    Send,
    SendEntry,
    SendState,
    Subscriber,
    SubscriberStatus,
    Turn,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom a send is meant for: ACTIVE subscribers with `tag` (None: all of them) who have no
    earlier delivery of the same issue when `only_new`, the first `limit` of them. Of earlier sends
    only those count that stayed on this machine as this one does (`local`), or did not either."""

    tag: str | None = None
    only_new: bool = False
    limit: int | None = None
    local: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSend:
    """All that a send freezes. `canary` is how many people, chosen at random, it goes to before
    everybody else; `not_before` is when its audience is to be frozen, None for now; until
    `undo_until` nobody delivers it but who froze it."""

    email: Email
    origin: Origin
    letterhead: Letterhead
    relay: str
    audience: Audience = Audience()
    canary: int = 0
    not_before: datetime | None = None
    undo_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadCount:
    """The audience before it is frozen: candidates == recipients + sum(exclusions.values()).

    `exclusions` maps a reason ("unsubscribed", "suppressed: bounce", "pending confirmation",
    "not tagged vip", "already sent") to a number; `sample` is the first few addresses."""

    candidates: int
    recipients: int
    exclusions: Counter[str]
    sample: tuple[str, ...] = ()


class Merge(StrEnum):
    """What became of a person brought to `merge`."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept"  # suppressed or unsubscribed here: an import never moves anybody up


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the append-only log of consent: when, what ("active", "unsubscribed", ...) and
    by whose word (a consent source or a reason)."""

    at: datetime
    what: str
    source: str


@dataclass(frozen=True, slots=True)
class Slots:
    """`count` moments, one `step` apart; with none, `first` is when to ask again."""

    first: datetime
    step: timedelta
    count: int


class Store(Protocol):
    """Subscribers, sends and deliveries."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def rehearsal(self) -> AbstractContextManager[None]:
        """Verbs within it see each other's effects, and leaving it undoes them all. Holds the
        write lock while it lasts."""

    # people

    def add(self, person: NewSubscriber, now: datetime) -> Subscriber:
        """The person, written down. Raises AudienceError when the address is already known."""

    def merge(self, person: NewSubscriber, now: datetime) -> Merge:
        """What became of an imported person. A blank name or field never overwrites; precedence
        suppressed > unsubscribed > pending > active: nobody ever moves towards active."""

    def subscriber(self, address: str) -> Subscriber | None:
        """The person with that address, or None."""

    def subscriber_with_id(self, subscriber_id: int) -> Subscriber | None:
        """The person with that id (an unsubscribe token names nothing else), or None."""

    def subscribers(
        self, *, status: SubscriberStatus | None = None, tag: str | None = None
    ) -> Iterator[Subscriber]:
        """Everybody, in the order of arrival, streamed."""

    def unsubscribe(self, address: str, reason: str, now: datetime) -> Subscriber:
        """The person, unsubscribed, with every PENDING or DEFERRED delivery of theirs skipped
        ("unsubscribed"). Idempotent; a suppressed person stays suppressed. Raises AudienceError
        for an unknown address."""

    def resubscribe(self, address: str, source: str, now: datetime) -> Subscriber:
        """The person, active again by their own wish, with that consent on record. Idempotent; the
        only way back from UNSUBSCRIBED. Raises AudienceError for an unknown address, and for one
        that is suppressed."""

    def suppress(self, address: str, reason: str, now: datetime) -> Subscriber:
        """The person, never to be mailed again ("bounce"); deliveries in the queue are skipped
        when they are claimed. Idempotent; the first reason stays. Raises AudienceError for an
        unknown address."""

    def tag(
        self, address: str, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
    ) -> Subscriber:
        """The person with the tags changed. Idempotent."""

    def census(self) -> Counter[SubscriberStatus]:
        """How many people there are of each status."""

    def tags(self) -> Counter[str]:
        """How many people wear each tag."""

    def history(self, address: str) -> list[Event]:
        """What happened to the person's consent, oldest first. Raises AudienceError for an
        unknown address."""

    # sends

    def head_count(self, slug: str, audience: Audience) -> HeadCount:
        """Whom `freeze` would write down now, without writing."""

    def freeze(self, new: NewSend, now: datetime) -> Send:
        """The send, with the Email, its origin and one delivery per candidate (PENDING or
        SKIPPED with its reason) written in one transaction. Raises StoreError when candidates do
        not equal recipients plus exclusions, SendRefused when the issue has a send already and
        the audience is not `only_new`. With `not_before` the send is PREPARING and has no
        deliveries yet."""

    def freeze_prepared(self, send_id: int, now: datetime) -> Send:
        """The PREPARING send, its audience frozen as it is now. Raises StoreError as `freeze`, and
        for a send in another state."""

    def sends(self, slug: str | None = None) -> list[Send]:
        """Every send (of one issue), oldest first."""

    def entries(self, slug: str | None = None) -> list[SendEntry]:
        """As `sends`, without reading what was frozen: that is not looked over either."""

    def move(self, send_id: int, to: SendState, now: datetime) -> Send:
        """The send in its new state. Idempotent; raises StoreError for a move the state machine
        does not have (nothing leaves DONE), and for DONE while a row is still PENDING, CLAIMED or
        DEFERRED."""

    def hold(
        self, send_id: int, reason: str, now: datetime, not_before: datetime | None = None
    ) -> Send:
        """The send, PAUSED, not to go on by itself (`reason`) or not before a time. A sender at
        work gives its rows back when it asks the next time. Idempotent; a send that is over stays
        as it is."""

    def cancel(self, send_id: int, now: datetime) -> Send:
        """The send, CANCELLED, with every PENDING and DEFERRED row skipped ("cancelled"). Mails in
        flight get their outcome. Idempotent; raises StoreError for a send that is DONE."""

    def reopen(self, send_id: int, state: DeliveryState, now: datetime) -> int:
        """How many FAILED, UNKNOWN or DEFERRED rows are due again, PENDING, but for UNKNOWN ones
        that have a `next_at`; the send, if it was DONE, is PAUSED. The only way out of a row's last
        word: somebody asked for it. Raises StoreError for a cancelled send."""

    def widen(self, send_id: int, now: datetime) -> Send:
        """The send, which goes on from its canary to everybody. Idempotent."""

    def canary_progress(self, send_id: int) -> Counter[DeliveryState]:
        """How many of the canary's deliveries are in each state."""

    def due_at(self, send_id: int) -> datetime | None:
        """When the first PENDING or DEFERRED row that the send may go to now is due (1970 for at
        once), or None when there is none."""

    def waiting(self, send_id: int, most: int) -> int:
        """How many rows are PENDING or DEFERRED, due or not, counted as far as `most`. Cheap, which
        `progress` is not."""

    def send(self, send_id: int) -> Send:
        """The send as it is now. Raises StoreError when there is none."""

    def unchanged(self, send_id: int) -> bool:
        """Whether nobody but this sender has written to the store since its rows were claimed, so
        that what was asked of it then still holds; known within ten milliseconds, and cheap."""

    def halted(self, send_id: int) -> bool:
        """Whether the send is held, cancelled or over since its rows were claimed; asked before
        each mail, and cheap."""

    def reserve(self, key: str, limits: Limits, count: int, now: datetime) -> Slots:
        """At most `count` moments at which a mail under this key ("relay:main",
        "domain:example.com") may leave, given to nobody else on this store; none, and when to ask
        again, once a minute, an hour or a day is used up."""

    def slow_down(self, key: str, per_second: float, now: datetime) -> None:
        """Halve the pace of the key, from `per_second` or from what it was slowed down to. It
        doubles again with each minute."""

    def slowed(self, now: datetime) -> Mapping[str, float]:
        """The mails a second that keys are slowed down to; those that are not are not in it."""

    def sender_lock(self, send_id: int) -> AbstractContextManager[None]:
        """Held while one process delivers this send. Raises SendRefused when another one does."""

    def recover(self, send_id: int, now: datetime) -> int:
        """How many rows a dead sender left in doubt. Call only under `sender_lock`: CLAIMED rows
        whose content had begun to leave become UNKNOWN, the other CLAIMED rows PENDING."""

    def claim(self, send_id: int, limit: int, now: datetime) -> list[Delivery]:
        """At most `limit` rows, PENDING or DEFERRED and due, now CLAIMED with attempts + 1; none
        only when none is due, or the send is neither FROZEN nor SENDING. People who are no longer
        active become SKIPPED instead, with the reason."""

    def refusal(self, delivery: Delivery) -> str:
        """Why this person must not be mailed any more ("unsubscribed", "suppressed: ..."), or "":
        asked again just before RCPT."""

    def begin(
        self,
        delivery: Delivery,
        now: datetime,
        answered: Sequence[Delivery] = (),
        offer: Offer = NO_OFFER,
    ) -> None:
        """Write down that the content of this CLAIMED row is about to leave, to whom it is
        offered, and the outcomes of rows `answered` before it: from now on whoever recovers the
        send knows all of it, however this process dies. The database itself may learn of it up to
        250 ms and a mail later. Raises StoreError when the row is not CLAIMED at this attempt, or
        its content left before; then nothing was written."""

    def record(self, delivery: Delivery, now: datetime) -> None:
        """Write the outcome: `delivery.state` with reason, message_id, relay, reply and next_at.
        Leaves CLAIMED only, and only for the attempt it was claimed at; raises StoreError
        otherwise. PENDING gives a row back that certainly was not taken."""

    def record_all(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        """As `record`, for several rows in one transaction; all of them or none."""

    # rows in doubt that their relay takes only once

    def plan_again(
        self, send_id: int, since: Mapping[str, datetime], now: datetime, *, at_once: bool = False
    ) -> int:
        """How many UNKNOWN rows have a `next_at`, which the others lose: those whose content began
        to leave by a relay named here, at that relay's `since` or later, to somebody who may be
        mailed. It is `now` for a new one, and for all of them `at_once`."""

    def again_at(self, send_id: int) -> datetime | None:
        """When the first UNKNOWN row is to be offered again, or None. Cheap."""

    def claim_again(self, send_id: int, relay: str, now: datetime) -> list[Delivery]:
        """The UNKNOWN rows of that relay whose `next_at` has come, CLAIMED with attempts + 1. A
        sender that dies leaves them in doubt since when they were. The caller records nothing but
        ACCEPTED and UNKNOWN."""

    def progress(self, send_id: int) -> Counter[DeliveryState]:
        """How many deliveries are in each state."""

    def reasons(self, send_id: int) -> Counter[str]:
        """How many SKIPPED deliveries have each reason."""

    # what can be told of a send without naming anybody

    def tell(self, send_id: int, turn: Turn) -> None:
        """Write down a turn of the send that no other verb brings about: `freeze`, `move`, `hold`,
        `cancel`, `reopen`, `widen` and `slow_down` tell of themselves."""

    def turns(self, send_id: int, after: int = 0) -> list[Turn]:
        """What happened to the send since the turn with the id `after`, oldest first. Cheap."""

    def by_domain(self, send_id: int) -> list[DomainTally]:
        """The rows counted by recipient domain and state. One pass over the send."""

    def by_relay(self, send_id: int) -> dict[str, Counter[DeliveryState]]:
        """The rows that were offered to a relay, counted by the last one's name and by state. One
        pass over the send."""

    def by_reply(self, send_id: int) -> list[ReplyTally]:
        """The rows that were tried counted by state, reason and answer. Of more than some thousand
        answers the rest is counted with one of the same code. Two passes over the send."""

    def last_answer(self, send_id: int) -> tuple[datetime, Reply | None] | None:
        """When the last row was answered, and how; None before the first. One pass."""

    def over_time(self, send_id: int, step: timedelta) -> list[Beat]:
        """How many rows came into the state they are in, by steps of time since 1970, oldest
        first. One pass over the send."""

    def refusals(self, subscriber_id: int) -> list[Refusal]:
        """The issues that this person was refused for good since a mail to them was last taken,
        oldest first; tries that stay on this machine are none."""

    def afterwards(self, send_id: int) -> Counter[str]:
        """How many who got it have since become "unsubscribed" or "suppressed: REASON", and how
        many have "joined" since."""

    def deliveries(self, send_id: int, state: DeliveryState | None = None) -> Iterator[Delivery]:
        """The rows of the ledger, in the order they were frozen, streamed."""


def open_store(url: str) -> Store:
    """The store behind `sqlite:PATH` (absolute, or relative to the working directory), created
    and migrated when new, mode 0600 in a folder of mode 0700. Raises StoreError."""
    from newsletter.store.sqlite import SQLiteStore  # noqa: PLC0415

    return SQLiteStore.open(url)


__all__ = [
    "Audience",
    "Delivery",
    "Event",
    "HeadCount",
    "Merge",
    "NewSend",
    "Reply",
    "Slots",
    "Store",
    "open_store",
]
