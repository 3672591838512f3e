"""One send being delivered: what all its ways and lanes share, safe to be used by several threads.

Rows of the ledger leave one by one, answers come back. It knows no relay and no transport.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from newsletter.audience.tokens import Keys
from newsletter.errors import LineLost
from newsletter.mime import Stencil
from newsletter.model import Delivery, Hours, Letter, Send
from newsletter.store import Store

CLAIM = 100
# What a lane takes at once: a mail made among others costs half of one made between two waits.
SHEET = 25
# Its share of the last of them: they must not wait for a slow line.
SHARE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What delivering needs besides the send: the ledger, the letterhead, the keys, the hours when
    mail may leave, and the world (a clock, dice between 0 and 1, a way to wait for a relay that is
    gone and one to rest, whether somebody asked to stop, and somebody to `say` a remark to)."""

    store: Store
    letter: Letter
    keys: Keys
    now: Callable[[], datetime]
    sleep: Callable[[float], object]
    jitter: Callable[[], float] = float
    stopping: Callable[[], bool] = bool
    rest: Callable[[float], object] = time.sleep
    hours: Hours | None = None
    say: Callable[[str], object] = str


@dataclass(slots=True)
class Run:
    """The rows of one send, handed out to lanes. `pages` counts how often some were claimed;
    `lane_ended` is called by each lane as it comes to its end."""

    send: Send
    office: Office
    stencil: Stencil
    lane_ended: Callable[[], object] = bool
    error: Exception | None = None
    closed_until: datetime | None = None
    pages: int = 0
    started_at: datetime = field(init=False)
    lock: Lock = field(default_factory=Lock)
    _claimed: deque[Delivery] = field(default_factory=deque)
    _last_page: bool = True

    def __post_init__(self) -> None:
        self.started_at = self.office.now()

    @property
    def over(self) -> bool:
        """Whether nothing more may leave: somebody asked, or it has become pointless."""
        return self.error is not None or self.closed_until is not None or self.office.stopping()

    def work_left(self) -> bool:
        """Whether a row could leave now, as far as the answers are recorded."""
        due_at = self.office.store.due_at(self.send.id)
        return bool(self._claimed) or (due_at is not None and due_at <= self.office.now())

    def next_rows(self) -> list[Delivery]:
        """Rows claimed for this run, none when no more is to be sent. Under the lock."""
        if self.office.store.halted(self.send.id):
            return []
        if not self._claimed:
            self.pages += 1
            hours = self.office.hours
            self.closed_until = hours.opens(self.office.now()) if hours else None
            if self.closed_until:
                return []
            rows = self.office.store.claim(self.send.id, CLAIM, self.office.now())
            self._claimed.extend(rows)
            self._last_page = len(rows) < CLAIM
        waiting = len(self._claimed)
        share = 1 + waiting // SHARE if self._last_page else SHEET
        return [self._claimed.popleft() for _ in range(min(waiting, share))]

    def put_back(self, rows: Sequence[Delivery]) -> None:
        """Let another way have the rows: this one never offered them."""
        with self.lock:
            self._claimed.extendleft(reversed(rows))

    def abandon(self) -> None:
        """Let nothing more leave: nobody is there to be told."""
        self.error = self.error or LineLost("the send was broken off", in_doubt=False)
