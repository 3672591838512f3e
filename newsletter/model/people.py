"""The people who read the letter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class SubscriberStatus(StrEnum):
    """Issues go to ACTIVE subscribers and to nobody else."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One person. `address` is as it is spoken to a relay; `fields` are free attributes, all
    text."""

    id: int
    address: str
    name: str
    status: SubscriberStatus
    reason: str
    consent_source: str
    consent_at: datetime | None
    created_at: datetime
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gaps:
    """For how many of so many people a field is empty, by field; a field that is not there is
    empty for nobody."""

    people: int
    empty: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscriber:
    """A person about to be written down; everything validated, `address` as it is spoken."""

    address: str
    name: str = ""
    status: SubscriberStatus = SubscriberStatus.ACTIVE
    reason: str = ""
    consent_source: str = ""
    consent_at: datetime | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
