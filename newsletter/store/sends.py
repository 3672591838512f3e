"""The life of a send: frozen, moved from state to state, held, widened, cancelled, reopened.

Every change names the state it leaves, within one transaction.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from functools import cache

from newsletter.errors import SendRefused, StoreError
from newsletter.model import DeliveryState, Send, SendEntry, SendState, Turn, TurnKind
from newsletter.store import Audience, NewSend
from newsletter.store.ledger import Ledger, asked, audience_query
from newsletter.store.rows import (
    email_json,
    entry_of,
    letterhead_json,
    micros,
    micros_or_none,
    send_of,
)
from newsletter.store.turns import tell

MOVES = {
    (SendState.FROZEN, SendState.SENDING),
    (SendState.SENDING, SendState.PAUSED),
    (SendState.PAUSED, SendState.SENDING),
    (SendState.SENDING, SendState.DONE),
    (SendState.PAUSED, SendState.DONE),
}
REOPENED = (DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.DEFERRED)

FREEZE = """
INSERT INTO delivery (send_id, subscriber_id, address, address_hash, name, fields, state, reason,
                      updated_at)
SELECT :send, id, address, address_hash, name, fields,
       CASE exclusion WHEN '' THEN 'pending' ELSE 'skipped' END, exclusion, :now
  FROM ({})
 ORDER BY id
"""
# By the hash of the address: as good as dice, and the same people when it is done again.
CANARY = """
UPDATE delivery
   SET wave = 0
 WHERE send_id = :send
   AND subscriber_id IN (SELECT subscriber_id FROM delivery
                          WHERE send_id = :send AND state = 'pending'
                          ORDER BY address_hash LIMIT :canary)
"""
# A send that was taken back before anybody got it is none; one that stayed here counts only there.
SENT = """
SELECT 1
  FROM send
 WHERE slug = ? AND local = ?
   AND (state <> 'cancelled'
        OR EXISTS (SELECT 1 FROM delivery
                    WHERE send_id = send.id AND state IN ('accepted', 'unknown')))
 LIMIT 1
"""
INSERT_SEND = """
INSERT INTO send (slug, state, email, content_hash, git_commit, dirty, relay, candidates,
                  recipients, exclusions, frozen_at, letterhead, not_before, canary, wave, audience,
                  local)
VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, ?, ?, ?, ?, ?, ?)
RETURNING id
"""
INSERT_PICTURE = "INSERT OR IGNORE INTO picture (digest, content) VALUES (?, ?)"
SENDS = """
SELECT id, slug, state, email, content_hash, git_commit, dirty, relay, candidates, recipients,
       frozen_at, finished_at, letterhead, not_before, hold, canary, wave, local
  FROM send
 WHERE (:slug IS NULL OR slug = :slug) AND (:id IS NULL OR id = :id)
 ORDER BY id
"""
ENTRIES = """
SELECT id, slug, state, json_extract(email, '$.subject'), json_extract(email, '$.slots'),
       content_hash, git_commit, dirty, relay, candidates, recipients, frozen_at, finished_at,
       not_before, hold, local
  FROM send
 WHERE ? IS NULL OR slug = ?
 ORDER BY id
"""
FROZEN = """
UPDATE send
   SET state = 'frozen', frozen_at = ?, not_before = NULL, candidates = ?, recipients = ?,
       exclusions = ?
 WHERE id = ? AND state IN ('preparing', 'frozen')
"""
# What is sending waits no more, and when it waits again that is another wait.
MOVE = """
UPDATE send
   SET state = :to, finished_at = :finished_at, hold = '',
       not_before = CASE :to WHEN 'sending' THEN NULL ELSE not_before END
 WHERE id = :id AND state = :state
"""
HOLD = """
UPDATE send
   SET hold = ?, not_before = ?, state = CASE state WHEN 'preparing' THEN state ELSE 'paused' END
 WHERE id = ? AND state NOT IN ('done', 'cancelled')
