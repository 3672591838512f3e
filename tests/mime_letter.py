"""A letter, an email and readers for the tests of mime, and the mail as other people read it."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import strategies as st

from newsletter.mime import fill, stencil
from newsletter.model import Email, Letter, Mail, Recipient, Slot
from tests import sample

LETTER: Letter = sample.letter(Path("/nowhere"))
DATE = datetime(2026, 11, 22, 10, tzinfo=UTC)

FIRST_NAME = Slot("first_name", "friend")
CITY = Slot("city")
ADDRESS = Slot("address")
LEAVE = Slot("unsubscribe_url")
SLOTS = (FIRST_NAME, CITY, ADDRESS, LEAVE)

# Everything a value keeps: no control, surrogate, line or paragraph separator, no embedding or
# isolating direction mark. Written down here a second time, from the categories of Unicode.
KEPT = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]).filter(
    lambda c: not ("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069")
)


def email(
    text: str = "Hello\n",
    html: str = "<!DOCTYPE html>\n<html><body><p>Hello</p></body></html>\n",
    subject: str = "Sleep, and what helps",
) -> Email:
    return Email(
        slug="2026-11-22-sleep",
        subject=subject,
        preheader="",
        html=html,
        text=text,
        url="https://letters.example.org/sleep/",
        slots=SLOTS,
    )


def reader(name: str = "Ada Example", address: str = "ada@example.net", **values: str) -> Recipient:
    local = address.partition("@")[0]
    return Recipient(
        address=address,
        name=name,
        message_id=f"sleep.{local}@letters.example.org",
        mail_from="notes@letters.example.org",
        unsubscribe_url=f"https://letters.example.org/u/token-of-{local}",
        unsubscribe_mailto=f"mailto:unsubscribe+{local}@letters.example.org?subject=unsubscribe",
        values=values,
    )


def mail(letter: Email, to: Recipient | None = None) -> Mail:
    return fill(stencil(letter, LETTER, DATE), to or reader())


def parsed(content: bytes) -> EmailMessage:
    """The mail as Python's parser reads it; it must find nothing wrong anywhere."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert not part.defects
        assert all(not value.defects for value in part.values())
    return message


def part(content: bytes, subtype: str) -> str:
    """One alternative, decoded, with LF."""
    body = message_from_bytes(content, policy=policy.compat32)
    found = [each for each in body.walk() if each.get_content_subtype() == subtype]
    assert len(found) == 1
    payload = found[0].get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode().replace("\r\n", "\n")


def header_lines(content: bytes) -> list[str]:
    return content.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")


def needs_mailparser() -> None:
    """npm's mailparser, where node finds it: NODE_PATH, or a node_modules above. A third opinion,
    so it may lack in CI too: reformime, which CI installs, is the second."""
    resolve = ["node", "-e", "require.resolve('mailparser')"]
    if (
        not shutil.which("node")
        or subprocess.run(resolve, capture_output=True, check=False).returncode
    ):
        pytest.skip("needs npm's mailparser on NODE_PATH")
