"""Mails in doubt, offered once more to the relay that may have them.

A relay that takes a mail only once (`Relay.once`) tells a mail it has from one it has not, so that
its second answer ends the doubt. No other relay is asked, and whatever is not a yes leaves the row
in doubt: it may have been taken the first time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from newsletter.delivery.breaker import domain_of
from newsletter.delivery.outcome import accepted, wait
from newsletter.delivery.way import Way
from newsletter.errors import LineLost, RelayRefused, RelayUnavailable
from newsletter.model import (
    Delivery,
    DeliveryState,
    Mail,
    Offer,
    Relay,
    Stage,
    Turn,
    TurnKind,
)

# How long the second offer may take to arrive (RFC 5321 4.5.3.2.6, the final dot).
MARGIN = timedelta(minutes=10)
STILL_IN_DOUBT = "offered again, and still in doubt"


def remembered(relays: Iterable[Relay], now: datetime) -> dict[str, datetime]:
    """Since when each of the relays remembers what it was offered; those that do are in it."""
    return {
        relay.name: now - timedelta(hours=relay.once_for_h) + MARGIN
        for relay in relays
        if relay.once
    }


def offered_again(ways: Sequence[Way]) -> Iterator[Delivery]:
    """Each row that is in doubt no more. A relay that is not there is asked again later."""
    run = ways[0].run
    office = run.office
    now = office.now()
    quiet = office.hours is not None and office.hours.opens(now) is not None
    since = remembered((way.out.relay for way in ways), now)
    if not office.store.plan_again(run.send.id, since, now) or quiet:
        return
    for way in ways:
        if way.out.relay.once and way.failure is None and not way.over:
            yield from Again(way).rows()


@dataclass(slots=True)
class Again:
    """One way's rows in doubt, by Message-ID once they are offered; `left` are not answered."""

    way: Way
    left: dict[int, Delivery] = field(default_factory=dict)
    offered: dict[str, Delivery] = field(default_factory=dict)

    def rows(self) -> Iterator[Delivery]:
        """Each row that the relay said yes to."""
        office, relay = self.way.run.office, self.way.out.relay
        send_id = self.way.run.send.id
        claimed = office.store.claim_again(send_id, relay.name, office.now())
        if not claimed:
            return
        self.left = {row.subscriber_id: row for row in claimed}
        self._tell(len(claimed))
        try:
            yield from self._answers(claimed)
        except (LineLost, RelayUnavailable) as error:
            office.say(f"{relay.name}: {error.message}")
        except RelayRefused as error:
            self.way.error = error
        finally:
            for row in self.left.values():
                office.store.record(self._in_doubt(row), office.now())

    def _tell(self, count: int) -> None:
        office, name = self.way.run.office, self.way.out.relay.name
        turn = Turn(kind=TurnKind.OFFERED_AGAIN, at=office.now(), relay=name, number=count)
        office.store.tell(self.way.run.send.id, turn)
        mails = "1 mail" if count == 1 else f"{count:,} mails"
        office.say(f"{mails} in doubt offered again to {name}, which takes a mail only once")

    def _answers(self, claimed: Sequence[Delivery]) -> Iterator[Delivery]:
        office, relay = self.way.run.office, self.way.out.relay
        transport = self.way.out.transports[0]
        with transport:
            for mail, reply in transport.deliver(self._mails(claimed), self._begin):
                row = self.offered[mail.message_id]
                if reply.stage is Stage.DOT and reply.positive:
                    done = accepted(row, reply, mail.message_id, relay.name)
                    office.store.record(done, office.now())
                    del self.left[row.subscriber_id]
                    yield done
                else:
                    self.left[row.subscriber_id] = row._replace(reply=reply)

    def _mails(self, claimed: Sequence[Delivery]) -> Iterator[Mail]:
        """The very mails of the first time: one that would be another by now is not offered."""
        way = self.way
        for row in claimed:
            if way.paused(row):  # before its turn is waited for
                continue
            if not way.pace.wait(domain_of(row.address)) or way.over or self._halted():
                return
            mail = None if way.unsendable(row) else self._mail_or_none(row)
            if mail:
                self.offered[mail.message_id] = row
                yield mail

    def _halted(self) -> bool:
        """Whether somebody held the send, or gave it up, since the rows were claimed."""
        run = self.way.run
        return run.office.store.halted(run.send.id)

    def _mail_or_none(self, row: Delivery) -> Mail | None:
        (mail,) = self.way.write((row,))
        return mail if isinstance(mail, Mail) and mail.message_id == row.message_id else None

    def _begin(self, mail: Mail) -> None:
        name = mail.message_id
        office, offer = self.way.run.office, Offer(self.way.out.relay.name, name)
        office.store.begin(self.offered[name], office.now(), (), offer)

    def _in_doubt(self, row: Delivery) -> Delivery:
        next_at = self.way.run.office.now() + wait(row.attempts)
        return row._replace(state=DeliveryState.UNKNOWN, reason=STILL_IN_DOUBT, next_at=next_at)
