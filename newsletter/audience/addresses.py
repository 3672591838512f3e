"""Text that a person typed -> an address that SMTP can carry.

One cell or option enters; its one spoken form leaves, or AddressInvalid with a sentence for whoever
brought it. Nothing is looked up: no DNS, no list of disposable domains. The message never repeats
what could move a terminal's cursor.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from newsletter.errors import AddressInvalid
from newsletter.model import Mailbox
from newsletter.smtputf8 import PATH_OCTETS, composed, fault, plain

_ANGLED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")
# What spreadsheets and web pages leave around a cell: byte order mark, zero-width and soft marks.
_INVISIBLE_EDGES = "\ufeff\u200b\u200c\u200d\u2060\u00ad"
_LONGEST_CELL = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

# RFC 2606 and RFC 6761 reserve them, so people test with them; email-validator knows `.test` only.
_RESERVED = re.compile(r"(?:^|(?<=\.))(?:invalid|localhost)$", re.IGNORECASE)


def parse_address(text: str) -> str:
    """The address in `text` as it is spoken to a relay: the domain in lower case with A-labels
    (IDNA 2008 with UTS 46), the local part as given, and in NFC where it is beyond ASCII (RFC
    6531). Takes what `parse_mailbox` takes."""
    return parse_mailbox(text).address


def parse_mailbox(text: str) -> Mailbox:
    """The name and address in `ada@example.org`, `<ada@example.org>`, `Ada <ada@example.org>`,
    `"Example, Ada" <ada@example.org>` or `mailto:ada@example.org?subject=x`."""
    cell = _trimmed(text)
    _refuse_unreadable(cell)
    match = _ANGLED.fullmatch(cell)
    if match is not None:
        return Mailbox(_unquoted(match["name"]), _spoken(_trimmed(match["address"])))
    if cell[:7].lower() == "mailto:":
        # RFC 6068 2: the address is percent-encoded, and header fields may follow.
        cell = unquote(cell[7:].partition("?")[0])
        _refuse_unreadable(cell)
    return Mailbox("", _spoken(cell))


def _trimmed(text: str) -> str:
    return text.strip().strip(_INVISIBLE_EDGES).strip()


def _refuse_unreadable(cell: str) -> None:
    if not cell:
        raise AddressInvalid("there is no address")
    if len(cell) > _LONGEST_CELL:
        raise AddressInvalid(f"an address of {len(cell)} characters is too long")
    if _CONTROL.search(cell):
        raise AddressInvalid(f"{_shown(cell)} contains a line break or another control character")


def _spoken(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if not at:
        raise AddressInvalid(f"{_shown(address)} has no @")
    if "@" in local:
        raise AddressInvalid(f"{_shown(address)} has two @", hint=_one_address_hint(address))
    if any(c.isspace() for c in address):
        raise AddressInvalid(f"{_shown(address)} contains a space")
    if not address.isprintable():
        raise AddressInvalid(f"{_shown(address)} contains an invisible character")
    local = composed(local)
    if not local.isascii() and (reason := fault(local)):
        meant = plain(local)
        raise AddressInvalid(
            f"{_shown(address)} {reason}",
            hint=f"if it is {_shown(f'{meant}@{domain}')}, write that" if meant else None,
        )
    spoken = f"{local}@{_ascii_domain(local, domain)}"
    if len(spoken.encode()) > PATH_OCTETS:
        raise AddressInvalid(f"{_shown(address)} is too long")
    return spoken


def _ascii_domain(local: str, domain: str) -> str:
    """The domain of a valid address as A-labels. Raises AddressInvalid."""
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    reserved = _RESERVED.search(domain)
    stand_in = domain if reserved is None else domain[: reserved.start()] + "test"
    try:
        valid = validate_email(
            f"{local if local.isascii() else 'x'}@{stand_in}",
            check_deliverability=False,
            test_environment=True,
            strict=True,
        )
    except EmailNotValidError as error:
        reason = "".join(c for c in str(error) if c.isprintable())
        raise AddressInvalid(f"{_shown(f'{local}@{domain}')} is not an address: {reason}") from None
    ascii_domain = valid.ascii_domain
    return ascii_domain if reserved is None else ascii_domain[:-4] + reserved[0].lower()


def _one_address_hint(address: str) -> str | None:
    return "one address per cell" if re.search(r"[,;\s]", address) else None


def _unquoted(name: str) -> str:
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'":
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return " ".join(name.split())


def _shown(text: str) -> str:
    """`text` in quotes, harmless and short."""
    harmless = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return f"'{harmless[:80]}{'...' if len(harmless) > 80 else ''}'"


# --- typing errors -------------------------------------------------------------------------------

# Only names long enough that a neighbour one edit away is hardly a real provider: `live.com` is
# left out because of `love.com`, `gmx.de` because of `gmx.at`.
_PROVIDERS = (
    *("gmail.com", "googlemail.com", "hotmail.com", "outlook.com", "icloud.com", "yahoo.com"),
    *("hotmail.co.uk", "yahoo.co.uk", "hotmail.fr", "yahoo.fr", "hotmail.de", "yahoo.de"),
    *("outlook.de", "outlook.fr", "protonmail.com", "comcast.net", "fastmail.com", "t-online.de"),
    *("freenet.de", "wanadoo.fr", "orange.fr", "laposte.net", "btinternet.com", "verizon.net"),
    *("bluewin.ch", "libero.it", "virgilio.it", "seznam.cz", "yandex.ru", "rambler.ru"),
)
# One edit away from a name above, and somebody's real address all the same.
_REAL = (
    *("mail.com", "email.com", "ymail.com", "rmail.com", "gmail.de", "freenet.com", "orange.com"),
    *("hotmail.be", "hotmail.ch", "hotmail.dk", "hotmail.es", "hotmail.ru", "hotmail.se"),
    *("outlook.be", "outlook.dk", "outlook.es", "outlook.it"),
    *("yahoo.ca", "yahoo.es", "yahoo.in", "yahoo.it", "yahoo.se"),
    *("yandex.by", "yandex.com", "yandex.kz", "yandex.ua"),
)
_COM_MISTYPED = re.compile(r"\.(?:con|cmo|ocm|om|vom|xom|cim|coom|comm|cpm|clm|c0m|co|cm)$")


def suggestion(address: str) -> str | None:
    """The address that was probably meant when the domain looks like a slip of the fingers on a
    big provider's name (`gmial.com`), else None."""
    local, _, typed = address.rpartition("@")
    domain = typed.lower()
    if not local or domain in _PROVIDERS or domain in _REAL:
        return None
    mended = _COM_MISTYPED.sub(".com", domain)
    for provider in _PROVIDERS:
        if mended == provider or _one_slip_apart(mended, provider):
            return f"{local}@{provider}"
    return None


def _one_slip_apart(typed: str, meant: str) -> bool:
    """Whether one letter is missing, extra, wrong, or two neighbours are swapped."""
    if abs(len(typed) - len(meant)) > 1 or typed == meant:
        return False
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    t, m = typed[start:], meant[start:]
    swapped = t[:2] == m[1::-1] and t[2:] == m[2:]
    return t[1:] == m[1:] or t[1:] == m or t == m[1:] or swapped
