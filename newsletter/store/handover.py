"""The half of the ledger that a running send works with: claim, begin, record, recover.

A row costs one write to the journal (see `journal`) before its content leaves; outcomes reach the
database in groups. Every row of `delivery` is left only by an UPDATE that names the state, and the
attempt, it leaves.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from newsletter.errors import StoreError
from newsletter.model import NO_OFFER, Delivery, DeliveryState, Offer, SendState
from newsletter.store import journal
from newsletter.store.database import Database
from newsletter.store.lock import exclusive
from newsletter.store.rows import Row, claimed_of, micros, moment_of
from newsletter.store.window import (
    BEGIN_COLUMNS,
    OUTCOME_COLUMNS,
    TAKEN_COLUMNS,
    Window,
    out_of_turn,
    widened,
)

DUE = """
SELECT send_id, subscriber_id, address, name, fields, state, reason, attempts, message_id,
       reply_stage, reply_code, reply_status, reply_text, next_at, updated_at, deferrals, relay,
       ifnull((SELECT refusal FROM person WHERE id = delivery.subscriber_id), 'erased')
  FROM delivery
 WHERE send_id = :send
   AND state IN ('pending', 'deferred')
   AND ifnull(next_at, 0) <= :now
   AND wave <= (SELECT wave FROM send WHERE id = :send)
 ORDER BY ifnull(next_at, 0), subscriber_id
 LIMIT :limit
"""
# Not by way of the rows, nearly all of which have their last word towards the end of a send.
WAITING = """
SELECT count(*)
  FROM (SELECT 1
          FROM delivery INDEXED BY delivery_claimable
         WHERE send_id = ? AND state IN ('pending', 'deferred')
         LIMIT ?)
"""
FIRST_DUE = """
SELECT min(ifnull(next_at, 0))
  FROM delivery
 WHERE send_id = :send
   AND state IN ('pending', 'deferred')
   AND wave <= (SELECT wave FROM send WHERE id = :send)
"""
CLAIM = """
UPDATE delivery
   SET state = 'claimed', reason = '', attempts = attempts + 1, next_at = NULL,
       data_started_at = NULL, updated_at = :now
 WHERE send_id = :send AND subscriber_id IN (SELECT value FROM json_each(:who))
   AND state IN ('pending', 'deferred')
"""
SKIP = """
UPDATE delivery
   SET state = 'skipped', reason = ?, next_at = NULL, updated_at = ?
 WHERE send_id = ? AND subscriber_id = ? AND state IN ('pending', 'deferred')
"""
CLAIMED = """
SELECT 1 FROM delivery
 WHERE send_id = ? AND subscriber_id = ? AND state = 'claimed' AND attempts = ?
"""
BEGIN = """
UPDATE delivery
   SET relay = ?, message_id = ?, data_started_at = ?
 WHERE send_id = ? AND subscriber_id = ? AND state = 'claimed' AND attempts = ?
   AND data_started_at IS NULL
"""
RECORD = """
UPDATE delivery
   SET relay = ?, state = ?, reason = ?, message_id = ?, reply_stage = ?, reply_code = ?,
       reply_status = ?, reply_text = ?, next_at = ?, deferrals = ?, updated_at = ?
 WHERE send_id = ? AND subscriber_id = ? AND state = 'claimed' AND attempts = ?
"""
# As RECORD of an accepted mail, where relay and Message-ID are what BEGIN has said.
TAKEN = """
UPDATE delivery
   SET state = 'accepted', reason = '', reply_stage = 'dot', reply_code = ?, reply_status = ?,
       reply_text = ?, next_at = NULL, updated_at = ?
 WHERE send_id = ? AND subscriber_id = ? AND state = 'claimed' AND attempts = ?
"""
# A pass over the send, as those of IN_DOUBT and NEVER_LEFT are, which nearly always find nothing.
ANY_CLAIMED = "SELECT 1 FROM delivery WHERE send_id = ? AND state = 'claimed' LIMIT 1"
IN_DOUBT = """
UPDATE delivery
   SET state = 'unknown', updated_at = ifnull(data_started_at, :now), reason = :reason,
       relay = CASE WHEN data_started_at IS NULL THEN '' ELSE relay END,
       message_id = CASE WHEN data_started_at IS NULL THEN '' ELSE message_id END
 WHERE send_id = :send AND state = 'claimed' AND (data_started_at IS NOT NULL OR :all)
