"""Email -> Stencil, once per issue; Stencil + Recipient -> Mail, once per reader.

The Email is encoded once and cut open at the slots; a reader's mail is the cut pieces joined with
that reader's own. Between quoted-printable pieces stand soft line breaks, so that a value is
encoded alone whatever surrounds it. Neither clock nor randomness is known here: the same Email,
Letter, date and Recipient give the same bytes (deliverability 2).
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import NamedTuple

from newsletter.mime import headers, internationalised
from newsletter.mime.inspection import gate
from newsletter.mime.places import (
    CutText,
    Write,
    as_it_stands,
    cut_html,
    cut_text,
)
from newsletter.mime.quoted_printable import SOFT, encode
from newsletter.mime.words import one_line
from newsletter.model import Email, InlinePicture, Letter, Mail, Mailbox, Recipient, Slot, mail_of

# Different for every reader, so not worth a place in the cache of values.
_OWN = frozenset(("address", "unsubscribe_url"))

_LINE_ENDS = ("\n", "\r")
_BASE64_ROW = 57  # bytes that make the 76 columns of RFC 2045 6.8

# An invented reader without a single value, to see one whole mail before anybody's.
_SPECIMEN = Recipient(
    address="reader@example.org",
    name="",
    message_id="specimen@example.org",
    mail_from="",
    unsubscribe_url="https://example.org/u/specimen",
    unsubscribe_mailto="mailto:unsubscribe@example.org",
)


class Gap(NamedTuple):
    """A slot in one kind of place. `own` values are encoded anew for each reader; `stands` says
    which need not be encoded."""

    name: str
    fallback: str
    write: Write
    own: bool
    stands: Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Stencil:
    """An Email encoded and cut open.

    A mail is pieces[0], filling, pieces[1], filling, ... pieces[-1]; `order` names the filling
    between each two: 0 is To, 1 the Subject, 2 Message-ID, 3 the two List-Unsubscribe fields, and
    4 + n is gaps[n].
    """

    pieces: tuple[bytes, ...]
    order: tuple[int, ...]
    gaps: tuple[Gap, ...]
    subject: CutText | None
    """None when it is the same for everybody, and in a piece."""


def stencil(email: Email, letter: Letter, date: datetime) -> Stencil:
    """The Email as multipart/alternative, text before HTML, both quoted-printable, under the
    header of this Letter; the HTML in a multipart/related with the pictures that travel along.
    Raises MailRefused when any reader's mail would be refused.

    `date` is aware: when the issue was sent, not when this mail is retried.
    """
    seed = f"{email.content_hash}\0{letter.list_id}\0{date.timestamp()}"
    boundary = f"=_{sha256(seed.encode()).hexdigest()[:20]}"
    subject = cut_text(email.subject, email.slots)
    bench = _Bench(subject if subject.cuts else None)
    _lay_header(bench, email, letter, date)
    bench.static(headers.structure_fields(boundary), b"\r\n")
    _lay_part(bench, "plain", cut_text(email.text, email.slots), boundary)
    _lay_html(bench, email, boundary)
    bench.static(f"--{boundary}--\r\n".encode())
    cut = bench.stencil()
    gate(fill(cut, _SPECIMEN).content)
    return cut


def fill(stencil: Stencil, recipient: Recipient) -> Mail:
    """The mail for one reader. Raises MailRefused for a recipient whose own fields no header can
    carry; every other reader's mail is unaffected.

    What `gate` holds, holds for every mail: `stencil` puts one whole mail through it, and the only
    bytes that differ come from `header`, which checks each field, from `to_field`, and from the
    value encoders, whose every output is 7-bit lines of at most 76 columns, none beginning with a
    dot, between two soft line breaks.
    """
    address, _, message_id, mail_from, url, _, values = recipient
    values = {**values, "address": address, "unsubscribe_url": url}
    subject = _filled(stencil.subject, values) if stencil.subject else None
    filling = [*headers.plain_fields(recipient, subject)]
    if not filling:
        address, filling = _fields(recipient, subject)
    for name, fallback, write, is_own, stands in stencil.gaps:
        value = values.get(name, "")
        if stands(value):
            filling.append(value.encode())
        else:
            filling.append(write(value) if is_own else _written(write, value, fallback))
    pieces: list[bytes] = [b""] * (2 * len(stencil.order) + 1)
    pieces[::2] = stencil.pieces
    pieces[1::2] = itemgetter(*stencil.order)(filling)
    inspected = True
    return mail_of((mail_from, address, message_id, tuple(pieces), inspected))


def _fields(recipient: Recipient, subject: str | None) -> tuple[str, list[bytes]]:
    """The address as it is spoken, and what is this reader's own of the header."""
    address, mailbox = recipient.address, Mailbox(recipient.name, recipient.address)
    if address.isascii():
        to = headers.mailbox_field("To", mailbox)
    else:
        address, to = internationalised.to_field(mailbox)
    return address, [
        to,
        b"" if subject is None else headers.subject_field(subject),
        headers.message_id_field(recipient.message_id),
        headers.unsubscribe_fields(recipient.unsubscribe_url, recipient.unsubscribe_mailto),
    ]


