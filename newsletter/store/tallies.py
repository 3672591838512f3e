"""The ledger counted: by domain, by answer, over time, and what came after.

SQL does the counting, so a million rows cost one pass and a page of memory; no address leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from newsletter.model import Beat, DeliveryState, DomainTally, Reply, ReplyTally, Stage
from newsletter.store.handover import Handover
from newsletter.store.rows import MICROSECOND, moment_of

# More than so many different answers are no groups any more; the rest shows in the totals only.
MOST_ANSWERS = 20_000
# What stands behind the last @: a quoted local part may hold another one.
DOMAIN = "lower(substr(address, length(rtrim(address, replace(address, '@', ''))) + 1))"
# A bare column beside max() is that of the row with the maximum (SQLite's own promise).
BY_DOMAIN = f"""
SELECT {DOMAIN} AS domain, state, count(*), max(updated_at),
       reply_stage, reply_code, reply_status, reply_text
  FROM delivery
 WHERE send_id = ?
 GROUP BY domain, state
"""  # noqa: S608  one constant inside another
# Without the addressee and their domain: what is left of an answer is the same for many.
IMPERSONAL = f"replace(replace({{}}, address, '<address>'), {DOMAIN}, '<domain>')"
BY_REPLY = f"""
SELECT state, {IMPERSONAL.format("reason")}, reply_stage, reply_code, reply_status,
       CASE state WHEN 'accepted' THEN '' ELSE {IMPERSONAL.format("ifnull(reply_text, '')")} END,
       count(*), min(updated_at), max(updated_at)
  FROM delivery
 WHERE send_id = ? AND state IN ('accepted', 'deferred', 'failed', 'unknown')
 GROUP BY 1, 2, 3, 4, 5, 6
 ORDER BY 7 DESC
 LIMIT {MOST_ANSWERS}
"""  # noqa: S608
OVER_TIME = """
SELECT updated_at / :step AS beat, state, count(*)
  FROM delivery
 WHERE send_id = :send AND state IN ('accepted', 'deferred', 'failed', 'unknown')
 GROUP BY beat, state
 ORDER BY beat
"""
# Only who got it: a recipient who was refused is told of by the answer.
AFTERWARDS = """
SELECT event.what || CASE event.what WHEN 'suppressed' THEN ': ' || event.source ELSE '' END,
       count(DISTINCT event.subscriber_id)
  FROM event
  JOIN delivery ON delivery.send_id = :send AND delivery.subscriber_id = event.subscriber_id
 WHERE event.at >= (SELECT frozen_at FROM send WHERE id = :send)
   AND event.what IN ('unsubscribed', 'suppressed')
   AND delivery.state IN ('accepted', 'unknown')
 GROUP BY 1
 UNION ALL
SELECT 'joined', count(*)
  FROM subscriber
 WHERE status = 'active' AND created_at > (SELECT frozen_at FROM send WHERE id = :send)
"""


class Tallies(Handover):
    """The counts, on one database."""

    def by_domain(self, send_id: int) -> list[DomainTally]:
        self._settle_all()
        return [
            DomainTally(domain, DeliveryState(state), count, moment_of(last), _reply(reply))
            for domain, state, count, last, *reply in self._db.rows(BY_DOMAIN, (send_id,))
        ]

    def by_reply(self, send_id: int) -> list[ReplyTally]:
        self._settle_all()
        return [
            ReplyTally(
                DeliveryState(row[0]),
                row[1],
                _reply(row[2:6]),
                row[6],
                moment_of(row[7]),
                moment_of(row[8]),
            )
            for row in self._db.rows(BY_REPLY, (send_id,))
        ]

    def over_time(self, send_id: int, step: timedelta) -> list[Beat]:
        self._settle_all()
        step_us = step // MICROSECOND
        rows = self._db.rows(OVER_TIME, {"send": send_id, "step": step_us})
        return [
            Beat(moment_of(beat * step_us), DeliveryState(state), count)
            for beat, state, count in rows
        ]

    def afterwards(self, send_id: int) -> Counter[str]:
        return Counter(dict(self._db.rows(AFTERWARDS, {"send": send_id})))


def _reply(columns: Sequence[Any]) -> Reply | None:
    stage, code, status, text = columns
    return None if stage is None else Reply(Stage(stage), code, status, text)
