"""The turns of a send: written by the verbs that bring them about, read by who watches it.

They are never changed and never removed. It knows no recipient.
"""

from __future__ import annotations

import json

from newsletter.model import Turn, TurnKind
from newsletter.store.database import Database
from newsletter.store.rows import micros, micros_or_none, moment_of, moment_or_none

TELL = """
INSERT INTO send_turn (send_id, at, turn, why, until, number, relay, goes_on_by)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
TURNS = """
SELECT turn, at, why, until, number, id, relay, goes_on_by
  FROM send_turn
 WHERE send_id = ? AND id > ?
 ORDER BY id
"""
# Every send at work shares the pace. One mark a second says as much as one for each reply.
SLOWED = """
INSERT INTO send_turn (send_id, at, turn, why, number)
SELECT id, :now, 'slowed', :key, :rate
  FROM send
 WHERE state = 'sending'
   AND NOT EXISTS (SELECT 1 FROM send_turn
                    WHERE send_id = send.id AND turn = 'slowed' AND why = :key
                      AND at > :now - 1000000)
"""


class Turns:
    """The verbs about turns, on one database."""

    _db: Database

    def tell(self, send_id: int, turn: Turn) -> None:
        tell(self._db, send_id, turn)

    def turns(self, send_id: int, after: int = 0) -> list[Turn]:
        return [
            Turn(
                kind=TurnKind(kind),
                at=moment_of(at),
                why=why,
                until=moment_or_none(until),
                number=number,
                id=row_id,
                relay=relay,
                goes_on_by=tuple(json.loads(others)),
            )
            for kind, at, why, until, number, row_id, relay, others in self._db.rows(
                TURNS, (send_id, after)
            )
        ]


def tell(db: Database, send_id: int, turn: Turn) -> None:
    """Write the turn down, within the transaction that brings it about."""
    values = (turn.kind.value, turn.why, micros_or_none(turn.until), turn.number, turn.relay)
    others = json.dumps(turn.goes_on_by)
    db.write(TELL, (send_id, micros(turn.at), *values, others))


def tell_slowed(db: Database, key: str, per_second: float, now_us: int) -> None:
    """Write down, for every send at work, that the key goes at that pace from now on."""
    db.write(SLOWED, {"now": now_us, "key": key, "rate": per_second})
