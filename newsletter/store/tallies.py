"""The ledger counted: by domain, by answer, over time, and what came after.

SQL does the counting, so a million rows cost one pass and a page of memory; no address leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from newsletter.model import (
    Beat,
    DeliveryState,
    DomainTally,
    Refusal,
    Reply,
    ReplyTally,
    Stage,
)
from newsletter.store.handover import Handover
from newsletter.store.rows import MICROSECOND, Row, moment_of

# More than so many different answers are no groups any more: the rest goes with one of its kind.
MOST_ANSWERS = 20_000
# What stands behind the last @; only a quoted local part may hold another one.
DOMAIN = """lower(CASE substr(address, 1, 1)
             WHEN '"' THEN substr(address, length(rtrim(address, replace(address, '@', ''))) + 1)
             ELSE substr(address, instr(address, '@') + 1) END)"""
# Without the addressee and their domain: what is left of an answer is the same for many.
IMPERSONAL = f"""CASE ifnull({{0}}, '') WHEN '' THEN ''
                ELSE replace(replace({{0}}, address, '<address>'), {DOMAIN}, '<domain>') END"""
BY_DOMAIN = f"""
SELECT {DOMAIN} AS domain, state, count(*)
  FROM delivery
 WHERE send_id = ?
 GROUP BY domain, state
"""  # noqa: S608  one constant inside another
BY_RELAY = """
SELECT relay, state, count(*)
  FROM delivery
 WHERE send_id = ? AND relay <> ''
 GROUP BY relay, state
"""
BY_KIND = f"""
SELECT state, {IMPERSONAL.format("reason")} AS why, reply_stage, reply_code, reply_status,
       max(CASE state WHEN 'accepted' THEN '' ELSE {IMPERSONAL.format("reply_text")} END),
       count(*), min(updated_at), max(updated_at)
  FROM delivery
 WHERE send_id = ? AND state IN ('accepted', 'deferred', 'failed', 'unknown')
 GROUP BY state, why, reply_stage, reply_code, reply_status
"""  # noqa: S608
BY_REPLY = f"""
SELECT state, {IMPERSONAL.format("reason")} AS why, reply_stage, reply_code, reply_status,
       {IMPERSONAL.format("reply_text")} AS said,
       count(*), min(updated_at), max(updated_at)
  FROM delivery
 WHERE send_id = ? AND state IN ('deferred', 'failed', 'unknown')
 GROUP BY state, why, reply_stage, reply_code, reply_status, said
 ORDER BY 7 DESC
 LIMIT {MOST_ANSWERS}
"""  # noqa: S608
LAST = """
SELECT reply_stage, reply_code, reply_status, reply_text, max(updated_at)
  FROM delivery
 WHERE send_id = ? AND state IN ('accepted', 'deferred', 'failed', 'unknown')
"""
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


# By way of the sends, each of which finds the person's row by its key.
REFUSALS = """
WITH theirs AS (
    SELECT send.slug, delivery.state, delivery.reason, delivery.reply_code,
           delivery.updated_at AS at
      FROM send
     CROSS JOIN delivery ON delivery.send_id = send.id AND delivery.subscriber_id = :who
     WHERE send.local = 0
)
SELECT slug, reason, at
  FROM theirs
 WHERE state = 'failed' AND reply_code >= 500
   AND at > ifnull((SELECT max(at) FROM theirs WHERE state = 'accepted'), 0)
 ORDER BY at
"""


class Tallies(Handover):
    """The counts, on one database."""

    def by_domain(self, send_id: int) -> list[DomainTally]:
        self._settle_all()
        return [
            DomainTally(domain, DeliveryState(state), count)
            for domain, state, count in self._db.rows(BY_DOMAIN, (send_id,))
        ]

    def by_relay(self, send_id: int) -> dict[str, Counter[DeliveryState]]:
        self._settle_all()
        counts: dict[str, Counter[DeliveryState]] = {}
        for relay, state, count in self._db.rows(BY_RELAY, (send_id,)):
            counts.setdefault(relay, Counter())[DeliveryState(state)] = count
        return counts

    def by_reply(self, send_id: int) -> list[ReplyTally]:
        self._settle_all()
        with self._db.reading():
            kinds = self._db.rows(BY_KIND, (send_id,))
            answers = self._db.rows(BY_REPLY, (send_id,))
        counted: Counter[Row] = Counter()
        for row in answers:
            counted[row[:5]] += row[6]
        left = (
            (*row[:6], row[6] - counted[row[:5]], *row[7:])
            for row in kinds
            if row[6] > counted[row[:5]]
        )
        return [_tally(row) for row in (*answers, *left)]

    def last_answer(self, send_id: int) -> tuple[datetime, Reply | None] | None:
        self._settle_all()
        row = self._db.row(LAST, (send_id,))
        return None if row is None or row[4] is None else (moment_of(row[4]), _reply(row[:4]))

    def over_time(self, send_id: int, step: timedelta) -> list[Beat]:
        self._settle_all()
        step_us = step // MICROSECOND
        rows = self._db.rows(OVER_TIME, {"send": send_id, "step": step_us})
        return [
            Beat(moment_of(beat * step_us), DeliveryState(state), count)
            for beat, state, count in rows
        ]

    def refusals(self, subscriber_id: int) -> list[Refusal]:
        rows = self._db.rows(REFUSALS, {"who": subscriber_id})
        return [Refusal(slug, reason, moment_of(at)) for slug, reason, at in rows]

    def afterwards(self, send_id: int) -> Counter[str]:
        return Counter(dict(self._db.rows(AFTERWARDS, {"send": send_id})))


def _tally(row: Row) -> ReplyTally:
    state, why, *reply, count, first, last = row
    return ReplyTally(
        DeliveryState(state), why, _reply(reply), count, moment_of(first), moment_of(last)
    )


def _reply(columns: Sequence[Any]) -> Reply | None:
    stage, code, status, text = columns
    return None if stage is None else Reply(Stage(stage), code, status, text)