@lru_cache(maxsize=4096)
def _written(write: Write, value: str, fallback: str) -> bytes:
    """The value or its fallback, encoded. First names repeat, so few are encoded twice."""
    return write(_said(value, fallback))


def _said(value: str, fallback: str) -> str:
    """What is shown: one line, and the fallback when that would be blank."""
    if value.isprintable() and value and not value.isspace():
        return value
    line = one_line(value)
    return line if line.strip() else one_line(fallback)


def _filled(subject: CutText, values: Mapping[str, str]) -> str:
    filled = ""
    for before, slot, _ in subject.cuts:
        filled += before + _said(values.get(slot.name, ""), slot.fallback)
    return filled + subject.rest


class _Bench:
    """Where pieces and fillings are laid side by side until they are a Stencil."""

    def __init__(self, subject: CutText | None) -> None:
        self.subject = subject
        self._pieces = [b""]
        self._order: list[int] = []
        self._gaps: dict[Gap, int] = {}

    def static(self, *pieces: bytes) -> None:
        self._pieces[-1] += b"".join(pieces)

    def field(self, index: int) -> None:
        self._order.append(index)
        self._pieces.append(b"")

    def gap(self, slot: Slot, write: Write) -> None:
        gap = Gap(slot.name, slot.fallback, write, slot.name in _OWN, as_it_stands(write))
        self.field(self._gaps.setdefault(gap, 4 + len(self._gaps)))

    def stencil(self) -> Stencil:
        return Stencil(tuple(self._pieces), tuple(self._order), tuple(self._gaps), self.subject)


def _lay_header(bench: _Bench, email: Email, letter: Letter, date: datetime) -> None:
    """Every field but those of the MIME structure."""
    bench.static(headers.mailbox_field("From", letter.sender))
    bench.field(0)
    if letter.reply_to is not None:
        bench.static(headers.mailbox_field("Reply-To", letter.reply_to))
    if bench.subject is None:
        bench.static(headers.subject_field(email.subject))
    else:
        bench.field(1)
    bench.static(headers.date_field(date))
    bench.field(2)
    bench.static(headers.list_id_field(letter))
    bench.field(3)
    bench.static(
        headers.archive_fields(letter),
        headers.feedback_id_field(email.slug, letter),
        headers.bulk_fields(),
    )


def _lay_html(bench: _Bench, email: Email, boundary: str) -> None:
    """The second alternative: the HTML alone, or before its pictures (RFC 2387)."""
    html = cut_html(email.html, email.slots)
    if not email.pictures:
        _lay_part(bench, "html", html, boundary)
        return
    inner = f"=_{sha256(boundary.encode()).hexdigest()[:20]}"
    bench.static(f"--{boundary}\r\n".encode(), headers.related_field(inner), b"\r\n")
    _lay_part(bench, "html", html, inner)
    for picture in email.pictures:
        bench.static(f"--{inner}\r\n".encode(), headers.picture_fields(picture), b"\r\n")
        bench.static(*_base64_rows(picture))
    bench.static(f"--{inner}--\r\n".encode())


def _base64_rows(picture: InlinePicture) -> Iterator[bytes]:
    content = memoryview(picture.content)
    for at in range(0, len(content), _BASE64_ROW):
        yield binascii.b2a_base64(content[at : at + _BASE64_ROW], newline=False)
        yield b"\r\n"


def _lay_part(bench: _Bench, subtype: str, text: CutText, boundary: str) -> None:
    """One alternative, from its delimiter to the CRLF that belongs to the next one."""
    bench.static(
        f"--{boundary}\r\n".encode(),
        headers.header("Content-Type", f'text/{subtype}; charset="utf-8"'),
        headers.header("Content-Transfer-Encoding", "quoted-printable"),
        b"\r\n",
    )
    last = len(text.cuts)
    for number, segment in enumerate([*(cut.before for cut in text.cuts), text.rest]):
        lead, trail = _soft_breaks(segment, first=number == 0, last=number == last)
        bench.static(lead, encode(segment), trail)
        if number < last:
            bench.gap(text.cuts[number].slot, text.cuts[number].write)
    bench.static(b"\r\n")


def _soft_breaks(segment: str, *, first: bool, last: bool) -> tuple[bytes, bytes]:
    """What stands between a segment and the slots before and after it: a soft line break, unless
    the line ends there anyway."""
    lead = not first and not segment.startswith(_LINE_ENDS) and not (last and not segment)
    trail = not last and bool(segment) and not segment.endswith(_LINE_ENDS)
    return SOFT if lead else b"", SOFT if trail else b""
