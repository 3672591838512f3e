"""Delivering: a frozen send, mail by mail, until every row of the ledger has an answer.

The order of writes is the promise: the row is CLAIMED before the mail is built, `begin` is
durable before the first byte of content leaves, the outcome is written when the reply is there.
Whatever dies in between, `recover` can tell a mail that never left from one that may have.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime

from newsletter.audience.tokens import Keys
from newsletter.delivery.addressing import Addressee, recipient
from newsletter.delivery.outcome import ours, outcome
from newsletter.errors import LineLost, MailRefused, RelayRefused, RelayUnavailable
from newsletter.mime import Stencil, fill, stencil
from newsletter.model import Delivery, DeliveryState, Letter, Mail, Reply, Send, SendState, Stage
from newsletter.smtp import Transport
from newsletter.store import Store

CLAIM = 50
LOST_LINES = 3
REFUSALS = 3
WAITS_S = (1.0, 5.0, 15.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What delivering needs besides the send: the ledger, the letterhead, the keys, and the world
    (a clock, a way to wait, and whether somebody asked to stop)."""

    store: Store
    letter: Letter
    keys: Keys
    now: Callable[[], datetime]
    sleep: Callable[[float], object]
    stopping: Callable[[], bool] = bool


@dataclass(slots=True)
class _Run:
    """One send on one transport: the rows in flight, by Message-ID."""

    send: Send
    office: Office
    letter: Letter
    stencil: Stencil
    in_flight: dict[str, Delivery] = field(default_factory=dict)
    settled: list[Delivery] = field(default_factory=list)
    refusals: int = 0

    def mails(self) -> Iterator[Mail]:
        """The mails still to send, each claimed, and asked for again just before it is built."""
        office = self.office
        while not office.stopping():
            rows = office.store.claim(self.send.id, CLAIM, office.now())
            if not rows:
                return
            for row in rows:
                if office.stopping():
                    return
                if reason := office.store.refusal(row):
                    self._settle(replace(row, state=DeliveryState.SKIPPED, reason=reason))
                elif mail := self._mail_or_none(row):
                    yield mail

    def _settle(self, row: Delivery) -> None:
        """Record a row that never meets the relay."""
        self.office.store.record(row, self.office.now())
        self.settled.append(row)

    def _mail_or_none(self, row: Delivery) -> Mail | None:
        """The row's mail; None when no lawful mail can be written to this person, which fails
        the row and not the run."""
        try:
            return self._mail(row)
        except MailRefused as error:
            self._settle(replace(row, state=DeliveryState.FAILED, reason=error.message))
            return None

    def _mail(self, row: Delivery) -> Mail:
        person = Addressee(row.subscriber_id, row.address, row.name, row.fields)
        to = recipient(person, self.send.slug, self.letter, self.office.keys)
        mail = fill(self.stencil, to)
        self.in_flight[to.message_id] = replace(row, message_id=to.message_id)
        return mail

    def begin(self, mail: Mail) -> None:
        """Called by the transport when the relay is ready for the content."""
        self.office.store.begin(self.in_flight[mail.message_id], self.office.now())

    def answer(self, mail: Mail, reply: Reply) -> Delivery:
        """The row with the relay's last word recorded. Raises RelayRefused when the relay refuses
        us: at once when it is our address, after the third time when it may be the content."""
        row = outcome(self.in_flight.pop(mail.message_id), reply, self.office.now())
        self.office.store.record(row, self.office.now())
        self.refusals = self.refusals + 1 if ours(reply) else 0
        if self.refusals >= REFUSALS or (reply.permanent and reply.stage is Stage.MAIL):
            raise RelayRefused(
                f"the relay refuses us: {reply.code} {reply.status} {reply.text}".strip(),
                hint="nobody was marked as failed for it. Mend it, then: newsletter resume "
                + self.send.slug,
            )
        return row

    def give_back(self, *, in_doubt: bool) -> None:
        """Return to PENDING what certainly was not taken, behind everybody who waits: a mail that
        kills the line must not stand in their way. The rest is for `recover` to judge."""
        if not in_doubt:
            now = self.office.now()
            for row in self.in_flight.values():
                pending = replace(row, state=DeliveryState.PENDING, next_at=now)
                self.office.store.record(pending, now)
        self.in_flight.clear()


def deliver(send: Send, transport: Transport, office: Office) -> Generator[Delivery, None, None]:
    """Each delivery as it is recorded, until no row is due, somebody asks to stop, or the relay
    makes it pointless (RelayError). Under the send's lock; the send is left DONE or PAUSED."""
    store = office.store
    with store.sender_lock(send.id):
        store.recover(send.id, office.now())
        store.move(send.id, SendState.SENDING, office.now())
        letter = office.letter.under(send.letterhead)
        run = _Run(send, office, letter, stencil(send.email, letter, send.frozen_at))
        try:
            yield from _with_new_lines(run, transport)
        finally:
            store.recover(send.id, office.now())
            store.move(send.id, final_state(store, send.id), office.now())


def final_state(store: Store, send_id: int) -> SendState:
    """DONE when every row has its last word, else PAUSED."""
    progress = store.progress(send_id)
    open_rows = sum(
        progress[state]
        for state in (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
    )
    return SendState.PAUSED if open_rows else SendState.DONE


def _with_new_lines(run: _Run, transport: Transport) -> Iterator[Delivery]:
    """Deliver, and connect again when the line is lost: at most three times in a row without a
    single answer in between (a relay that is gone must not spin)."""
    lost = 0
    while True:
        try:
            with transport, closing(_answers(run, transport)) as answers:
                for row in answers:
                    lost = 0
                    yield row
        except (LineLost, RelayUnavailable) as error:
            run.give_back(in_doubt=isinstance(error, LineLost) and error.in_doubt)
            run.office.store.recover(run.send.id, run.office.now())
            if lost == LOST_LINES or run.office.stopping():
                raise
            run.office.sleep(WAITS_S[lost])
            if run.office.stopping():
                raise
            lost += 1
        else:
            return


def _answers(run: _Run, transport: Transport) -> Generator[Delivery, None, None]:
    for mail, reply in transport.deliver(run.mails(), run.begin):
        yield from _taken(run.settled)
        yield run.answer(mail, reply)
    yield from _taken(run.settled)


def _taken(rows: list[Delivery]) -> list[Delivery]:
    taken = rows.copy()
    rows.clear()
    return taken
