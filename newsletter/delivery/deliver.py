"""Delivering: a frozen send, mail by mail, until every row of the ledger has an answer.

The order of writes is the promise: the row is CLAIMED before the mail is built, `begin` is
durable before the first byte of content leaves, the outcome is written when the reply is there.
Whatever dies in between, `recover` can tell a mail that never left from one that may have.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from newsletter.delivery.abreast import abreast
from newsletter.delivery.again import offered_again, remembered
from newsletter.delivery.pool import Failover, goes_on_at, lanes, usable, verdict
from newsletter.delivery.replies import fold
from newsletter.delivery.run import Office, Run
from newsletter.delivery.way import Way, WayOut
from newsletter.errors import SendRefused, StoreError
from newsletter.mime import stencil
from newsletter.model import Delivery, Relay, Send, SendState, Turn, TurnKind
from newsletter.smtp import Transport
from newsletter.store import Store

MAILS_PER_LANE = 25  # fewer are not worth another login


def deliver(
    send: Send, transports: Sequence[Transport], office: Office, relay: Relay | None = None
) -> Generator[Delivery, None, None]:
    """As `deliver_by`, with one relay; `relay` names its limits and what it wants of a mail."""
    out = WayOut(relay or Relay(name=send.relay, kind="smtp"), transports)
    yield from deliver_by(send, [out], office)


def deliver_by(
    send: Send, outs: Sequence[WayOut], office: Office
) -> Generator[Delivery, None, None]:
    """Each delivery as it is answered, until no row is due, somebody asks to stop, or no relay is
    left (RelayError). Under the send's lock; the send is left DONE or PAUSED. Raises SendRefused
    when somebody has held it since `send` was read.

    Each transport is a lane of its own, as many as there is mail for. Their rows come in the order
    of the answers.
    """
    store = office.store
    with store.sender_lock(send.id):
        in_doubt = store.recover(send.id, office.now())
        found = store.send(send.id)
        if found.hold != send.hold and found.hold:
            raise _held(found)
        if found.state is SendState.SENDING:  # nobody is at it: we have the lock
            turn = Turn(kind=TurnKind.TAKEN_OVER, at=office.now(), number=in_doubt)
            store.tell(send.id, turn)
        store.move(send.id, SendState.SENDING, office.now())
        letter = office.letter.under(send.letterhead)
        cut = stencil(send.email, letter, send.frozen_at)
        run = Run(send, replace(office, letter=letter), cut)
        ways = [Way.of(run, out) for out in outs]
        run.lane_ended = Failover(run, ways).tell
        try:
            yield from offered_again(ways)
            yield from _rounds(run, ways)
            yield from offered_again(ways)
            if error := verdict(run, ways):
                _tell(run, error)
                raise error
        finally:
            for way in ways:
                way.close()
            store.recover(send.id, office.now())
            since = remembered((out.relay for out in outs), office.now())
            store.plan_again(send.id, since, office.now())
            conclude(run, goes_on_at(run, ways))


def _held(send: Send) -> SendRefused:
    return SendRefused(
        f"somebody has stopped {send.slug}: {send.hold}",
        hint=f"go on: newsletter resume {send.slug}",
        code="send.held",
    )


def _tell(run: Run, error: Exception) -> None:
    """Write down what broke the run off. A store that takes no more is told of by the error."""
    why = fold(getattr(error, "message", type(error).__name__))
    with suppress(StoreError):
        turn = Turn(kind=TurnKind.BROKEN_OFF, at=run.office.now(), why=why)
        run.office.store.tell(run.send.id, turn)


def _rounds(run: Run, ways: Sequence[Way]) -> Generator[Delivery, None, None]:
    """The rows by all ways; by those that are left when one of them failed, or is full."""
    while able := usable(ways):
        most = MAILS_PER_LANE * sum(len(way.out.transports) for way in able)
        wanted = 1 + run.office.store.waiting(run.send.id, most) // MAILS_PER_LANE
        yield from abreast(run, lanes(able, wanted))
        if run.over or usable(able) == able or not run.work_left():
            return


def conclude(run: Run, goes_on_at: datetime | None) -> None:
    """Leave the send DONE or PAUSED; what somebody made of it meanwhile stays: a hold, or a
    cancellation, which takes back the rows that were on their way here."""
    store, send_id, now = run.office.store, run.send.id, run.office.now()
    state, final = store.send(send_id).state, final_state(store, send_id)
    if state is SendState.CANCELLED:
        store.cancel(send_id, now)
    elif state is not SendState.PAUSED or final is SendState.DONE:
        store.move(send_id, final, now)
        if goes_on_at and final is SendState.PAUSED:
            store.hold(send_id, "", now, not_before=goes_on_at)
            run.office.say("quiet hours" if run.closed_until else "a limit of the relay is used up")


def final_state(store: Store, send_id: int) -> SendState:
    """DONE when every row has its last word, else PAUSED. One in doubt that is to be offered again
    has not. After `recover`, which leaves no row claimed."""
    open_rows = store.waiting(send_id, 1)
    return SendState.PAUSED if open_rows or store.again_at(send_id) else SendState.DONE
