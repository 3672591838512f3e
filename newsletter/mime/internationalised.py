"""The one field of an internationalised mail that is not ASCII: To (RFC 6532 3.2).

Whom the mail is for enters; the address as it is spoken and the finished field leave. Everything
else of the mail stays 7-bit, the display name included, so that as little as can be depends on what
the servers on the way make of UTF-8.
"""

from __future__ import annotations

from newsletter.errors import MailRefused
from newsletter.mime.headers import ascii_domain, header, mailbox_field
from newsletter.mime.words import LINE, display_name, phrase
from newsletter.model import Mailbox
from newsletter.smtputf8 import carried


def to_field(mailbox: Mailbox) -> tuple[str, bytes]:
    """The address with its domain in A-labels, and `To`. Raises MailRefused, without repeating
    the address."""
    local, _, domain = mailbox.address.rpartition("@")
    address = f"{local}@{ascii_domain(domain)}"
    if address.isascii():
        return address, mailbox_field("To", Mailbox(mailbox.name, address))
    if not carried(address):
        raise MailRefused(
            "an address is not of the form local@domain (RFC 6531 3.3)", code="mail.address"
        )
    return address, _field(display_name(mailbox.name), address)


def _field(shown: str, address: str) -> bytes:
    if not shown:
        return b"To: %b\r\n" % address.encode()
    named = header("To", *phrase(shown, len("To: "))).removesuffix(b"\r\n")
    column = len(named.rpartition(b"\r\n")[2])
    fold = b" " if column + len(address) + 3 <= LINE else b"\r\n "
    return b"%b%b<%b>\r\n" % (named, fold, address.encode())
