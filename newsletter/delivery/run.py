"""One send being delivered: what all its lanes share, safe to be used by several threads.

Rows of the ledger leave one by one, answers come back. It knows no transport and no thread.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from newsletter.audience.tokens import Keys
from newsletter.delivery.addressing import Addressee, recipient
from newsletter.delivery.breaker import Breaker, domain_of
from newsletter.delivery.outcome import accepted, outcome
from newsletter.delivery.pace import Pace
from newsletter.delivery.verdicts import Ruling, Scope, Verdict
from newsletter.errors import AudienceError, LineLost
from newsletter.mime import Finish, Stencil, fill
from newsletter.model import Delivery, DeliveryState, Hours, Letter, Mail, Reply, Send, Stage
from newsletter.store import Store

CLAIM = 100
DOMAIN_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What delivering needs besides the send: the ledger, the letterhead, the keys, the hours when
    mail may leave, and the world (a clock, dice between 0 and 1, a way to wait for a relay that is
    gone and one to rest, and whether somebody asked to stop)."""

    store: Store
    letter: Letter
    keys: Keys
    now: Callable[[], datetime]
    sleep: Callable[[float], object]
    jitter: Callable[[], float] = float
    stopping: Callable[[], bool] = bool
    rest: Callable[[float], object] = time.sleep
    hours: Hours | None = None


@dataclass(slots=True)
class Run:
    """The rows of one send, handed out and taken back."""

    send: Send
    office: Office
    stencil: Stencil
    breaker: Breaker
    pace: Pace
    finish: Finish
    error: Exception | None = None
    closed_until: datetime | None = None
    retired: Exception | None = None
    started_at: datetime = field(init=False)
    _heard: int = 0
    _answered: list[Delivery] = field(default_factory=list)
    _claimed: deque[Delivery] = field(default_factory=deque)
    _bounced: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.started_at = self.office.now()

    @property
    def over(self) -> bool:
        """Whether nothing more may leave: somebody asked, or it has become pointless."""
        return (
            self.error is not None
            or self.breaker.error is not None
            or self.goes_on_at is not None
            or self.office.stopping()
        )

    @property
    def goes_on_at(self) -> datetime | None:
        """When a run that has come to a limit of the day, or to its quiet hours, goes on."""
        return self.closed_until or self.pace.full_until

    def next_row(self) -> Delivery | None:
        """A row claimed for this run, or None when no more is to be sent."""
        with self._lock:
            if self.over or self.office.store.halted(self.send.id):
                return None
            if not self._claimed:
                self.pace.look_again()
                hours = self.office.hours
                self.closed_until = hours.opens(self.office.now()) if hours else None
                if self.closed_until:
                    return None
                rows = self.office.store.claim(self.send.id, CLAIM, self.office.now())
                self._claimed.extend(rows)
            return self._claimed.popleft() if self._claimed else None

    def may_leave(self, row: Delivery) -> bool:
        """Whether the row's turn has come; False when this run sends no more."""
        return self.pace.wait(domain_of(row.address)) and not self.over

    def unsendable(self, row: Delivery) -> Delivery | None:
        """The row as it ends before it meets the relay, or None when it may go: asked as late as
        possible, after the claim."""
        if reason := self.office.store.refusal(row):
            return replace(row, state=DeliveryState.SKIPPED, reason=reason)
        return self.paused(row)

    def paused(self, row: Delivery) -> Delivery | None:
        """The row as it ends when its domain is left alone, else None."""
        with self._lock:
            reason = self.breaker.pause(row.address)
        if reason:
            due = self.office.now() + DOMAIN_PAUSE
            return replace(row, state=DeliveryState.DEFERRED, reason=reason, next_at=due)
        return None

    def mail(self, row: Delivery) -> Mail:
        """The row's mail. Raises MailRefused when no lawful mail can be written to this person."""
        person = Addressee(
            row.subscriber_id, row.address, row.name, row.fields, send_id=row.send_id
        )
        office = self.office
        to = recipient(person, self.send.slug, office.letter, office.keys)
        return self.finish(fill(self.stencil, to))

    def begin(self, row: Delivery) -> None:
        """Write down that the row's content is about to leave, and the answers so far with it."""
        with self._lock:
            self.office.store.begin(row, self.office.now(), self._answered)
            self._answered.clear()

    def answered(self, row: Delivery, reply: Reply, message_id: str) -> Delivery:
        """The row with the relay's last word, which is recorded with the next `begin` of any
        lane, or by `flush`: a lane has one unrecorded answer at most when its next content leaves.
        """
        if reply.stage is Stage.DOT and reply.positive:
            done = accepted(row, reply, message_id)
        else:
            offered = replace(row, message_id=message_id)
            done = outcome(offered, reply, self.office.now(), self.office.jitter())
        with self._lock:
            self._answered.append(done)
            self._heard += 1
            told = self.breaker.hear(row.address, reply)
            if told.verdict is Verdict.THROTTLE:
                self._slow_down(row, told)
            if told.verdict is Verdict.HARD:
                self._bounced.append(row.address)
            elif told.verdict is Verdict.ACCEPTED:
                self._suppress_bounced()
        return done

    def _slow_down(self, row: Delivery, told: Ruling) -> None:
        run = told.scope is Scope.RUN
        key = f"relay:{self.pace.relay.name}" if run else f"domain:{domain_of(row.address)}"
        elapsed_s = max((self.office.now() - self.started_at).total_seconds(), 0.1)
        self.pace.slow_down(key, max(self._heard / elapsed_s, 1.0))

    def flush(self) -> None:
        """Record the answers that no `begin` took along."""
        with self._lock:
            if self._answered:
                self.office.store.record_all(self._answered, self.office.now())
                self._answered.clear()

    def settle(self, row: Delivery) -> None:
        """Record a row that never meets the relay; in groups, as it costs no mail."""
        with self._lock:
            self._answered.append(row)
            full = len(self._answered) >= CLAIM
        if full:
            self.flush()

    def abandon(self) -> None:
        """Let nothing more leave: nobody is there to be told."""
        self.error = self.error or LineLost("the send was broken off", in_doubt=False)

    def verdict(self) -> Exception | None:
        """Why the run came to an early end. A lane that gave up matters only when the others did
        not take its rows."""
        left = self.office.store.progress(self.send.id)
        if self.retired and (left[DeliveryState.PENDING] or left[DeliveryState.CLAIMED]):
            return self.error or self.breaker.error or self.retired
        return self.error or self.breaker.error

    def close(self) -> None:
        """Act on what waited for the end of the run."""
        self.flush()
        if not self.breaker.knows_nobody:
            self._suppress_bounced()

    def _suppress_bounced(self) -> None:
        """Only once the relay has taken a mail, or at the end: a relay that knows nobody at all
        must not erase a list (promise 6)."""
        for address in self._bounced:
            with suppress(AudienceError):  # erased while the mail was under way
                self.office.store.suppress(address, "bounce", self.office.now())
        self._bounced.clear()
