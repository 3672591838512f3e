"""Mailboxes beyond ASCII (RFC 6530, 6531, 6532): which of them a mail may be written to.

A local part or an address enters; what is wrong with it leaves. The domain is no matter of this
module: it travels as A-labels. Only NFC is ever applied. NFKC would make another mailbox of it, or
an `@` of a full-width one; what only looks like ASCII is refused instead.
"""

from __future__ import annotations

import re
import unicodedata

LOCAL_PART_OCTETS = 64  # RFC 5321 4.5.3.1.1, of UTF-8 (RFC 6531 3.3)
PATH_OCTETS = 254

# RFC 5322 3.2.3 with RFC 6532 3.2.
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_DOT_ATOM = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
# Printable by their category, and yet nothing is seen of them: Default_Ignorable_Code_Point of
# Unicode 14, and the blank of Braille.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
_SPECIALS = frozenset(' "(),:;<>@[\\]')


def composed(local: str) -> str:
    """The local part in the form in which two that look alike are one (NFC, RFC 6532 3.1)."""
    return unicodedata.normalize("NFC", local)


def plain(local: str) -> str:
    """The ASCII local part that this one is in other letters, as input methods and PDFs make
    them (full width, ligatures), or ""."""
    meant = unicodedata.normalize("NFKC", local)
    return meant if meant.isascii() and meant != local else ""


def fault(local: str) -> str:
    """Why nothing is sent to that composed local part, as the end of a sentence; "" when it may
    be."""
    if not local.isprintable() or _UNSEEN.search(local):
        return "contains an invisible character"
    if _DOT_ATOM.fullmatch(local) is None:
        return "has a sign or a dot where no address has one (RFC 6531 3.3)"
    if len(local.encode()) > LOCAL_PART_OCTETS:
        return f"has more than {LOCAL_PART_OCTETS} octets before the @"
    return _disguise(local)


def _disguise(local: str) -> str:
    """What it would be taken for, or become in careless hands."""
    if any(unicodedata.category(atom[0]).startswith("M") for atom in local.split(".")):
        return "begins with an accent that no letter carries"
    apart = unicodedata.normalize("NFKD", local)
    if not _SPECIALS.isdisjoint(apart) or apart.count(".") != local.count("."):
        return "has a look-alike of a space, a dot or a sign that ends an address"
    if plain(local):
        return f"is {plain(local)} in letters that only look like it"
    return ""


def carried(address: str) -> bool:
    """Whether an address with a local part beyond ASCII can stand in a command and in a header
    field: composed, without fault, its domain in A-labels, not too long."""
    local, _, domain = address.rpartition("@")
    return (
        _DOMAIN.fullmatch(domain) is not None
        and composed(local) == local
        and not fault(local)
        and len(address.encode()) <= PATH_OCTETS
    )
