"""Delivering: a frozen send, mail by mail, until every row of the ledger has an answer.

The order of writes is the promise: the row is CLAIMED before the mail is built, `begin` is
durable before the first byte of content leaves, the outcome is written when the reply is there.
Whatever dies in between, `recover` can tell a mail that never left from one that may have.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.delivery.breaker import Breaker
from newsletter.delivery.lane import Lane
from newsletter.delivery.run import Office, Run
from newsletter.mime import stencil
from newsletter.model import Delivery, DeliveryState, Send, SendState
from newsletter.smtp import Transport
from newsletter.store import Store


def deliver(send: Send, transport: Transport, office: Office) -> Iterator[Delivery]:
    """Each delivery as it is recorded, until no row is due, somebody asks to stop, or the relay
    makes it pointless (RelayError). Under the send's lock; the send is left DONE or PAUSED."""
    store = office.store
    with store.sender_lock(send.id):
        store.recover(send.id, office.now())
        store.move(send.id, SendState.SENDING, office.now())
        cut = stencil(send.email, office.letter, send.frozen_at)
        run = Run(send, office, cut, Breaker(send.slug))
        try:
            yield from Lane(run, transport).rows()
            if run.breaker.error:
                raise run.breaker.error
        finally:
            run.close()
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
