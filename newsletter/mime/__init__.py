"""Email -> the bytes of one reader's mail.

An Email, the Letter it belongs to and a date enter; a Stencil leaves, encoded once. A Stencil and a
Recipient enter; a Mail leaves, ready for any relay: 7-bit, CRLF, quoted-printable within 76
columns. A Finish makes it ready for one: with that relay's fields, and signed. No store, clock or
network is known here; links and identifiers arrive made.
"""

from newsletter.mime.finishing import Finish, finish
from newsletter.mime.headers import header
from newsletter.mime.inspection import gate
from newsletter.mime.stencils import Stencil, fill, stencil

__all__ = ["Finish", "Stencil", "fill", "finish", "gate", "header", "stencil"]
