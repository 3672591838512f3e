"""An issue as a mail: for every reader, for one reader, and what a relay answers to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from hashlib import sha256
from types import MappingProxyType
from typing import NamedTuple


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
class InlinePicture:
    """A picture that travels inside the mail (RFC 2387).

    `cid` stands in the html as `cid:...` and has no angle brackets (RFC 2392); `name` is an ASCII
    file name, `digest` the SHA-256 of `content` in hex, `url` where the picture would be on the
    web."""

    cid: str
    name: str
    media_type: str
    digest: str
    url: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """An Issue rendered; the same for every reader, with the slots' tokens inside.

    `html` is a whole document with its CSS inlined, `text` is LF-separated plain text, `pictures`
    are those that the html shows by their `cid`.
    """

    slug: str
    subject: str
    preheader: str
    html: str
    text: str
    url: str
    slots: tuple[Slot, ...] = ()
    pictures: tuple[InlinePicture, ...] = ()

    @property
    def content_hash(self) -> str:
        """SHA-256, in hex, of all that a reader sees before the slots are filled."""
        parts = (self.slug, self.subject, self.preheader, self.html, self.text, self.url)
        slots = (f"{slot.name}\0{slot.fallback}" for slot in self.slots)
        pictures = (f"{p.cid}\0{p.name}\0{p.media_type}\0{p.digest}" for p in self.pictures)
        return sha256("\0\0".join((*parts, *slots, *pictures)).encode()).hexdigest()


class Recipient(NamedTuple):
    """What one mail needs to know of one person, links and identifiers included.

    `values` maps slot names to plain text; a missing or empty value means the fallback.
    `address` is ASCII, at least after its @; `message_id` has no angle brackets; `mail_from` is the
    envelope sender.
    """

    address: str
    name: str
    message_id: str
    mail_from: str
    unsubscribe_url: str
    unsubscribe_mailto: str
    values: Mapping[str, str] = MappingProxyType({})


# As `Recipient(...)` of a tuple with all its fields in order. The constructor of a NamedTuple is a
# call of Python, this is none.
recipient_of = partial(tuple.__new__, Recipient)


class Mail(NamedTuple):
    """One RFC 5321 mail object with exactly one recipient; its content is CRLF, 7-bit, not
    dot-stuffed, and ends in CRLF. It is in `pieces`, nearly all of which are the same for every
    reader: joined for each they would go through the processor's cache twice more. Where `rcpt_to`
    is beyond ASCII, the field To is UTF-8 (RFC 6532) and the mail needs a relay that offers
    SMTPUTF8.

    `inspected` is said by `mime.fill` alone: every piece of the content went through its gate, and
    no line begins with a dot."""

    mail_from: str
    rcpt_to: str
    message_id: str
    pieces: tuple[bytes, ...]
    inspected: bool = False

    @property
    def content(self) -> bytes:
        """The whole of it, joined anew each time."""
        return b"".join(self.pieces)

    @property
    def size(self) -> int:
        """The octets of the content."""
        return sum(map(len, self.pieces))


mail_of = partial(tuple.__new__, Mail)


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

    __hash__ = str.__hash__  # an enumeration's own is a call of Python


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
