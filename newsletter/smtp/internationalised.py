"""Mail to a mailbox beyond ASCII on one line to a relay (RFC 6531).

A Line enters, what is said for such a mail leaves; or NotOffered, before a word of it was said. No
other mail is told to be internationalised: a relay then has to find servers all the way that take
it.
"""

from __future__ import annotations

from newsletter.errors import MailRefused
from newsletter.model import Reply, Stage
from newsletter.smtp.line import Line

# To is UTF-8, so the content is 8-bit; who offers the one offers the other (RFC 6531 3.1, 3.6).
_PARAMETERS = " BODY=8BITMIME SMTPUTF8"
_NEEDED = frozenset(("smtputf8", "8bitmime"))


class NotOffered(MailRefused):
    """This line does not take the mail. `reply` is what a relay would say that looked at the
    address (RFC 6531 3.5)."""

    reply = Reply(
        Stage.RCPT,
        553,
        "5.6.7",
        "the relay does not take addresses outside ASCII (SMTPUTF8, RFC 6531)",
    )

    def __init__(self) -> None:
        super().__init__(self.reply.text)


def parameters(line: Line) -> str:
    """What MAIL says besides. Raises NotOffered."""
    if not line.extensions.keys() >= _NEEDED:
        raise NotOffered
    return _PARAMETERS


def original_recipient(address: str) -> str:
    """The address for ORCPT, in the ASCII that no server on the way can damage (RFC 6533 3,
    utf-8-addr-xtext)."""
    return "utf-8;" + "".join(
        c if "!" <= c <= "~" and c not in "+=\\" else f"\\x{{{ord(c):02X}}}" for c in address
    )
