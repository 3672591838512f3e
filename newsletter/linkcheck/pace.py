"""A pause between two requests to the same host, whoever of the threads makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock


@dataclass(slots=True)
class Pace:
    """Who may be asked when."""

    pause_s: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    _next: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def wait(self, host: str) -> None:
        """Return when the host may be asked."""
        with self._lock:
            now = self.clock()
            turn = max(now, self._next.get(host, now))
            self._next[host] = turn + self.pause_s
        if turn > now:
            self.sleep(turn - now)
