"""Which IP addresses are on the public internet: the only ones a link is followed to.

The networks are IANA's special-purpose registries (RFC 6890 and its successors) and the few public
addresses behind which clouds serve metadata. Written out, since what `ipaddress` calls global
differs between the patch levels of Python we support (CVE-2024-4032).
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address

_CLOSED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # Azure's host, public by number only
    )
)
# Of IPv6 only 2000::/3 is given out; these parts of it are not.
_GIVEN_OUT = ip_network("2000::/3")
_CLOSED_6: tuple[Network, ...] = tuple(
    ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")
)
# IPv6 addresses with an IPv4 address inside, and by how many bits it stands from the right.
_INSIDE: tuple[tuple[IPv6Network, int], ...] = tuple(
    (IPv6Network(text), shift)
    for text, shift in (
        ("::ffff:0:0/96", 0),  # mapped
        ("64:ff9b::/96", 0),  # NAT64
        ("64:ff9b:1::/48", 0),  # local NAT64, where only a /96 is told apart
        ("2002::/16", 80),  # 6to4
    )
)


def is_public(text: str, allowed: Sequence[Network] = ()) -> bool:
    """Whether a connection to that numeric address may be made; `allowed` are networks that may be
    reached all the same, which no configuration has: tests run their servers on loopback."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if any(address in network for network in allowed):
        return True
    if "%" in text:
        return False
    return _is_public(address)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED)
    for network, shift in _INSIDE:
        if address in network:
            return _is_public(IPv4Address((int(address) >> shift) & 0xFFFFFFFF))
    return address in _GIVEN_OUT and not any(address in network for network in _CLOSED_6)
