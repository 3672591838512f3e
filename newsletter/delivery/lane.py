"""One connection's part of a run: mails out, answers in, and what a lost line means for each row.

A Way and a Transport enter, rows of the ledger leave as they are recorded. It knows exactly which
row is in doubt when its line dies, and nothing of the other lanes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from newsletter.delivery.run import Run
from newsletter.delivery.way import Way
from newsletter.errors import LineLost, MailRefused, RelayRefused, RelayUnavailable
from newsletter.model import Delivery, DeliveryState, Mail, Offer
from newsletter.smtp import Transport

LOST_LINES = 3
WAITS_S = (1.0, 5.0, 15.0)
IN_DOUBT = "the line died after the content had left"


@dataclass(slots=True)
class Lane:
    """The rows in flight on one transport, by Message-ID; those in `begun` have content on the
    way."""

    way: Way
    transport: Transport
    in_flight: dict[str, Delivery] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    settled: list[Delivery] = field(default_factory=list)

    @property
    def run(self) -> Run:
        return self.way.run

    def rows(self) -> Iterator[Delivery]:
        """Each row as it is answered. A relay that cannot be reached ends this lane only, one that
        refuses us this way; whatever else goes wrong ends the run."""
        try:
            yield from self._rows()
        except (LineLost, RelayUnavailable) as error:
            self.way.retired = error
        except RelayRefused as error:
            self.way.error = self.way.error or error
        except Exception as error:  # noqa: BLE001 - raised again when the other lanes are done
            self.run.error = self.run.error or error
        self.run.lane_ended()

    def _rows(self) -> Iterator[Delivery]:
        """Each row as it is answered, over a new line when one is lost: at most three times in a
        row without a single answer in between (a relay that is gone must not spin)."""
        lost = 0
        while True:
            try:
                with self.transport, closing(self._answers()) as answers:
                    for row in answers:
                        lost = 0
                        yield row
            except (LineLost, RelayUnavailable) as error:
                self.run.flush()
                yield from self._give_back(self._doubtful(error))
                if lost == LOST_LINES or self.way.over:
                    raise
                self.run.office.sleep(WAITS_S[lost])
                if self.way.over:
                    raise
                lost += 1
            except RelayRefused:
                self.run.flush()
                yield from self._give_back(self.begun.copy())
                raise
            else:
                return

    def _answers(self) -> Generator[Delivery, None, None]:
        for mail, reply in self.transport.deliver(self._mails(), self._begin):
            if self.settled:
                yield from self._taken()
            name = mail.message_id
            self.begun.discard(name)
            yield self.way.answered(self.in_flight.pop(name), reply, name)
        yield from self._taken()

    def _mails(self) -> Iterator[Mail]:
        way = self.way
        while row := way.next_row():
            if not way.unhindered():
                if ended := way.paused(row):  # before its turn is waited for
                    self._settle(ended)
                    continue
                if not way.may_leave(row):
                    return
                if ended := way.unsendable(row):
                    self._settle(ended)
                    continue
            if mail := self._mail_or_none(row):
                self.in_flight[mail.message_id] = row
                yield mail

    def _mail_or_none(self, row: Delivery) -> Mail | None:
        """None when no lawful mail can be written to this person, which fails the row and not the
        run."""
        try:
            return self.way.mail(row)
        except MailRefused as error:
            self._settle(row._replace(state=DeliveryState.FAILED, reason=error.message))
            return None

    def _begin(self, mail: Mail) -> None:
        """Called by the transport when the relay is ready for the content."""
        name = mail.message_id
        self.run.begin(self.in_flight[name], Offer(self.way.out.relay.name, name))
        self.begun.add(name)

    def _settle(self, row: Delivery) -> None:
        """Record a row that never meets the relay."""
        self.run.settle(row)
        self.settled.append(row)

    def _taken(self) -> list[Delivery]:
        taken = self.settled.copy()
        self.settled.clear()
        return taken

    def _doubtful(self, error: LineLost | RelayUnavailable) -> set[str]:
        """The Message-IDs of the mails that the relay may have, or not."""
        if not isinstance(error, LineLost) or not error.in_doubt:
            return set()
        return self.begun - error.not_left

    def _give_back(self, in_doubt: set[str]) -> Iterator[Delivery]:
        """UNKNOWN for the row whose final dot may have left, PENDING for what was not taken, behind
        everybody who waits: a mail that kills the line must not stand in their way."""
        office = self.run.office
        for name, row in self.in_flight.items():
            doubtful = name in in_doubt
            state = DeliveryState.UNKNOWN if doubtful else DeliveryState.PENDING
            now = office.now()
            reason, next_at = (IN_DOUBT, None) if doubtful else ("", now)
            back = row._replace(
                state=state,
                reason=reason,
                next_at=next_at,
                message_id=name,
                relay=self.way.out.relay.name,
            )
            office.store.record(back, now)
            if doubtful:
                yield back
        self.in_flight.clear()
        self.begun.clear()
