"""Delivering: a frozen send, mail by mail, until every row of the ledger has an answer.

The order of writes is the promise: the row is CLAIMED before the mail is built, `begin` is
durable before the first byte of content leaves, the outcome is written when the reply is there.
Whatever dies in between, `recover` can tell a mail that never left from one that may have.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import replace

from newsletter.delivery.abreast import abreast
from newsletter.delivery.breaker import Breaker
from newsletter.delivery.lane import Lane
from newsletter.delivery.pace import Pace, World
from newsletter.delivery.replies import fold
from newsletter.delivery.run import Office, Run
from newsletter.errors import StoreError
from newsletter.mime import finish, stencil
from newsletter.model import Delivery, DeliveryState, Relay, Send, SendState, Turn, TurnKind
from newsletter.smtp import Transport
from newsletter.store import Store

MAILS_PER_LANE = 25  # fewer are not worth another login


def deliver(
    send: Send, transports: Sequence[Transport], office: Office, relay: Relay | None = None
) -> Generator[Delivery, None, None]:
    """Each delivery as it is answered, until no row is due, somebody asks to stop, or the relay
    makes it pointless (RelayError). Under the send's lock; the send is left DONE or PAUSED.

    `relay` names the limits to keep to. Each transport is a lane of its own, as many as there is
    mail for. Their rows come in the order of the answers.
    """
    store = office.store
    with store.sender_lock(send.id):
        store.recover(send.id, office.now())
        store.move(send.id, SendState.SENDING, office.now())
        letter = office.letter.under(send.letterhead)
        cut = stencil(send.email, letter, send.frozen_at)
        world = World(now=office.now, rest=office.rest, stopping=office.stopping)
        relay = relay or Relay(name=send.relay, kind="smtp")
        pace, ready = Pace(store, relay, world), finish(relay, send.slug, send.frozen_at)
        run = Run(send, replace(office, letter=letter), cut, Breaker(send.slug), pace, ready)
        try:
            wanted = transports[: 1 + _due(store, send.id) // MAILS_PER_LANE]
            yield from abreast(run, [Lane(run, transport) for transport in wanted])
            if error := run.verdict():
                _tell(run, error)
                raise error
        finally:
            run.close()
            store.recover(send.id, office.now())
            conclude(run)


def _tell(run: Run, error: Exception) -> None:
    """Write down what broke the run off. A store that takes no more is told of by the error."""
    why = fold(getattr(error, "message", type(error).__name__))
    with suppress(StoreError):
        turn = Turn(kind=TurnKind.BROKEN_OFF, at=run.office.now(), why=why)
        run.office.store.tell(run.send.id, turn)


def conclude(run: Run) -> None:
    """Leave the send DONE or PAUSED; what somebody made of it meanwhile stays: a hold, or a
    cancellation, which takes back the rows that were on their way here."""
    store, send_id, now = run.office.store, run.send.id, run.office.now()
    state, final = store.send(send_id).state, final_state(store, send_id)
    if state is SendState.CANCELLED:
        store.cancel(send_id, now)
    elif state is not SendState.PAUSED or final is SendState.DONE:
        store.move(send_id, final, now)
        if run.goes_on_at and final is SendState.PAUSED:
            store.hold(send_id, "", now, not_before=run.goes_on_at)


def _due(store: Store, send_id: int) -> int:
    progress = store.progress(send_id)
    return progress[DeliveryState.PENDING] + progress[DeliveryState.DEFERRED]


def final_state(store: Store, send_id: int) -> SendState:
    """DONE when every row has its last word, else PAUSED."""
    progress = store.progress(send_id)
    open_rows = sum(
        progress[state]
        for state in (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
    )
    return SendState.PAUSED if open_rows else SendState.DONE