"""
CANCEL = "UPDATE send SET state = 'cancelled', finished_at = ?, hold = '' WHERE id = ?"
TAKE_BACK = """
UPDATE delivery
   SET state = 'skipped', reason = 'cancelled', next_at = NULL, updated_at = ?
 WHERE send_id = ? AND state IN ('pending', 'deferred')
"""
REOPEN = """
UPDATE delivery
   SET state = 'pending', reason = '', next_at = NULL, data_started_at = NULL, deferrals = 0,
       updated_at = ?
 WHERE send_id = ? AND state = ? AND (state <> 'unknown' OR next_at IS NULL)
"""
WIDEN = "UPDATE send SET wave = 1, not_before = NULL WHERE id = ? AND wave = 0"
REOPEN_SEND = """
UPDATE send SET state = 'paused', finished_at = NULL WHERE id = ? AND state = 'done'
"""


class Sends(Ledger):
    """The verbs about whole sends, on one database."""

    def freeze(self, new: NewSend, now: datetime) -> Send:
        with self._db.transaction():
            self._refuse_second(new)
            send_id = self._insert_send(new, now)
            if new.not_before is None:
                self._freeze_audience(send_id, new.email.slug, new.audience, now)
                if new.undo_until is not None:
                    self.hold(send_id, "", now, new.undo_until)
            else:
                turn = Turn(kind=TurnKind.SCHEDULED, at=now, until=new.not_before)
                tell(self._db, send_id, turn)
            return self.send(send_id)

    def freeze_prepared(self, send_id: int, now: datetime) -> Send:
        with self._db.transaction():
            send = self.send(send_id)
            if send.state is not SendState.PREPARING:
                raise _cannot(send, SendState.FROZEN)
            row = self._db.row("SELECT audience FROM send WHERE id = ?", (send_id,))
            audience = Audience(**json.loads(row[0])) if row else Audience()
            self._freeze_audience(send_id, send.slug, audience, now)
            return self.send(send_id)

    def _refuse_second(self, new: NewSend) -> None:
        """Asked within the transaction: two people who type `send` at once send once."""
        slug = new.email.slug
        if not new.audience.only_new and self._db.row(SENT, (slug, int(new.audience.local))):
            raise SendRefused(
                f'"{slug}" has been sent',
                hint=f"to those who have not got it: newsletter send {slug} --only-new",
                code="send.already",
            )

    def _insert_send(self, new: NewSend, now: datetime) -> int:
        email, origin = new.email, new.origin
        state = SendState.FROZEN if new.not_before is None else SendState.PREPARING
        for picture in email.pictures:
            self._db.write(INSERT_PICTURE, (picture.digest, picture.content))
        row = self._db.row(
            INSERT_SEND,
            (
                *(email.slug, state.value, email_json(email), email.content_hash),
                *(origin.commit, int(origin.dirty), new.relay, micros(now)),
                *(letterhead_json(new.letterhead), micros_or_none(new.not_before)),
                *(new.canary, int(not new.canary), json.dumps(asdict(new.audience))),
                int(new.audience.local),
            ),
        )
        return int(row[0]) if row else 0

    def _freeze_audience(self, send_id: int, slug: str, audience: Audience, now: datetime) -> None:
        asked_for = asked(slug, audience) | {"send": send_id, "now": micros(now)}
        self._db.write(FREEZE.format(audience_query(audience)), asked_for)
        row = self._db.row("SELECT canary FROM send WHERE id = ?", (send_id,))
        if row and row[0]:
            self._db.write(CANARY, {"send": send_id, "canary": row[0]})
        self._count(send_id, now)

    def _count(self, send_id: int, now: datetime) -> None:
        """Write the counts down. Raises StoreError unless every candidate has exactly one row."""
        progress = self.progress(send_id)
        recipients = progress[DeliveryState.PENDING]
        exclusions = progress[DeliveryState.SKIPPED]
        row = self._db.row("SELECT count(*) FROM subscriber")
        everybody = int(row[0]) if row else 0
        if everybody != recipients + exclusions:
            raise StoreError(
                f"{everybody} candidates, but {recipients} recipients and {exclusions} exclusions",
                code="store.count",
            )
        self._db.write(FROZEN, (micros(now), everybody, recipients, exclusions, send_id))
        tell(self._db, send_id, Turn(kind=TurnKind.FROZEN, at=now, number=recipients))

    def sends(self, slug: str | None = None) -> list[Send]:
        rows = self._db.rows(SENDS, {"slug": slug, "id": None})
        picture = cache(self._picture)  # the logo is in every one of them
        return [send_of(row, picture) for row in rows]

    def entries(self, slug: str | None = None) -> list[SendEntry]:
        return [entry_of(row) for row in self._db.rows(ENTRIES, (slug, slug))]

    def _picture(self, digest: str) -> bytes:
        """The bytes of a frozen picture, b"" when they are gone."""
        row = self._db.row("SELECT content FROM picture WHERE digest = ?", (digest,))
        return bytes(row[0]) if row else b""

    def send(self, send_id: int) -> Send:
        row = self._db.row(SENDS, {"slug": None, "id": send_id})
        if row is None:
            raise StoreError(f"there is no send {send_id}", code="store.send")
        return send_of(row, self._picture)

    def move(self, send_id: int, to: SendState, now: datetime) -> Send:
        self._settle_all()
        with self._db.transaction():
            send = self.send(send_id)
            if send.state is not to:
                self._check_move(send, to)
                finished_at = micros(now) if to is SendState.DONE else None
                left = {"id": send_id, "state": send.state.value}
                self._db.write(MOVE, {**left, "to": to.value, "finished_at": finished_at})
                tell(self._db, send_id, Turn(kind=TurnKind(to.value), at=now))
            return self.send(send_id)

    def _check_move(self, send: Send, to: SendState) -> None:
        if (send.state, to) not in MOVES:
            raise _cannot(send, to)
        if to is not SendState.DONE:
            return
        states = (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
        progress = self.progress(send.id)
        if left := sum(progress[state] for state in states):
            raise StoreError(f"{left} deliveries have no last word yet", code="store.move")

    def hold(
        self, send_id: int, reason: str, now: datetime, not_before: datetime | None = None
    ) -> Send:
        with self._db.transaction():
            before = self.send(send_id)
            self._db.write(HOLD, (reason, micros_or_none(not_before), send_id))
            held = self.send(send_id)
            if held != before:
                kind = TurnKind.HELD if reason else TurnKind.WAITING
                tell(self._db, send_id, Turn(kind=kind, at=now, why=reason, until=not_before))
            return held

    def cancel(self, send_id: int, now: datetime) -> Send:
        self._settle_all()
        with self._db.transaction():
            send = self.send(send_id)
            if send.state is SendState.DONE:
                raise _cannot(send, SendState.CANCELLED)
            self._db.write(TAKE_BACK, (micros(now), send_id))
            if send.state is not SendState.CANCELLED:
                self._db.write(CANCEL, (micros(now), send_id))
                tell(self._db, send_id, Turn(kind=TurnKind.CANCELLED, at=now))
            return self.send(send_id)

    def reopen(self, send_id: int, state: DeliveryState, now: datetime) -> int:
        self._settle_all()
        if state not in REOPENED:
            raise StoreError(f"a row that is {state} is not tried again", code="store.state")
        with self._db.transaction():
            send = self.send(send_id)
            if send.state is SendState.CANCELLED:
                raise _cannot(send, SendState.PAUSED)
            count = self._db.write(REOPEN, (micros(now), send_id, state.value))
            if count:
                self._db.write(REOPEN_SEND, (send_id,))
                turn = Turn(kind=TurnKind.REOPENED, at=now, why=state.value, number=count)
                tell(self._db, send_id, turn)
            return count

    def widen(self, send_id: int, now: datetime) -> Send:
        with self._db.transaction():
            if self._db.write(WIDEN, (send_id,)):
                tell(self._db, send_id, Turn(kind=TurnKind.WIDENED, at=now))
            return self.send(send_id)


def _cannot(send: Send, to: SendState) -> StoreError:
    return StoreError(f"a send that is {send.state} cannot become {to}", code="store.move")
