"""One send being delivered: what all its ways and lanes share, safe to be used by several threads.

Rows of the ledger leave one by one, answers come back. It knows no relay and no transport.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from newsletter.audience.tokens import Keys
from newsletter.delivery.addressing import Person, addressing
from newsletter.errors import LineLost
from newsletter.mime import Stencil
from newsletter.model import Delivery, Hours, Letter, Offer, Recipient, Send
from newsletter.store import Store

CLAIM = 100


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
    """The rows of one send, handed out and taken back. `pages` counts how often some were
    claimed; `lane_ended` is called by each lane as it comes to its end."""

    send: Send
    office: Office
    stencil: Stencil
    recipient_of: Callable[[Person], Recipient] = field(init=False)
    lane_ended: Callable[[], object] = bool
    error: Exception | None = None
    closed_until: datetime | None = None
    pages: int = 0
    started_at: datetime = field(init=False)
    lock: Lock = field(default_factory=Lock)
    _answered: list[Delivery] = field(default_factory=list)
    _claimed: deque[Delivery] = field(default_factory=deque)

    def __post_init__(self) -> None:
        office = self.office
        self.started_at = office.now()
        self.recipient_of = addressing(self.send.slug, office.letter, office.keys)

    @property
    def over(self) -> bool:
        """Whether nothing more may leave: somebody asked, or it has become pointless."""
        return self.error is not None or self.closed_until is not None or self.office.stopping()

    def work_left(self) -> bool:
        """Whether a row could leave now, with all answers so far recorded."""
        self.flush()
        due_at = self.office.store.due_at(self.send.id)
        return bool(self._claimed) or (due_at is not None and due_at <= self.office.now())

    def next_row(self) -> Delivery | None:
        """A row claimed for this run, or None when no more is to be sent. Under the lock."""
        if self.office.store.halted(self.send.id):
            return None
        if not self._claimed:
            self.pages += 1
            hours = self.office.hours
            self.closed_until = hours.opens(self.office.now()) if hours else None
            if self.closed_until:
                return None
            rows = self.office.store.claim(self.send.id, CLAIM, self.office.now())
            self._claimed.extend(rows)
        return self._claimed.popleft() if self._claimed else None

    def put_back(self, row: Delivery) -> None:
        """Let another way have the row: this one never offered it."""
        with self.lock:
            self._claimed.appendleft(row)

    def begin(self, row: Delivery, offer: Offer) -> None:
        """Write down that the row's content is about to leave, to whom it is offered, and the
        answers so far with it."""
        with self.lock:
            self.office.store.begin(row, self.office.now(), self._answered, offer)
            self._answered.clear()

    def remember(self, row: Delivery) -> None:
        """Keep an answer for the next record. Under the lock."""
        self._answered.append(row)

    def flush(self) -> None:
        """Record the answers that no `begin` took along."""
        with self.lock:
            if self._answered:
                self.office.store.record_all(self._answered, self.office.now())
                self._answered.clear()

    def settle(self, row: Delivery) -> None:
        """Record a row that never meets a relay; in groups, as it costs no mail."""
        with self.lock:
            self._answered.append(row)
            full = len(self._answered) >= CLAIM
        if full:
            self.flush()

    def abandon(self) -> None:
        """Let nothing more leave: nobody is there to be told."""
        self.error = self.error or LineLost("the send was broken off", in_doubt=False)
