"""The text of an address -> what is asked of whom, or why it is not asked.

Every spelling of a host ends as ASCII letters of a name or a plain IP address here, so that what
is resolved, connected to, sent as SNI and as Host is one and the same (deliverability 7.21).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from newsletter.linkcheck.verdict import Verdict

PORTS = {"http": 80, "https": 443}
MOST_LETTERS = 8192
# What http.client takes in a request line, everything that RFC 3986 lets stand included.
_SAFE = "/?:@!$&'()*+,;=-._~%[]"
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# The WHATWG's "ends in a number": browsers read such a host as an IPv4 address, however odd
# (0x7f.1, 2130706433, 017700000001).
_NUMBER = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?$")


class Refused(Exception):
    """An address that is not visited, with the verdict on it."""

    def __init__(self, code: str, seen: str) -> None:
        super().__init__(seen)
        self.verdict = Verdict(code, seen)


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask for what. `host` is a name in ASCII or a numeric address without brackets;
    `request` the path and query of the request line."""

    scheme: str
    host: str
    port: int
    request: str

    @property
    def host_field(self) -> str:
        """The value of Host (RFC 9110 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host_field}{self.request}"


def target_of(url: str, ports: frozenset[int]) -> Target:
    """What to ask of whom. Raises Refused."""
    if len(url) > MOST_LETTERS:
        raise Refused("links.refused", f"an address of {len(url):,} characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Refused("links.refused", f"no address: {error}") from error
    if parts.scheme not in PORTS:
        raise Refused("links.refused", f"{parts.scheme or 'no scheme'} is neither http nor https")
    if "@" in parts.netloc:
        raise Refused("links.refused", "a name or password stands before the host")
    port = PORTS[parts.scheme] if port is None else port
    if port not in ports:
        raise Refused("links.refused", f"port {port}")
    path = quote(parts.path or "/", safe=_SAFE)
    query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    return Target(parts.scheme, _ascii_host(host), port, path + query)


def _ascii_host(host: str) -> str:
    if ":" in host:
        return _numeric(host)
    import idna  # noqa: PLC0415 - its tables take 20 ms to load

    try:
        name = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise Refused("links.dead", f"{host} is no host name: {error}") from error
    name = name.lower().removesuffix(".")
    if _NUMBER.search(name):
        return _numeric(name)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise Refused("links.dead", f"{host or 'nothing'} is no host name")
    return name


def _numeric(host: str) -> str:
    """The address in its one canonical spelling; leading zeros, hex and missing parts are refused
    where readers of addresses differ about them."""
    try:
        return str(ip_address(host))
    except ValueError as error:
        raise Refused("links.refused", f"{host} is an oddly written IP address") from error
