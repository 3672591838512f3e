"""The rows in doubt that may be offered once more, to the relay that may have them and no other.

Such a row keeps since when it is in doubt, so that whatever happens to it but a yes, a killed
sender too, leaves it in doubt again: it never becomes one that any relay may take.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from newsletter.errors import StoreError
from newsletter.model import Delivery
from newsletter.store.handover import Handover
from newsletter.store.rows import claimed_of, micros, moment_of

# A row whose relay is not among them, or that began too early, is nobody's to offer.
PLAN = """
UPDATE delivery
   SET next_at = CASE
           WHEN data_started_at >= (SELECT value FROM json_each(:since) WHERE key = relay)
                AND (SELECT refusal FROM person WHERE id = subscriber_id) = ''
                AND (SELECT state FROM send WHERE id = :send) <> 'cancelled'
           THEN CASE WHEN :at_once THEN :now ELSE ifnull(next_at, :now) END
       END
 WHERE send_id = :send AND state = 'unknown'
"""
DUE = """
SELECT send_id, subscriber_id, address, name, fields, state, reason, attempts, message_id,
       reply_stage, reply_code, reply_status, reply_text, next_at, updated_at, deferrals, relay
  FROM delivery
 WHERE send_id = :send AND state = 'unknown' AND next_at <= :now AND relay = :relay
 ORDER BY next_at, subscriber_id
"""
CLAIM = """
UPDATE delivery
   SET state = 'claimed', attempts = attempts + 1, next_at = NULL, updated_at = ?
 WHERE send_id = ? AND subscriber_id = ? AND state = 'unknown' AND data_started_at IS NOT NULL
"""
FIRST = "SELECT min(next_at) FROM delivery WHERE send_id = ? AND state = 'unknown'"


class Doubts(Handover):
    """The verbs about rows in doubt, on one database."""

    def plan_again(
        self, send_id: int, since: Mapping[str, datetime], now: datetime, *, at_once: bool = False
    ) -> int:
        self._settle_all()
        began = json.dumps({relay: micros(moment) for relay, moment in since.items()})
        asked = {"send": send_id, "since": began, "now": micros(now), "at_once": int(at_once)}
        self._db.write(PLAN, asked)
        planned = "SELECT count(next_at) FROM delivery WHERE send_id = ? AND state = 'unknown'"
        row = self._db.row(planned, (send_id,))
        return int(row[0]) if row else 0

    def again_at(self, send_id: int) -> datetime | None:
        row = self._db.row(FIRST, (send_id,))
        return None if row is None or row[0] is None else moment_of(row[0])

    def claim_again(self, send_id: int, relay: str, now: datetime) -> list[Delivery]:
        now_us = micros(now)
        with self._db.transaction():
            if not self._claimable(send_id):
                return []
            due = self._db.rows(DUE, {"send": send_id, "now": now_us, "relay": relay})
            if self._db.write_many(CLAIM, [(now_us, *row[:2]) for row in due]) != len(due):
                raise StoreError("a delivery was claimed twice", code="store.state")
        claimed = claimed_of(due, now_us)
        window = self._window(send_id)
        window.claimed.update((row.subscriber_id, row.attempts) for row in claimed)
        return claimed
