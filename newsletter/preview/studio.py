"""What the desk shows: an issue composed from the files as they are now, a mail from the inbox.

Nothing is cached: every request reads the files again, so a saved file is on the screen at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path

from newsletter.delivery.addressing import name_parts
from newsletter.delivery.specimen import READER, part, specimen
from newsletter.model import Article, Email, Letter, Mail, Problem
from newsletter.shelf import Shelf
from newsletter.slots import fill_slots
from newsletter.smtp.inbox import InboxMail, read_mail, received

SHOWN_BY_CID = re.compile(r"(?<=\ssrc=\")cid:[^\"\s<>]+(?=\")")
READER_VALUES = name_parts(READER.name)


@dataclass(frozen=True, slots=True)
class Study:
    """One issue on the desk: the article, its Email, and the specimen mail with filled slots."""

    article: Article
    email: Email
    mail: Mail
    problems: tuple[Problem, ...]

    @property
    def preheader(self) -> str:
        return fill_slots(self.email.preheader, self.email.slots, READER_VALUES)

    @property
    def html_bytes(self) -> int:
        return len(part(self.mail.content, "html").encode())


@dataclass(frozen=True, slots=True)
class Studio:
    """One publication on the desk. `load` reads the configuration afresh; `inbox` is the folder
    of the mails that arrived on this machine."""

    load: Callable[[], Letter]
    inbox: Path
    now: Callable[[], datetime]

    def shelf(self) -> Shelf:
        """The issues as they are now. Raises ConfigError."""
        return Shelf.of(self.load(), self.now())

    def study(self, shelf: Shelf, name: str) -> Study:
        """The named issue, composed and addressed to the invented reader."""
        article = shelf.find(name)
        composed = shelf.compose(article)
        mail = specimen(composed.email, article, shelf.letter)
        return Study(article, composed.email, mail, composed.problems)

    def received(self) -> list[InboxMail]:
        """The mails in the inbox, newest first."""
        return list(reversed(received(self.inbox)))

    def letterbox(self, key: str) -> bytes:
        """The mail with that key, byte for byte. Raises UsageError."""
        return read_mail(self.inbox, key)


def with_local_images(document: str, letter: Letter, content: bytes = b"") -> str:
    """The document with the publication's own images served by the desk, and those that travel in
    the mail `content` put into the page: nothing is fetched."""
    document = document.replace(f"{letter.base_url}/media/", "/media/")
    return SHOWN_BY_CID.sub(_data_urls(content), document) if "cid:" in document else document


def _data_urls(content: bytes) -> Callable[[re.Match[str]], str]:
    """For each `cid:...` the picture itself, for those in the mail."""
    shown: dict[str, str] = {}
    for inner in message_from_bytes(content, policy=policy.default).walk():
        cid = str(inner["Content-ID"] or "").strip("<> ")
        if cid and inner.get_content_maintype() == "image":
            payload = str(inner.get_payload()).replace("\r\n", "").replace("\n", "")
            shown[f"cid:{cid}"] = f"data:{inner.get_content_type()};base64,{payload}"
    return lambda source: shown.get(source.group(), source.group())


def headers_of(content: bytes) -> list[tuple[str, str]]:
    """The headers of a mail, decoded for reading, in order."""
    message = message_from_bytes(content, policy=policy.default)
    return [(name, str(value)) for name, value in message.items()]
