"""Rows of the database <-> nouns of the model.

Times are stored as integer microseconds since 1970 UTC: exact, sortable, the same on every
database. Free attributes and the frozen Email are JSON in ASCII, so any Unicode survives. Knows no
connection and no SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from newsletter.errors import StoreError
from newsletter.model import (
    Delivery,
    DeliveryState,
    Email,
    InlinePicture,
    Letterhead,
    Mailbox,
    Origin,
    Reply,
    Send,
    SendEntry,
    SendState,
    Slot,
    Stage,
    Subscriber,
    SubscriberStatus,
    row_of,
)
from newsletter.slots import fill_slots

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Row = tuple[Any, ...]


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC. A naive `moment` is a bug and raises TypeError."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def micros_or_none(moment: datetime | None) -> int | None:
    return None if moment is None else micros(moment)


def moment_of(stored: int) -> datetime:
    return EPOCH + stored * MICROSECOND


def moment_or_none(stored: int | None) -> datetime | None:
    return None if stored is None else moment_of(stored)


def address_hash(address: str) -> bytes:
    """The SHA-256 that stands for a mailbox. Both parts are in lower case (RFC 5321 2.4 lets the
    local part differ by case, no provider does); dots and +tags are other mailboxes, and so are
    letters that casefold would make one, as it does of straße and strasse."""
    return sha256(address.lower().encode()).digest()


def fields_json(fields: Mapping[str, str]) -> str:
    return json.dumps(dict(fields))


# id, address, name, status, reason, consent_source, consent_at, created_at, tags, fields
def subscriber_of(row: Row) -> Subscriber:
    return Subscriber(
        id=row[0],
        address=row[1],
        name=row[2],
        status=SubscriberStatus(row[3]),
        reason=row[4],
        consent_source=row[5],
        consent_at=moment_or_none(row[6]),
        created_at=moment_of(row[7]),
        tags=tuple(json.loads(row[8])),
        fields=json.loads(row[9]),
    )


def email_json(email: Email) -> str:
    """The whole Email, slots included; of its pictures all but the bytes."""
    parts = asdict(email)
    for picture in parts["pictures"]:
        del picture["content"]
    return json.dumps(parts)


def email_of(stored: str, content_hash: str, bytes_of: Callable[[str], bytes]) -> Email:
    """The Email as it was frozen; `bytes_of` gives a picture's bytes for its SHA-256 in hex.
    Raises StoreError when it is not what was hashed."""
    try:
        parts = json.loads(stored)
        slots = tuple(Slot(**slot) for slot in parts.pop("slots"))
        pictures = tuple(
            InlinePicture(**picture, content=_sound(bytes_of(picture["digest"]), picture["digest"]))
            for picture in parts.pop("pictures", ())
        )
        email = Email(**parts, slots=slots, pictures=pictures)
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError("a frozen email cannot be read", code="store.damaged") from error
    if email.content_hash != content_hash:
        raise StoreError(
            f'the frozen email of "{email.slug}" does not match its content hash',
            hint="somebody changed the database by hand, or the disk did: restore a backup",
            code="store.damaged",
        )
    return email


def _sound(content: bytes, digest: str) -> bytes:
    if sha256(content).hexdigest() != digest:
        raise StoreError(
            "a frozen picture does not match its hash",
            hint="somebody changed the database by hand, or the disk did: restore a backup",
            code="store.damaged",
        )
    return content


def letterhead_json(letterhead: Letterhead) -> str:
    """The whole letterhead."""
    return json.dumps(asdict(letterhead))


def letterhead_of(stored: str) -> Letterhead:
    """The letterhead as it was frozen. Raises StoreError when it cannot be read."""
    try:
        parts = json.loads(stored)
        sender, reply_to = Mailbox(**parts.pop("sender")), parts.pop("reply_to")
        return Letterhead(**parts, sender=sender, reply_to=reply_to and Mailbox(**reply_to))
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError("a frozen letterhead cannot be read", code="store.damaged") from error


# id, slug, state, email, content_hash, git_commit, dirty, relay, candidates, recipients,
# frozen_at, finished_at, letterhead, not_before, hold, canary, wave, local
def send_of(row: Row, bytes_of: Callable[[str], bytes]) -> Send:
    return Send(
        id=row[0],
        slug=row[1],
        state=SendState(row[2]),
        email=email_of(row[3], row[4], bytes_of),
        content_hash=row[4],
        origin=Origin(commit=row[5], dirty=bool(row[6])),
        relay=row[7],
        candidates=row[8],
        recipients=row[9],
        frozen_at=moment_of(row[10]),
        finished_at=moment_or_none(row[11]),
        letterhead=letterhead_of(row[12]),
        not_before=moment_or_none(row[13]),
        hold=row[14],
        canary=row[15],
        widened=bool(row[16]),
        local=bool(row[17]),
    )


# id, slug, state, subject, slots, content_hash, git_commit, dirty, relay, candidates, recipients,
# frozen_at, finished_at, not_before
def entry_of(row: Row) -> SendEntry:
    slots = tuple(Slot(**slot) for slot in json.loads(row[4]))
    return SendEntry(
        id=row[0],
        slug=row[1],
        state=SendState(row[2]),
        subject=fill_slots(row[3], slots, {}),
        content_hash=row[5],
        origin=Origin(commit=row[6], dirty=bool(row[7])),
        relay=row[8],
        candidates=row[9],
        recipients=row[10],
        frozen_at=moment_of(row[11]),
        finished_at=moment_or_none(row[12]),
        not_before=moment_or_none(row[13]),
        hold=row[14],
        local=bool(row[15]),
    )


# send_id, subscriber_id, address, name, fields, state, reason, attempts, message_id, reply_stage,
# reply_code, reply_status, reply_text, next_at, updated_at, deferrals, relay
def delivery_of(row: Row) -> Delivery:
    stage, code, status, text = row[9:13]
    return Delivery(
        send_id=row[0],
        subscriber_id=row[1],
        address=row[2],
        name=row[3],
        fields=json.loads(row[4]),
        state=DeliveryState(row[5]),
        reason=row[6],
        attempts=row[7],
        message_id=row[8],
        reply=None if stage is None else Reply(Stage(stage), code, status, text),
        next_at=moment_or_none(row[13]),
        updated_at=moment_of(row[14]),
        deferrals=row[15],
        relay=row[16],
    )


def claimed_of(rows: Iterable[Row], now_us: int) -> list[Delivery]:
    """PENDING and DEFERRED rows as their claim leaves them."""
    state, now = DeliveryState.CLAIMED, moment_of(now_us)
    return [
        row_of(
            (
                *row[:4],
                state,
                json.loads(row[4]) if row[4] != "{}" else {},
                "",
                row[7] + 1,
                row[15],
                row[8],
                row[16],
                None if row[9] is None else Reply(Stage(row[9]), *row[10:13]),
                None,
                now,
            )
        )
        for row in rows
    ]
