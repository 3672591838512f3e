"""The last gate on the bytes of a mail.

A finished mail enters; nothing leaves, or MailRefused. It believes none of the encoders and shares
no code with them.
"""

from __future__ import annotations

import re
from collections import Counter

from newsletter.errors import MailRefused

_SINGLE = (
    *("from", "to", "subject", "date", "message-id", "mime-version", "content-type"),
    *("list-id", "list-unsubscribe", "list-unsubscribe-post"),
)
_AT_MOST_ONE = ("reply-to", "list-archive", "list-post", "feedback-id", "precedence", "sender")
# They would show one reader to another, or belong to the servers on the way (deliverability 1).
_NEVER = ("cc", "bcc", "return-path", "resent-to", "resent-cc", "resent-bcc", "errors-to")

_LINE_LIMIT = 998
_BODY_LIMIT = 76
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Any letter case and any beginning: a token shouted or wrapped by somebody is still a token.
_TOKEN = re.compile(rb"xslot[0-9a-f]{2}")
# What a base64 part holds is letters at random: now and then they spell a token.
_BASE64 = re.compile(
    rb"^Content-Transfer-Encoding: base64\r\n(?:[^\r\n]+\r\n)*\r\n[A-Za-z0-9+/=\r\n]*", re.MULTILINE
)
_FIELD = re.compile(rb"([A-Za-z][A-Za-z0-9-]*): ?(.*)", re.DOTALL)
_QUOTED_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_ONE_ADDRESS = re.compile(rb"[^@<>,:;]*<[^@<>,:;\s]+@[^@<>,:;\s]+>|[^@<>,:;\s]+@[^@<>,:;\s]+")


def gate(content: bytes) -> None:
    """Nothing, when these bytes may leave: 7-bit CRLF text, a header with each field once and one
    reader, a readable unsubscribe link, a body within 76 columns, no slot unfilled. Otherwise
    MailRefused, which repeats nothing of the mail.

    A reader whose name is spelt like a token is refused here too; `fill` knows better.
    """
    _refuse_bytes(content)
    head, blank, body = content.partition(b"\r\n\r\n")
    if not blank or not content.endswith(b"\r\n"):
        raise _refused("has no body, or does not end in CRLF")
    _refuse_lines(head, body)
    _refuse_fields(head)
    if _TOKEN.search(_BASE64.sub(b"", content).replace(b"=\r\n", b"").lower()):
        raise _refused("still has an unfilled personal field", code="mail.slot")


def _refuse_bytes(content: bytes) -> None:
    if not content.isascii() or _CONTROL.search(content):
        raise _refused("has octets that are not 7-bit text")
    ends = content.count(b"\r\n")
    if content.count(b"\n") != ends or content.count(b"\r") != ends:
        raise _refused("has a bare CR or LF, which some relays take for its end")


def _refuse_lines(head: bytes, body: bytes) -> None:
    if _longest_line(head) > _LINE_LIMIT:
        raise _refused(f"has a header line of more than {_LINE_LIMIT} characters (RFC 5322 2.1.1)")
    if b"\n." in body or body.startswith(b"."):
        raise _refused("has a body line that begins with a dot, which SMTP would have to stuff")
    if _longest_line(body) > _BODY_LIMIT:
        raise _refused(f"has a body line of more than {_BODY_LIMIT} characters (RFC 2045 6.7)")


def _longest_line(text: bytes) -> int:
    return max(map(len, text.split(b"\r\n")))


def _refuse_fields(head: bytes) -> None:
    fields = _fields(head)
    counts = Counter(name for name, _ in fields)
    for name in _SINGLE:
        if counts[name] != 1:
            raise _refused(f"has {counts[name]} {name} fields; it needs exactly one")
    for name in _AT_MOST_ONE:
        if counts[name] > 1:
            raise _refused(f"has {counts[name]} {name} fields; at most one is allowed")
    for name in _NEVER:
        if counts[name]:
            raise _refused(f"has a {name} field, which a letter never has")
    values = dict(fields)
    if _ONE_ADDRESS.fullmatch(_QUOTED_STRING.sub(b"", values["to"]).strip()) is None:
        raise _refused("is not addressed to exactly one reader")
    if not values["list-unsubscribe"].startswith(b"<https://"):
        raise _refused("has no plain https link in List-Unsubscribe (RFC 8058 3.1)")


def _fields(head: bytes) -> list[tuple[str, bytes]]:
    """Name in lower case and unfolded value of each field, in order."""
    matches = [_FIELD.fullmatch(field) for field in re.split(rb"\r\n(?![ \t])", head)]
    found = [(match[1].decode().lower(), match[2]) for match in matches if match is not None]
    if len(found) != len(matches):
        raise _refused("has a line in its header that is no field")
    return [(name, re.sub(rb"\r\n(?=[ \t])", b"", value)) for name, value in found]


def _refused(fault: str, code: str | None = None) -> MailRefused:
    return MailRefused(f"the mail {fault}", code=code)
