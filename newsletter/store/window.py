"""The rows that one sender holds: claimed, begun, answered and not yet in the database.

Deliveries enter, entries of the journal and rows for the database leave. It knows no SQL and does
not commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from newsletter.errors import StoreError
from newsletter.model import Delivery, DeliveryState, Offer, Stage
from newsletter.store.journal import SIZE_BYTES, Journal, written
from newsletter.store.rows import Row, micros

MOST_OUTCOMES = 500
LONGEST_WAIT_US = 250_000
# What the parameters of BEGIN and RECORD are, now and before the relay stood in front of them.
BEGIN_COLUMNS = (6, 4)
OUTCOME_COLUMNS = (14, 13)
# The same relay and status each time, the same Message-ID as it begins and as it ends.
_word = lru_cache(maxsize=256)(written)
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
    outcomes: list[Row] = field(default_factory=list)
    unwritten: list[str] = field(default_factory=list)
    version: tuple[int, int] = (-1, -1)
    since_us: int = 0
    journal: Journal | None = None

    def holds(self, delivery: Delivery) -> bool:
        """Whether the row is claimed here, at this attempt."""
        return self.claimed.get(delivery.subscriber_id) == delivery.attempts

    def due(self, now_us: int) -> bool:
        """Whether the outcomes should be committed before the next mail."""
        count = len(self.outcomes)
        if count >= MOST_OUTCOMES or (count and now_us - self.since_us >= LONGEST_WAIT_US):
            return True
        return self.journal is not None and self.journal.used > SIZE_BYTES // 2

    def may_begin(self, delivery: Delivery) -> bool:
        """Whether the row is claimed here and its content has not begun to leave."""
        who = delivery.subscriber_id
        return self.claimed.get(who) == delivery.attempts and who not in self.begun

    def answer(self, answered: Sequence[Delivery], now_us: int) -> None:
        """Take outcomes, which are kept until they are `settled`. Raises StoreError, and takes
        none, when one is of a row that is not held, or is no outcome."""
        claimed = self.claimed
        for row in answered:
            if row.state is DeliveryState.CLAIMED or claimed.get(row[1]) != row.attempts:
                raise out_of_turn(row, "record")
        if not self.outcomes:
            self.since_us = now_us
        for row in answered:
            outcome = _outcome(row, now_us)
            self.outcomes.append(outcome)
            self.unwritten.append(outcome_text(outcome))
            claimed.pop(row[1], None)
            self.begun.pop(row[1], None)

    def answered(self, delivery: Delivery) -> bool:
        """Whether it holds the row's outcome: a `begin` that failed took those it was given."""
        attempt = (delivery.subscriber_id, delivery.attempts)
        return not self.holds(delivery) and any(row[-2:] == attempt for row in self.outcomes)

    def begin(self, delivery: Delivery, offer: Offer, now_us: int) -> None:
        """Write down that content is about to leave, offered like that, and the outcomes
        taken since the last time. Raises StoreError; then it will not leave."""
        who, attempts = delivery.subscriber_id, delivery.attempts
        relay, message_id = offer
        named = f"{_word(relay)},{_word(message_id)}"
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


def _outcome(row: Delivery, now_us: int) -> Row:
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


def outcome_text(outcome: Row) -> str:
    """The parameters of RECORD as `written` writes them, in a third of the time for those of a
    mail that a relay has taken."""
    relay, state, reason, message_id, stage, code, status, text, next_at, late, *numbers = outcome
    if stage is None or next_at is not None or reason:
        return written(outcome)
    said = f'"{stage}",{code},{_word(status)},{_word(text)},null,{late}'
    now_us, send_id, who, attempts = numbers
    named = f'{_word(relay)},"{state}","",{_word(message_id)}'
    return f"[{named},{said},{now_us},{send_id},{who},{attempts}]"


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
