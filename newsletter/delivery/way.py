"""One relay as a run uses it: its pace, its refusals, and how a mail is made ready for it.

Rows go out and answers come back by it, several lanes at once. It knows when this relay is no use
any more; what happens to its rows then is the run's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

from newsletter.delivery.breaker import IN_A_ROW, Breaker, domain_of
from newsletter.delivery.outcome import accepted, outcome
from newsletter.delivery.pace import Pace, World
from newsletter.delivery.patience import is_gone
from newsletter.delivery.run import Run
from newsletter.delivery.verdicts import Ruling, Scope, Verdict
from newsletter.delivery.writing import Write, writing
from newsletter.errors import AudienceError, RelayError
from newsletter.mime import finish
from newsletter.model import Delivery, DeliveryState, Relay, Reply, Stage
from newsletter.smtp import Transport

DOMAIN_PAUSE = timedelta(hours=1)
# How long it is believed that nothing stands in the way of a mail: to ask takes twenty calls.
GLANCE_S = 0.01


@dataclass(frozen=True, slots=True)
class WayOut:
    """A relay, and the lines there may be to it."""

    relay: Relay
    transports: Sequence[Transport]


@dataclass(slots=True)
class Way:
    """What one run knows of one relay. `error` is why it is refused there, `retired` why a lane of
    it gave up."""

    run: Run
    out: WayOut
    pace: Pace
    breaker: Breaker
    write: Write
    error: RelayError | None = None
    retired: RelayError | None = None
    _heard: int = 0
    _page: int = 0
    _calm_until: float = 0.0
    _bounced: list[str] = field(default_factory=list)
    _refused: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def of(cls, run: Run, out: WayOut) -> Way:
        """The way for a run that begins. Raises ConfigError for a key that cannot sign."""
        office, send = run.office, run.send

        def stopping() -> bool:
            return office.stopping() or office.store.halted(send.id)

        world = World(now=office.now, rest=office.rest, stopping=stopping)
        write = writing(run, finish(out.relay, send.slug, send.frozen_at))
        return cls(run, out, Pace(office.store, out.relay, world), Breaker(send.slug), write)

    @property
    def failure(self) -> RelayError | None:
        """Why nothing more should go this way in this run."""
        return self.error or self.breaker.error or self.retired

    @property
    def over(self) -> bool:
        """Whether nothing more may leave this way now."""
        stopped = self.error or self.breaker.error or self.pace.full_until
        return stopped is not None or self.run.over

    def next_rows(self) -> list[Delivery]:
        """Rows claimed for this run, none when no more is to be sent this way."""
        run = self.run
        with run.lock:
            rows = [] if self.over else run.next_rows()
            if self._page != run.pages:
                self._page = run.pages
                self.pace.look_again()
            return rows

    def unhindered(self) -> bool:
        """Whether every row may go as soon as it is handed out: no limit to keep, no domain to
        leave alone, nobody has asked to stop or written to the ledger since the rows were claimed;
        as of some milliseconds ago, but for our own relay's refusals and who asks here."""
        if monotonic() < self._calm_until:
            return not self.run.office.stopping()
        with self.run.lock:
            calm = (
                not self.over
                and not self.breaker.paused
                and self.pace.free()
                and self.run.office.store.unchanged(self.run.send.id)
            )
            self._calm_until = monotonic() + GLANCE_S if calm else 0.0
        return calm

    def may_leave(self, row: Delivery) -> bool:
        """Whether the row's turn has come; False when this way is over."""
        store, send_id = self.run.office.store, self.run.send.id
        if self.over or store.halted(send_id):
            return False
        return self.pace.wait(domain_of(row.address)) and not self.over

    def unsendable(self, row: Delivery) -> Delivery | None:
        """The row as it ends before it meets the relay, or None when it may go: asked as late as
        possible, after the claim."""
        office = self.run.office
        if reason := office.store.refusal(row):
            return row._replace(state=DeliveryState.SKIPPED, reason=reason)
        return self.paused(row)

    def paused(self, row: Delivery) -> Delivery | None:
        """The row as it ends when its domain is left alone, else None."""
        if full_until := self.pace.domain_full(domain_of(row.address)):
            why = f"the limit for {domain_of(row.address)} is used up"
            return row._replace(state=DeliveryState.DEFERRED, reason=why, next_at=full_until)
        with self.run.lock:
            reason = self.breaker.pause(row.address)
        if reason:
            due = self.run.office.now() + DOMAIN_PAUSE
            return row._replace(state=DeliveryState.DEFERRED, reason=reason, next_at=due)
        return None

    def answered(self, row: Delivery, reply: Reply, message_id: str) -> Delivery:
        """The row with the relay's last word, to be recorded before the lane's next content
        leaves."""
        relay = self.out.relay.name
        if reply.stage is Stage.DOT and reply.code < 300:
            done = accepted(row, reply, message_id, relay)
            if self.breaker.calm and not self._bounced:
                self._heard += 1
                return done
        else:
            office, offered = self.run.office, row._replace(message_id=message_id, relay=relay)
            done = outcome(offered, reply, office.now(), office.jitter())
        with self.run.lock:
            self._hear(row, reply)
        return done

    def _hear(self, row: Delivery, reply: Reply) -> None:
        self._heard += 1
        told = self.breaker.hear(row.address, reply)
        if told.verdict is Verdict.ACCEPTED:
            if self._bounced:
                self._suppress_bounced()
            return
        self._calm_until = 0.0
        if told.verdict is Verdict.THROTTLE:
            self._slow_down(row, told)
        elif told.verdict is Verdict.HARD:
            self._bounced.append(row.address)
        elif told.verdict is Verdict.SOFT and reply.permanent:
            self._refused.append((row.subscriber_id, row.address))

    def close(self) -> None:
        """Act on what waited for the end of the run."""
        if self.breaker.knows_nobody or self.breaker.says_no_to_all:
            return
        self._bounced += self._gone()
        self._suppress_bounced()

    def _gone(self) -> list[str]:
        """Whose mailbox has refused one issue too many; believed of a relay that took this one
        from somebody, and not of a domain that refused several and took nobody's."""
        store, send_id, refused = self.run.office.store, self.run.send.id, self._refused
        taken = refused and store.by_relay(send_id).get(self.out.relay.name)
        if not taken or not taken[DeliveryState.ACCEPTED]:
            return []
        crowds = Counter(domain_of(address) for _, address in refused)
        for tally in store.by_domain(send_id):
            if tally.state is DeliveryState.ACCEPTED:
                crowds.pop(tally.domain, None)
        return [
            address
            for who, address in refused
            if crowds[domain_of(address)] < IN_A_ROW and is_gone(store.refusals(who))
        ]

    def _slow_down(self, row: Delivery, told: Ruling) -> None:
        run = told.scope is Scope.RUN
        key = f"relay:{self.out.relay.name}" if run else f"domain:{domain_of(row.address)}"
        elapsed_s = max((self.run.office.now() - self.run.started_at).total_seconds(), 0.1)
        self.pace.slow_down(key, max(self._heard / elapsed_s, 1.0))

    def _suppress_bounced(self) -> None:
        """Only once the relay has taken a mail, or at the end: a relay that knows nobody at all
        must not erase a list (promise 6)."""
        office = self.run.office
        for address in self._bounced:
            with suppress(AudienceError):  # erased while the mail was under way
                office.store.suppress(address, "bounce", office.now())
        self._bounced.clear()
