"""Email -> the bytes of one reader's mail.

An Email, the Letter it belongs to and a date enter; a Stencil leaves, encoded once. A Stencil and a
Recipient enter; a Mail leaves, ready for any relay: 7-bit, CRLF, quoted-printable within 76
columns. It knows no store, no relay, no clock and no key: links and identifiers arrive made.
"""

from newsletter.mime.headers import header
from newsletter.mime.inspection import gate
from newsletter.mime.stencils import Stencil, fill, stencil

__all__ = ["Stencil", "fill", "gate", "header", "stencil"]