"""
NEVER_LEFT = """
UPDATE delivery
   SET state = 'pending', updated_at = :now
 WHERE send_id = :send AND state = 'claimed' AND data_started_at IS NULL
"""
DIED = "the sender died after the content had begun to leave"
POWER_CUT = "the machine went down while this mail was being sent, or about to be"


class Handover:
    """The verbs of one sender at work, on one database."""

    _db: Database
    _windows: dict[int, Window]

    def sender_lock(self, send_id: int) -> AbstractContextManager[None]:
        if self._db.row("SELECT 1 FROM send WHERE id = ?", (send_id,)) is None:
            raise _no_send(send_id)
        return exclusive(self._beside(send_id, "lock"))

    def claim(self, send_id: int, limit: int, now: datetime) -> list[Delivery]:
        claimed: list[Delivery] = []
        with self._db.transaction():
            if not self._claimable(send_id):
                return claimed
            # Again until full: a page of nothing but the unsubscribed is not the end of the send.
            while len(claimed) < limit:
                asked = {"send": send_id, "now": micros(now), "limit": limit - len(claimed)}
                due = self._db.rows(DUE, asked)
                if not due:
                    break
                claimed += self._take(due, micros(now))
            self._db.look_again()
            version = self._db.version()
        window = self._window(send_id)
        window.claimed.update((row.subscriber_id, row.attempts) for row in claimed)
        window.version = version
        return claimed

    def _claimable(self, send_id: int) -> bool:
        row = self._db.row("SELECT state FROM send WHERE id = ?", (send_id,))
        if row is None:
            raise _no_send(send_id)
        return row[0] in (SendState.FROZEN, SendState.SENDING)

    def _take(self, due: Sequence[Row], now_us: int) -> list[Delivery]:
        """The rows, claimed; those whose person must not be mailed any more are skipped."""
        refused = [(row[-1], now_us, row[0], row[1]) for row in due if row[-1]]
        taken = [row[:-1] for row in due if not row[-1]]
        if refused:
            self._db.write_many(SKIP, refused)
        if taken:
            who = json.dumps([row[1] for row in taken])
            if self._db.write(CLAIM, {"now": now_us, "send": due[0][0], "who": who}) != len(taken):
                raise StoreError("a delivery was claimed twice", code="store.state")
        return claimed_of(taken, now_us)

    def due_at(self, send_id: int) -> datetime | None:
        self._settle_all()
        row = self._db.row(FIRST_DUE, {"send": send_id})
        return None if row is None or row[0] is None else moment_of(row[0])

    def waiting(self, send_id: int, most: int) -> int:
        self._settle_all()
        row = self._db.row(WAITING, (send_id, most))
        return int(row[0]) if row else 0

    def unchanged(self, send_id: int) -> bool:
        window = self._windows.get(send_id)
        return window is not None and window.version == self._db.version()

    def halted(self, send_id: int) -> bool:
        return not self.unchanged(send_id) and not self._claimable(send_id)

    def refusal(self, delivery: Delivery) -> str:
        if self._window(delivery.send_id).holds(delivery) and self.unchanged(delivery.send_id):
            return ""
        row = self._db.row("SELECT refusal FROM person WHERE id = ?", (delivery.subscriber_id,))
        return "erased" if row is None else str(row[0])

    def begin(
        self,
        delivery: Delivery,
        now: datetime,
        answered: Sequence[Delivery] = (),
        offer: Offer = NO_OFFER,
    ) -> None:
        at = micros(now)
        with self._db.lock:
            window = self._windows.get(delivery.send_id) or self._window(delivery.send_id)
            if not (
                window.may_begin(delivery)
                and (window.version == self._db.version() or self._still_claimed(delivery))
            ):
                raise out_of_turn(delivery, "begin")
            if answered:
                window.answer(answered, at)
            if window.due(at):
                window.note()
                self._settle(window)
            window.begin(delivery, offer, at)

    def record(self, delivery: Delivery, now: datetime) -> None:
        self.record_all((delivery,), now)

    def record_all(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        for send_id in {delivery.send_id for delivery in deliveries}:
            with self._db.lock:
                window = self._window(send_id)
                self._record(window, [row for row in deliveries if row.send_id == send_id], now)

    def _record(self, window: Window, answered: Sequence[Delivery], now: datetime) -> None:
        answered = [row for row in answered if not window.answered(row)]
        for row in answered:
            if not window.holds(row) and self._still_claimed(row):  # by another connection
                window.claimed[row.subscriber_id] = row.attempts
        if any(row.state is DeliveryState.UNKNOWN for row in answered):
            self._begun(window)
        window.answer(answered, micros(now))
        if window.journal is not None:
            window.note()
        self._settle(window)

    def _still_claimed(self, delivery: Delivery) -> bool:
        held = (delivery.send_id, delivery.subscriber_id, delivery.attempts)
        return self._db.row(CLAIMED, held) is not None

    def _settle(self, window: Window) -> None:
        """Commit what the window holds. When the database cannot take it, the journal keeps it
        for the next sender."""
        if not window.outcomes and not window.begun:
            return
        with self._db.transaction():
            if self._db.write_many(RECORD, window.recorded()) != len(window.outcomes):
                window.outcomes.clear()
                raise _taken_over(window.send_id)
            self._db.write_many(BEGIN, window.began())
        window.settled()

    def _begun(self, window: Window) -> None:
        """Have the database know since when the rows are in doubt."""
        with self._db.transaction():
            self._db.write_many(BEGIN, window.began())

    def _settle_all(self) -> None:
        with self._db.lock:
            for window in self._windows.values():
                if window.outcomes:
                    self._settle(window)

    def recover(self, send_id: int, now: datetime) -> int:
        with self._db.lock:
            window = self._windows.pop(send_id, None)
            if window is not None:
                self._settle(window)
                window.close()
            return self._recover(send_id, now)

    def _recover(self, send_id: int, now: datetime) -> int:
        path = self._beside(send_id, "journal")
        left = journal.read(path) or journal.Contents([], this_boot=True)
        reason = DIED if left.this_boot else POWER_CUT
        asked = {"send": send_id, "now": micros(now)}
        with self._db.transaction():
            self._replay(left.entries)
            in_doubt = 0
            if self._db.row(ANY_CLAIMED, (send_id,)):
                doubt = {**asked, "reason": reason, "all": int(not left.this_boot)}
                in_doubt = self._db.write(IN_DOUBT, doubt)
                self._db.write(NEVER_LEFT, asked)
        path.unlink(missing_ok=True)
        return in_doubt

    def _replay(self, entries: Sequence[journal.Entry]) -> None:
        """Apply a dead sender's entries in order. What the database knows already is left alone:
        its rows are no longer claimed, or at another attempt."""
        for begun, *outcomes in entries:
            for row in outcomes:
                if len(row) == TAKEN_COLUMNS:
                    self._db.write(TAKEN, row)
                else:
                    self._db.write(RECORD, widened(row, *OUTCOME_COLUMNS))
            if begun:
                self._db.write(BEGIN, widened(begun, *BEGIN_COLUMNS))

    def _window(self, send_id: int) -> Window:
        if send_id not in self._windows:
            self._windows[send_id] = Window(send_id, self._beside(send_id, "journal"))
        return self._windows[send_id]

    def _beside(self, send_id: int, what: str) -> Path:
        path = self._db.path
        return path.with_name(f"{path.name}-send-{send_id}.{what}")

    def _close_windows(self) -> None:
        """Commit what is left; what cannot be committed stays in the journal."""
        try:
            self._settle_all()
        finally:
            for window in self._windows.values():
                window.close()
            self._windows.clear()


def _no_send(send_id: int) -> StoreError:
    return StoreError(f"there is no send {send_id}", code="store.send")


def _taken_over(send_id: int) -> StoreError:
    return StoreError(
        f"an outcome of send {send_id} is not recorded: the row is not claimed at its attempt",
        hint="another process took this send over; it goes on there",
        code="store.state",
    )
