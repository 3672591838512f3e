"""The rows that one sender holds: claimed, begun, answered and not yet in the database.

Deliveries enter, entries of the journal and rows for the database leave. It knows no SQL and does
not commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path

from newsletter.errors import StoreError
from newsletter.model import Delivery, DeliveryState, Offer, Stage
from newsletter.store.journal import SIZE_BYTES, Journal, written
from newsletter.store.rows import Row, micros

MOST_OUTCOMES = 500
LONGEST_WAIT_US = 250_000
# How many parameters BEGIN and RECORD have, now and before the relay stood in front of them, and
# TAKEN.
BEGIN_COLUMNS = (6, 4)
OUTCOME_COLUMNS = (14, 13)
TAKEN_COLUMNS = 7
NO_REPLY = (None, None, None, None)
# SQLite takes a member of an enumeration too, after a search for an adapter of 1 us.
_WORDS: Mapping[str, str] = {word: word.value for word in (*DeliveryState, *Stage)}


@dataclass(slots=True)
class Window:
    """One send's rows between claim and commit. `claimed` maps a subscriber to the attempt, `begun`
    to the parameters of BEGIN once its content began to leave; `version` is the database's
    when they were claimed."""

    send_id: int
    path: Path
    claimed: dict[int, int] = field(default_factory=dict)
    begun: dict[int, Row] = field(default_factory=dict)
    outcomes: list[tuple[Delivery, int]] = field(default_factory=list)
    unwritten: list[str] = field(default_factory=list)
    version: tuple[int, int] = (-1, -1)
    due_us: int = 0
    journal: Journal | None = None

    def holds(self, delivery: Delivery) -> bool:
        """Whether the row is claimed here, at this attempt."""
        return self.claimed.get(delivery.subscriber_id) == delivery.attempts

    def due(self, now_us: int) -> bool:
        """Whether the outcomes should be committed before the next mail."""
        outcomes, journal = self.outcomes, self.journal
        if outcomes and (now_us >= self.due_us or len(outcomes) >= MOST_OUTCOMES):
            return True
        return journal is not None and journal.used > SIZE_BYTES // 2

    def may_begin(self, delivery: Delivery) -> bool:
        """Whether the row is claimed here and its content has not begun to leave."""
        who = delivery.subscriber_id
        return self.claimed.get(who) == delivery.attempts and who not in self.begun

    def answer(self, answered: Sequence[Delivery], now_us: int) -> None:
        """Take outcomes, which are kept until they are `settled`. Raises StoreError, and takes
        none, when one is of a row that is not held, or is no outcome."""
        claimed, outcomes = self.claimed, self.outcomes
        for row in answered:
            if row.state is DeliveryState.CLAIMED or claimed.get(row.subscriber_id) != row.attempts:
                raise out_of_turn(row, "record")
        if not outcomes:
            self.due_us = now_us + LONGEST_WAIT_US
        for row in answered:
            who = row.subscriber_id
            self.unwritten.append(entry_text(row, self.begun.pop(who, None), now_us))
            outcomes.append((row, now_us))
            claimed.pop(who, None)

    def answered(self, delivery: Delivery) -> bool:
        """Whether it holds the row's outcome: a `begin` that failed took those it was given."""
        who, attempts = delivery.subscriber_id, delivery.attempts
        return not self.holds(delivery) and any(
            row.subscriber_id == who and row.attempts == attempts for row, _ in self.outcomes
        )

    def begin(self, delivery: Delivery, offer: Offer, now_us: int) -> None:
        """Write down that content is about to leave, offered like that, and the outcomes
        taken since the last time. Raises StoreError; then it will not leave."""
        who, attempts = delivery.subscriber_id, delivery.attempts
        relay, message_id = offer
        named = f"{quoted(relay)},{quoted(message_id)}"
        begun = f"[{named},{now_us},{self.send_id},{who},{attempts}]"
        (self.journal or self._opened()).write(begun, self.unwritten)
        self.unwritten.clear()
        self.begun[who] = (relay, message_id, now_us, self.send_id, who, attempts)

    def note(self) -> None:
        """Write down the outcomes taken since the last time. Raises StoreError."""
        if self.unwritten:
            (self.journal or self._opened()).write("null", self.unwritten)
            self.unwritten.clear()

    def _opened(self) -> Journal:
        self.journal = Journal.open(self.path)
        return self.journal

    def began(self) -> list[Row]:
        """What the database is to know of the rows whose content is on its way."""
        return list(self.begun.values())

    def recorded(self) -> list[Row]:
        """What the database is to know of the outcomes: the parameters of RECORD."""
        return [outcome_of(row, at_us) for row, at_us in self.outcomes]

    def settled(self) -> None:
        """Everything is in the database now."""
        self.outcomes.clear()
        self.unwritten.clear()
        if self.journal is not None:
            self.journal.clear()

    def close(self) -> None:
        """Give the journal up; it stays on the disk until it is recovered."""
        journal, self.journal = self.journal, None
        if journal is not None:
            journal.close()


def outcome_of(row: Delivery, now_us: int) -> Row:
    """The parameters of RECORD."""
    reply, next_at = row.reply, row.next_at
    stage, code, status, text = reply or NO_REPLY
    return (
        row.relay,
        _WORDS[row.state],
        row.reason,
        row.message_id,
        stage and _WORDS[stage],
        code,
        status,
        text,
        next_at and micros(next_at),
        row.deferrals,
        now_us,
        row.send_id,
        row.subscriber_id,
        row.attempts,
    )


def entry_text(row: Delivery, begun: Row | None, now_us: int) -> str:
    """The outcome in an entry of the journal, as `written` writes it: the parameters of TAKEN for a
    mail that was taken as it began, else those of RECORD, for three times as much time."""
    reply = row.reply
    if row.state is not DeliveryState.ACCEPTED or reply is None or begun is None or row.reason:
        return written(outcome_of(row, now_us))
    stage, code, status, text = reply
    if stage is not Stage.DOT or begun[0] != row.relay or begun[1] != row.message_id:
        return written(outcome_of(row, now_us))
    said = f"{code},{quoted(status)},{quoted(text)}"
    return f"[{said},{now_us},{row.send_id},{row.subscriber_id},{row.attempts}]"


def widened(row: Row, columns: int, before: int) -> Row:
    """The parameters as so many columns take them; a sender of the version before wrote no relay.
    Raises StoreError for any other version's."""
    if len(row) == columns:
        return tuple(row)
    if len(row) != before:
        raise StoreError(
            "the journal of the send is of another version",
            hint="go on with the newsletter that began the send: newsletter resume",
            code="store.journal",
        )
    return (*("",) * (columns - before), *row)


def out_of_turn(delivery: Delivery, verb: str) -> StoreError:
    """The ledger and the sender disagree: a bug, or a sender that was given up for dead."""
    return StoreError(
        f"cannot {verb} {delivery.state}: delivery {delivery.send_id}/{delivery.subscriber_id} "
        f"is not claimed at attempt {delivery.attempts}",
        hint="another process took this send over; it goes on there",
        code="store.state",
    )
