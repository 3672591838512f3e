"""What mail is signed with."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimKey:
    """A private key in PEM and where its public half is published:
    `selector._domainkey.domain` (RFC 6376 3.6.2.1). The key never shows in repr."""

    domain: str
    selector: str
    pem: str = field(repr=False)
