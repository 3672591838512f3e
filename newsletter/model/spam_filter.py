"""Where a spam filter of the owner's listens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit


class FilterKind(StrEnum):
    """The two filters whose word is understood."""

    SPAMD = "spamd"
    RSPAMD = "rspamd"

    @property
    def known_as(self) -> str:
        return "SpamAssassin" if self is FilterKind.SPAMD else "rspamd"


# The port of spamd, and of rspamd's normal worker.
PORTS = {FilterKind.SPAMD: 783, FilterKind.RSPAMD: 11333}
FORMS = "spamd://127.0.0.1:783, spamd:/run/spamd.sock or rspamd://127.0.0.1:11333"


@dataclass(frozen=True, slots=True)
class SpamFilter:
    """A filter, at host and port, or at the Unix socket `path`."""

    kind: FilterKind
    host: str = ""
    port: int = 0
    path: str = ""

    @property
    def is_here(self) -> bool:
        """Whether what is shown to it stays on this machine."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        if self.path:
            return f"{self.kind}:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{host}:{self.port}"


def filter_at(text: str) -> SpamFilter:
    """The filter that the text names. Raises ValueError with the forms that there are."""
    scheme, _, rest = text.partition(":")
    if scheme not in tuple(FilterKind):
        raise ValueError(f"write {FORMS}")
    kind = FilterKind(scheme)
    if rest.startswith("/") and not rest.startswith("//"):
        if kind is FilterKind.SPAMD:
            return SpamFilter(kind, path=rest)
        raise ValueError(f"rspamd speaks HTTP: write {FORMS}")
    parts = urlsplit(text)
    if not parts.hostname or parts.path.strip("/") or parts.query or "@" in parts.netloc:
        raise ValueError(f"write {FORMS}")
    return SpamFilter(kind, host=parts.hostname, port=parts.port or PORTS[kind])
