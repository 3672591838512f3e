"""The net as a run of link checks meets it: names, ports, certificates, time; for tests, loopback.

Everything that is not of this program comes in here as a value.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from newsletter.linkcheck.target import Refused, Target
from newsletter.linkcheck.territory import Network, is_public

Resolve = Callable[[str, int], list[str]]


def system_names(host: str, port: int) -> list[str]:
    """The numeric addresses behind a name, best first, as this machine resolves it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """How the net is met. The bounds are those of deliverability 7.21, the pace is ours: seconds
    from one request to the next at the same host."""

    resolve: Resolve = system_names
    ports: frozenset[int] = frozenset((80, 443))
    allowed: tuple[Network, ...] = ()
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    timeout_s: float = 5.0
    most_bytes: int = 65_536
    redirects: int = 3
    pace_s: float = 1.0
    at_once: int = 8

    def address_of(self, target: Target) -> str:
        """The one numeric address to connect to. Raises Refused when the name has none, or when
        any of its addresses is private: such an answer is an attack or a mistake, and which of the
        addresses a reader gets is chance."""
        try:
            addresses = self.resolve(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise _unresolved(target.host, error) from error
        if not addresses:
            raise Refused("links.dead", f"{target.host} has no address")
        for address in addresses:
            if not is_public(address, self.allowed):
                raise Refused("links.refused", f"{target.host} is in a private network")
        return addresses[0]


def _unresolved(host: str, error: Exception) -> Refused:
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
        return Refused("links.failing", f"{host} could not be looked up just now")
    return Refused("links.dead", f"nobody is called {host}")
