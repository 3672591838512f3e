"""People and letters to put into a store, and short ways to move them along."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from newsletter.model import (
    Delivery,
    DeliveryState,
    Email,
    Letterhead,
    Mailbox,
    NewSubscriber,
    Origin,
    Reply,
    Send,
    SendState,
    Slot,
    Stage,
    SubscriberStatus,
)
from newsletter.store import NewSend, Store

NOW = datetime(2026, 11, 22, 8, 30, 15, 123456, tzinfo=UTC)
EMAIL = Email(
    slug="sleep",
    subject="Sleep & “rest”",
    preheader="",
    html="<!DOCTYPE html>\r\n<p>ünï\U0001f634\0code</p>",
    text="Sleep\n",
    url="https://letters.example.com/sleep/",
    slots=(Slot("first_name", "friend"), Slot("city")),
)
LETTERHEAD = Letterhead(
    name="Field Notes",
    base_url="https://letters.example.com",
    list_id="letter.letters.example.com",
    sender=Mailbox("Änne", "notes@letters.example.com"),
    reply_to=Mailbox("", "reply@letters.example.com"),
)
NEW = NewSend(
    email=EMAIL, origin=Origin(commit="c0ffee", dirty=True), letterhead=LETTERHEAD, relay="main"
)
ACCEPTED = Reply(Stage.DOT, 250, "2.0.0", "queued as 4F1")

ACTIVE, PENDING = SubscriberStatus.ACTIVE, SubscriberStatus.PENDING
UNSUBSCRIBED, SUPPRESSED = SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.SUPPRESSED

BY_RANK = [ACTIVE, PENDING, UNSUBSCRIBED, SUPPRESSED]

OpenStore = Callable[[], Store]


def reader(name: str, status: SubscriberStatus = ACTIVE, reason: str = "") -> NewSubscriber:
    return NewSubscriber(
        address=f"{name}@example.com",
        name=name.title(),
        status=status,
        reason=reason,
        consent_source="form",
        consent_at=NOW,
    )


def readers(store: Store, *names: str) -> None:
    for name in names:
        store.add(reader(name), NOW)


def sending(store: Store, new: NewSend = NEW) -> Send:
    return store.move(store.freeze(new, NOW).id, SendState.SENDING, NOW)


def states(store: Store, send_id: int) -> dict[str, str]:
    return {row.address.partition("@")[0]: row.state.value for row in store.deliveries(send_id)}


def taken(delivery: Delivery) -> Delivery:
    return delivery._replace(
        state=DeliveryState.ACCEPTED, message_id="a.b@example.com", reply=ACCEPTED
    )


def to_all(store: Store, state: DeliveryState, send: Send) -> None:
    for row in store.claim(send.id, 100, NOW):
        store.record(row._replace(state=state, reason="because"), NOW)


def store_is_whole(store: Store, send_id: int) -> bool:
    """Whether every candidate of the send has exactly one row."""
    (send,) = (send for send in store.sends() if send.id == send_id)
    rows = list(store.deliveries(send_id))
    return len(rows) == len({row.address for row in rows}) == send.candidates
