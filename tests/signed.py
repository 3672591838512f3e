"""The shipped issues as they arrive somewhere: addressed, signed, over a relay with SPF and DMARC.

The signature is dkimpy's, a judge's own: what is looked at here is the mail.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from newsletter.config import Config, checked
from newsletter.delivery.addressing import Addressee, recipient
from newsletter.delivery.specimen import KEYS, READER
from newsletter.mime import fill, stencil
from newsletter.model import Letter, Mail
from newsletter.shelf import Shelf
from tests.conftest import ROOT
from tests.fake_dns import PTR, TXT, A, Records

NOW = datetime.now(UTC)
RELAY_IP = "185.12.64.7"  # no documentation address: SpamAssassin takes those for forged
# deliverability 1, "model message"; the doubled ones are oversigned.
SIGNED = (
    *("from", "from", "to", "to", "reply-to", "subject", "subject", "date", "date"),
    *("message-id", "message-id", "mime-version", "content-type", "list-id"),
    *("list-unsubscribe", "list-unsubscribe-post", "feedback-id"),
)


def looks() -> tuple[str, ...]:
    """The looks that are shipped."""
    names = sorted(file.stem for file in (ROOT / "templates" / "looks").glob("*.jinja"))
    return tuple(names) or ("letter",)


@functools.cache
def shelf(look: str) -> Shelf:
    """This repository's own publication, in that look."""
    file = ROOT / "pyproject.toml"
    text = f'{file.read_text("utf-8")}\n[tool.newsletter.theme]\nlook = "{look}"\n'
    letter = Config(root=ROOT, path=file, tables=checked(file, text)).letter()
    return Shelf.of(letter, NOW)


def shipped(reader: Addressee = READER) -> Iterator[tuple[str, Mail]]:
    """Every article's mail in every look, by name, as sent just now."""
    for look in looks():
        books = shelf(look)
        for article in books.archive.articles:
            email = books.compose(article).email
            cut = stencil(email, books.letter, NOW)
            mail = fill(cut, recipient(reader, email.slug, books.letter, KEYS))
            yield f"{article.slug} in {look}", mail


@dataclass(frozen=True)
class Sender:
    """The letter's domain with a key, and what its DNS says."""

    letter: Letter
    key: bytes
    public: str

    @property
    def domain(self) -> str:
        return self.letter.sender.domain

    @property
    def host(self) -> str:
        return f"mx1.{self.domain}"

    @property
    def records(self) -> Records:
        reverse = ".".join(reversed(RELAY_IP.split(".")))
        return {
            (self.domain, TXT): f"v=spf1 ip4:{RELAY_IP} -all",
            (self.domain, A): RELAY_IP,
            (self.host, A): RELAY_IP,
            (f"{reverse}.in-addr.arpa", PTR): self.host,
            (f"s1._domainkey.{self.domain}", TXT): f"v=DKIM1; k=rsa; p={self.public}",
            (f"_dmarc.{self.domain}", TXT): "v=DMARC1; p=reject",
        }

    def signed(self, mail: Mail) -> bytes:
        signature: bytes = dkim.sign(
            mail.content,
            b"s1",
            self.domain.encode(),
            self.key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name.encode() for name in SIGNED],
        )
        return signature + mail.content

    def arrived(self, content: bytes, mail: Mail) -> bytes:
        """The mail with the two fields that its last relay puts on top."""
        top = (
            f"Return-Path: <{mail.mail_from}>\r\n"
            f"Received: from {self.host} ({self.host} [{RELAY_IP}])\r\n"
            f"\tby mx.example.net (Postfix) with ESMTPS id 4ABCD\r\n"
            f"\tfor <{mail.rcpt_to}>; {NOW:%a, %d %b %Y %H:%M:%S} +0000\r\n"
        )
        return top.encode() + content


@functools.cache
def sender() -> Sender:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Sender(shelf(looks()[0]).letter, private, base64.b64encode(public).decode())
