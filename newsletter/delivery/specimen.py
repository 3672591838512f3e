"""A specimen: the mail as an invented reader would get it, for files, previews and golden tests.

Its keys sign nothing and its reader does not exist, so the same sources give the same bytes
everywhere, and the links in it open nobody's subscription.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message

from newsletter.audience.tokens import Keys
from newsletter.delivery.addressing import Addressee, recipient
from newsletter.mime import fill, stencil
from newsletter.model import Article, Email, Letter, Mail

READER = Addressee(0, "ada@example.com", "Ada Example", {})
KEYS = Keys((b"not a secret: for specimens only",))
UNDATED = datetime(2000, 1, 1, tzinfo=UTC)


def specimen(email: Email, article: Article, letter: Letter, reader: Addressee = READER) -> Mail:
    """The mail for the reader, dated as the article."""
    cut = stencil(email, letter, article.date or UNDATED)
    return fill(cut, recipient(reader, email.slug, letter, KEYS))


def part(content: bytes, subtype: str) -> str:
    """The `plain` or `html` part of a mail's content, decoded, with LF; "" when there is none."""
    # The default policy's get_body() parses every field too and takes three times as long.
    return _part_of(message_from_bytes(content), subtype)


def parts(content: bytes) -> tuple[str, str]:
    """The `plain` and the `html` part, as `part` gives them."""
    message = message_from_bytes(content)
    return _part_of(message, "plain"), _part_of(message, "html")


def _part_of(message: Message, subtype: str) -> str:
    for each in message.walk():
        wanted = each.get_content_type() == f"text/{subtype}"
        if wanted and each.get_content_disposition() != "attachment":
            body = bytes(each.get_payload(decode=True) or b"")
            charset = each.get_content_charset("utf-8")
            return body.decode(charset, "replace").replace("\r\n", "\n")
    return ""
