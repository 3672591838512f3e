"""Every noun of the house, frozen.

Five states of one thing, five types: Article -> Issue -> Email -> Stencil -> Mail. The type says
where in the pipeline you stand. This module imports nothing of ours but errors and knows no file,
clock, database or network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

# --- the publication, as the configuration describes it ------------------------------------------


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name (may be empty) and an address in ASCII form (RFC 5322 3.4 name-addr)."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeaserLabels:
    """The words above the two teasers, empty for the words of the letter's language; `swapped`
    puts the newer post under "previous"."""

    previous: str = ""
    next: str = ""
    swapped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What a mail says of its sender; frozen with a send, so that a retry is byte-identical."""

    name: str
    base_url: str
    list_id: str
    sender: Mailbox
    reply_to: Mailbox | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What the publication is, for everybody below the configuration.

    `base_url` has no trailing slash; `permalink` is a path with {slug}, {number}, {year}, {month},
    {day}; `issues` and `templates` are absolute folders; `fields` are the subscriber fields that
    may stand in double braces; `list_id` is the RFC 2919 identifier without angle brackets.
    """

    root: Path
    name: str
    base_url: str
    language: str
    timezone: ZoneInfo
    issues: Path
    templates: Path
    sender: Mailbox
    reply_to: Mailbox | None
    postal_address: str
    list_id: str
    permalink: str
    fields: tuple[str, ...]
    labels: TeaserLabels = TeaserLabels()

    @property
    def letterhead(self) -> Letterhead:
        return Letterhead(**{each.name: getattr(self, each.name) for each in fields(Letterhead)})

    def under(self, letterhead: Letterhead) -> Letter:
        """The letter as it was when that letterhead was frozen."""
        return replace(self, **{k.name: getattr(letterhead, k.name) for k in fields(Letterhead)})


class Tls(StrEnum):
    """How the connection to a relay is protected (RFC 8314, RFC 3207)."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where mail leaves. `kind` is smtp, inbox or file; `password` never shows in repr.

    `folder` receives .eml files for the kinds inbox and file. `tls` NONE is for loopback only.
    """

    name: str
    kind: str
    host: str = "127.0.0.1"
    port: int = 0
    tls: Tls = Tls.NONE
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    folder: Path | None = None
    timeout_s: float = 60.0
    mails_per_connection: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One file as its author wrote it.

    `path` is relative to the publication's root; `folder` is absolute: where the article's own
    images are. `body` is Markdown with LF line ends and without front matter; its first line is
    line `body_line` of the file. `date` is aware. `summary` is the teaser as given in the front
    matter, `lead` the Markdown before a "more" mark; both None when the author gave neither.
    """

    path: Path
    folder: Path
    slug: str
    title: str
    subject: str
    body: str
    body_line: int = 1
    date: datetime | None = None
    number: int | None = None
    draft: bool = False
    summary: str | None = None
    lead: str | None = None
    preheader: str | None = None
    image: str | None = None
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    language: str | None = None
    url: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Teaser:
    """What a neighbour shows of itself: plain text, an absolute URL, an absolute image URL."""

    title: str
    summary: str
    url: str
    image: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An Article in its place in the series; the teasers are None at the ends."""

    article: Article
    url: str
    previous: Teaser | None = None
    next: Teaser | None = None


# --- the mail ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slot:
    """A subscriber's field with a fallback, named inside an Email.

    `token` stands for it in subject, preheader, html and text: ASCII letters and digits only, so
    it survives Markdown, lxml, premailer and URLs unchanged.
    """

    name: str
    fallback: str = ""

    @property
    def token(self) -> str:
        digest = sha256(f"{self.name}\0{self.fallback}".encode()).hexdigest()
        return f"xslot{digest[:12]}x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """An Issue rendered; the same for every reader, with the slots' tokens inside.

    `html` is a whole document with its CSS inlined, `text` is LF-separated plain text.
    """

    slug: str
    subject: str
    preheader: str
    html: str
    text: str
    url: str
    slots: tuple[Slot, ...] = ()

    @property
    def content_hash(self) -> str:
        """SHA-256, in hex, of all that a reader sees before the slots are filled."""
        parts = (self.slug, self.subject, self.preheader, self.html, self.text, self.url)
        slots = (f"{slot.name}\0{slot.fallback}" for slot in self.slots)
        return sha256("\0\0".join((*parts, *slots)).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """What one mail needs to know of one person, links and identifiers included.

    `values` maps slot names to plain text; a missing or empty value means the fallback.
    `address` is ASCII; `message_id` has no angle brackets; `mail_from` is the envelope sender.
    """

    address: str
    name: str
    message_id: str
    mail_from: str
    unsubscribe_url: str
    unsubscribe_mailto: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mail:
    """One RFC 5321 mail object with exactly one recipient; `content` is CRLF, 7-bit, not
    dot-stuffed, and ends in CRLF."""

    mail_from: str
    rcpt_to: str
    message_id: str
    content: bytes


class Stage(StrEnum):
    """Where in the SMTP conversation a reply came."""

    CONNECT = "connect"
    EHLO = "ehlo"
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


class Reply(NamedTuple):
    """A relay's answer: three-digit code, RFC 3463 status ("5.1.1") or "", sanitised text."""

    stage: Stage
    code: int
    status: str
    text: str

    @property
    def positive(self) -> bool:
        return 200 <= self.code < 400

    @property
    def transient(self) -> bool:
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        return not self.positive and not self.transient


class SubscriberStatus(StrEnum):
    """Issues go to ACTIVE subscribers and to nobody else."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One person. `address` is the ASCII form; `fields` are free attributes, all text."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscriber:
    """A person about to be written down; everything validated, `address` in ASCII form."""

    address: str
    name: str = ""
    status: SubscriberStatus = SubscriberStatus.ACTIVE
    reason: str = ""
    consent_source: str = ""
    consent_at: datetime | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


class SendState(StrEnum):
    """frozen -> sending <-> paused -> done (platforms 2.14)."""

    FROZEN = "frozen"
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the frozen bytes came from: the git commit ("" outside git) and whether the tree was
    dirty."""

    commit: str = ""
    dirty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One decision to mail one frozen Email to one frozen audience."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One Email to one person: a row of the ledger. `reply` is the last answer of the relay,
    `deferrals` how often it said "later"; `attempts` counts claims, offered to a relay or not."""

    send_id: int
    subscriber_id: int
    address: str
    name: str
    state: DeliveryState
    fields: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    attempts: int = 0
    deferrals: int = 0
    message_id: str = ""
    reply: Reply | None = None
    next_at: datetime | None = None
    updated_at: datetime | None = None


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding: where, how bad, what, and the rule's short code."""

    path: Path
    line: int | None
    severity: Severity
    code: str
    message: str
    hint: str = ""
