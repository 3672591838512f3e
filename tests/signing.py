"""Keys and verifiers for the tests of signing: dkimpy, and OpenDKIM's milter behind a socket."""

from __future__ import annotations

from functools import cache

import dkim

from newsletter.mime.dkim_keys import dns_name, dns_record, make_key
from newsletter.model import DkimKey

DOMAIN = "letters.example.org"


@cache
def key(selector: str = "s1", *, ed25519: bool = False, domain: str = DOMAIN) -> DkimKey:
    return DkimKey(domain=domain, selector=selector, pem=make_key(ed25519=ed25519))


def zone(*keys: DkimKey) -> dict[str, str]:
    """What the DNS says of them."""
    return {dns_name(one): dns_record(one) for one in keys}


def verifies(content: bytes, number: int, *keys: DkimKey) -> bool:
    """Whether the signature of that number, counted from 0, holds in the eyes of dkimpy."""
    records = {f"{name}.": record.encode() for name, record in zone(*keys).items()}

    def look_up(name: bytes, timeout: int = 5) -> bytes | None:
        return records.get(name.decode())

    checked = dkim.DKIM(content)
    try:
        return bool(checked.verify(idx=number, dnsfunc=look_up))
    except dkim.DKIMException:
        return False
