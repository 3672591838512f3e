"""One connection's part of a run: mails out, answers in, and what a lost line means for each row.

A Way and a Transport enter, rows of the ledger leave as they are recorded. It knows exactly which
row is in doubt when its line dies, and nothing of the other lanes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic

from newsletter.delivery.run import CLAIM, Office, Run
from newsletter.delivery.way import Way
from newsletter.errors import (
    LineLost,
    MailRefused,
    RelayRefused,
    RelayUnavailable,
    StoreError,
)
from newsletter.model import Delivery, DeliveryState, Mail, offer_of
from newsletter.smtp import Transport

LOST_LINES = 3
WAITS_S = (1.0, 5.0, 15.0)
LEISURE_S = 0.25
IN_DOUBT = "the line died after the content had left"


@dataclass(slots=True)
class Lane:
    """The rows in flight on one transport, by Message-ID; those in `begun` have content on the way.
    `sheet` is what was handed out and not offered yet, `answered` what is not recorded yet."""

    way: Way
    transport: Transport
    sheet: deque[tuple[Delivery, Mail | MailRefused]] = field(default_factory=deque)
    in_flight: dict[str, Delivery] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    answered: list[Delivery] = field(default_factory=list)
    settled: list[Delivery] = field(default_factory=list)
    flushed_at: float = 0.0
    run: Run = field(init=False)
    office: Office = field(init=False)

    def __post_init__(self) -> None:
        self.run = self.way.run
        self.office = self.run.office

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
        finally:
            self._end()

    def _end(self) -> None:
        """Leave to the others what was not offered, and nothing unrecorded."""
        self.run.put_back([row for row, _ in self.sheet])
        self.sheet.clear()
        try:
            self._flush()
        except StoreError as error:
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
                self._flush()
                yield from self._give_back(self._doubtful(error))
                if lost == LOST_LINES or self.way.over:
                    raise
                self.office.sleep(WAITS_S[lost])
                if self.way.over:
                    raise
                lost += 1
            except RelayRefused:
                self._flush()
                yield from self._give_back(self.begun.copy())
                raise
            else:
                return

    def _answers(self) -> Generator[Delivery, None, None]:
        way, answered = self.way, self.answered
        for mail, reply in self.transport.deliver(self._mails(), self._begin):
            if self.settled:
                yield from self._taken()
            name = mail.message_id
            self.begun.discard(name)
            row = way.answered(self.in_flight.pop(name), reply, name)
            answered.append(row)
            yield row
        yield from self._taken()

    def _mails(self) -> Iterator[Mail]:
        way, sheet = self.way, self.sheet
        while sheet or self._handed_out():
            row, mail = sheet[0]
            if not way.unhindered():
                if ended := way.paused(row):  # before its turn is waited for
                    self._settle(ended)
                    continue
                self._flush_at_leisure()
                if not way.may_leave(row):
                    return
                if ended := way.unsendable(row):
                    self._settle(ended)
                    continue
            if isinstance(mail, MailRefused):
                failed = row._replace(state=DeliveryState.FAILED, reason=mail.message)
                self._settle(failed)
                continue
            sheet.popleft()
            self.in_flight[mail.message_id] = row
            yield mail

    def _handed_out(self) -> bool:
        """Whether there are more rows for this lane."""
        rows = self.way.next_rows()
        self.sheet.extend(zip(rows, self.way.write(rows), strict=True))
        return bool(rows)

    def _begin(self, mail: Mail) -> None:
        """Called by the transport when the relay is ready for the content: from now on whoever
        recovers the send knows that it may have left, and of the answers so far."""
        name, office = mail.message_id, self.office
        offer = offer_of((self.way.out.relay.name, name))
        office.store.begin(self.in_flight[name], office.now(), self.answered, offer)
        self.answered.clear()
        self.begun.add(name)

    def _flush(self) -> None:
        """Record the answers that no `begin` took along."""
        if self.answered:
            self.office.store.record_all(self.answered, self.office.now())
            self.answered.clear()

    def _flush_at_leisure(self) -> None:
        """Before a wait that may be long: nobody should be in doubt who was answered a minute
        ago. Not for each mail of a limit that is fast, since a commit takes milliseconds."""
        if self.answered and monotonic() - self.flushed_at > LEISURE_S:
            self._flush()
            self.flushed_at = monotonic()

    def _settle(self, row: Delivery) -> None:
        """Record the next row of the sheet, which never meets the relay; in groups, as it costs no
        mail."""
        self.sheet.popleft()
        self.settled.append(row)
        self.answered.append(row)
        if len(self.answered) >= CLAIM:
            self._flush()

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
        office = self.office
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
