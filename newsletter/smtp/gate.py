"""The wire gate: the last look at a mail before a relay sees it.

A Mail enters; it leaves unchanged, or MailRefused is raised. Everything here was checked when the
address came in and when the mail was encoded; this gate believes none of that.
"""

from __future__ import annotations

import re

from newsletter.errors import MailRefused
from newsletter.model import Mail

# What could end the path or the command early (RFC 5321 4.1.2), in ASCII only: no space, no
# control, no angle bracket. Lengths are RFC 5321 4.5.3.1.1-3.
_ADDRESS = re.compile(r"[!-;=?-~]{1,64}@[!-;=?-~]{1,255}")
_PATH_LIMIT = 254


def refuse_unsafe(mail: Mail) -> None:
    """Nothing, when `mail` can end neither a command nor itself early; else MailRefused.

    `mail_from` may be empty, the null reverse-path of RFC 5321 4.5.5.
    """
    if mail.mail_from:
        _refuse_address(mail.mail_from, "envelope sender")
    _refuse_address(mail.rcpt_to, "recipient")
    _refuse_content(mail.content)


def _refuse_address(address: str, role: str) -> None:
    if len(address) > _PATH_LIMIT or _ADDRESS.fullmatch(address) is None:
        raise MailRefused(
            f"the {role}'s address would not survive an SMTP command",
            hint="addresses hold no space, line end or angle bracket (RFC 5321 4.1.2)",
            code="mail.address",
        )


def _refuse_content(content: bytes) -> None:
    # Counting is three memchr sweeps; a pattern for a bare CR or LF costs ten times as much.
    ends = content.count(b"\r\n")
    if content.count(b"\n") != ends or content.count(b"\r") != ends:
        raise MailRefused(
            "the mail holds a bare CR or LF, which some relays read as its end",
            hint="lines end in CRLF (RFC 5321 2.3.8)",
            code="mail.line_end",
        )
    if not content.endswith(b"\r\n") or not content.isascii() or b"\0" in content:
        raise MailRefused(
            "the mail is not 7-bit text that ends in CRLF",
            hint="encode it as quoted-printable first",
            code="mail.bytes",
        )


def dot_stuffed(content: bytes) -> bytes:
    """`content` with transparency applied and the final dot behind it (RFC 5321 4.5.2)."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    first = b"." if stuffed.startswith(b".") else b""
    return b"%b%b.\r\n" % (first, stuffed)
