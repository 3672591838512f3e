"""The ledger half of the store on SQLite: sends, and what became of every mail.

Every row of `delivery` is left only by an UPDATE that names the state, and the attempt, it leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from newsletter.errors import SendRefused, StoreError
from newsletter.model import Delivery, DeliveryState, Send, SendState
from newsletter.store import Audience, HeadCount, NewSend
from newsletter.store.handover import Handover
from newsletter.store.rows import (
    delivery_of,
    email_json,
    letterhead_json,
    micros,
    send_of,
)

MOVES = {
    (SendState.FROZEN, SendState.SENDING),
    (SendState.SENDING, SendState.PAUSED),
    (SendState.PAUSED, SendState.SENDING),
    (SendState.SENDING, SendState.DONE),
    (SendState.PAUSED, SendState.DONE),
}
PAGE = 500
SAMPLE = 5

# Everybody, with the reason that keeps them out ('' for a recipient). An earlier row that failed
# or was skipped does not: that person has not got the issue.
CANDIDATES = """
SELECT id, address, address_hash, name, fields,
       CASE
           WHEN refusal <> '' THEN refusal
           WHEN :tag IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM tag WHERE subscriber_id = person.id AND tag = :tag)
               THEN 'not tagged ' || :tag
           WHEN :only_new THEN ifnull((
               SELECT CASE
                          WHEN delivery.state = 'accepted' THEN 'already sent'
                          WHEN delivery.state = 'unknown' THEN 'already sent, in doubt'
                          ELSE 'already queued'
                      END
                 FROM send
                 JOIN delivery ON delivery.send_id = send.id
                              AND delivery.address_hash = person.address_hash
                WHERE send.slug = :slug AND delivery.state NOT IN ('failed', 'skipped')
                ORDER BY send.id
                LIMIT 1), '')
           ELSE ''
       END AS exclusion
  FROM person
"""
FREEZE = f"""
INSERT INTO delivery (send_id, subscriber_id, address, address_hash, name, fields, state, reason,
                      updated_at)
SELECT :send, id, address, address_hash, name, fields,
       CASE exclusion WHEN '' THEN 'pending' ELSE 'skipped' END, exclusion, :now
  FROM ({CANDIDATES})
 ORDER BY id
"""  # noqa: S608  one constant inside another
EXCLUSIONS = f"SELECT exclusion, count(*) FROM ({CANDIDATES}) GROUP BY exclusion"  # noqa: S608
SAMPLES = f"SELECT address FROM ({CANDIDATES}) WHERE exclusion = '' ORDER BY id LIMIT :sample"  # noqa: S608

INSERT_SEND = """
INSERT INTO send (slug, state, email, content_hash, git_commit, dirty, relay, candidates,
                  recipients, exclusions, frozen_at, letterhead)
VALUES (?, 'frozen', ?, ?, ?, ?, ?, 0, 0, 0, ?, ?)
RETURNING id
"""
INSERT_PICTURE = "INSERT OR IGNORE INTO picture (digest, content) VALUES (?, ?)"
SENDS = """
SELECT id, slug, state, email, content_hash, git_commit, dirty, relay, candidates, recipients,
       frozen_at, finished_at, letterhead
  FROM send
 WHERE (:slug IS NULL OR slug = :slug) AND (:id IS NULL OR id = :id)
 ORDER BY id
"""
NEXT_PAGE = """
SELECT send_id, subscriber_id, address, name, fields, state, reason, attempts, message_id,
       reply_stage, reply_code, reply_status, reply_text, next_at, updated_at, deferrals
  FROM delivery
 WHERE send_id = :send AND subscriber_id > :after AND (:state IS NULL OR state = :state)
 ORDER BY subscriber_id
 LIMIT :page
"""


class Ledger(Handover):
    """The verbs about sends and deliveries, on one database."""

    def head_count(self, slug: str, audience: Audience) -> HeadCount:
        asked = _asked(slug, audience)
        with self._db.reading():
            counts: Counter[str] = Counter(dict(self._db.rows(EXCLUSIONS, asked)))
            sample = self._db.rows(SAMPLES, {**asked, "sample": SAMPLE})
        candidates, recipients = counts.total(), counts.pop("", 0)
        return HeadCount(
            candidates=candidates,
            recipients=recipients,
            exclusions=counts,
            sample=tuple(address for (address,) in sample),
        )

    def freeze(self, new: NewSend, now: datetime) -> Send:
        with self._db.transaction():
            self._refuse_second(new)
            send_id = self._insert_send(new, now)
            asked = {"send": send_id, "now": micros(now)}
            self._db.write(FREEZE, {**_asked(new.email.slug, new.audience), **asked})
            self._count(send_id)
            return self._send(send_id)

    def _refuse_second(self, new: NewSend) -> None:
        """Asked within the transaction: two people who type `send` at once send once."""
        slug = new.email.slug
        if new.audience.only_new:
            return
        if self._db.row("SELECT 1 FROM send WHERE slug = ? LIMIT 1", (slug,)):
            raise SendRefused(
                f'"{slug}" has been sent',
                hint=f"to those who have not got it: newsletter send {slug} --only-new",
                code="send.already",
            )

    def _insert_send(self, new: NewSend, now: datetime) -> int:
        email, origin = new.email, new.origin
        frozen = (email.slug, email_json(email), email.content_hash)
        head = letterhead_json(new.letterhead)
        rest = (origin.commit, int(origin.dirty), new.relay, micros(now), head)
        for picture in email.pictures:
            self._db.write(INSERT_PICTURE, (picture.digest, picture.content))
        row = self._db.row(INSERT_SEND, frozen + rest)
        return int(row[0]) if row else 0

    def _count(self, send_id: int) -> None:
        """Write the counts down. Raises StoreError unless every candidate has exactly one row."""
        progress = self.progress(send_id)
        recipients = progress[DeliveryState.PENDING]
        exclusions = progress[DeliveryState.SKIPPED]
        row = self._db.row("SELECT count(*) FROM subscriber")
        candidates = int(row[0]) if row else 0
        if candidates != recipients + exclusions:
            raise StoreError(
                f"{candidates} candidates, but {recipients} recipients and {exclusions} exclusions",
                code="store.count",
            )
        self._db.write(
            "UPDATE send SET candidates = ?, recipients = ?, exclusions = ? WHERE id = ?",
            (candidates, recipients, exclusions, send_id),
        )

    def sends(self, slug: str | None = None) -> list[Send]:
        rows = self._db.rows(SENDS, {"slug": slug, "id": None})
        return [send_of(row, self._picture) for row in rows]

    def _picture(self, digest: str) -> bytes:
        """The bytes of a frozen picture, b"" when they are gone."""
        row = self._db.row("SELECT content FROM picture WHERE digest = ?", (digest,))
        return bytes(row[0]) if row else b""

    def _send(self, send_id: int) -> Send:
        row = self._db.row(SENDS, {"slug": None, "id": send_id})
        if row is None:
            raise StoreError(f"there is no send {send_id}", code="store.send")
        return send_of(row, self._picture)

    def move(self, send_id: int, to: SendState, now: datetime) -> Send:
        self._settle_all()
        with self._db.transaction():
            at = self._send(send_id).state
            if at is not to:
                self._check_move(send_id, at, to)
                finished_at = micros(now) if to is SendState.DONE else None
                self._db.write(
                    "UPDATE send SET state = ?, finished_at = ? WHERE id = ? AND state = ?",
                    (to, finished_at, send_id, at),
                )
            return self._send(send_id)

    def _check_move(self, send_id: int, at: SendState, to: SendState) -> None:
        if (at, to) not in MOVES:
            raise StoreError(f"a send that is {at} cannot become {to}", code="store.move")
        if to is not SendState.DONE:
            return
        states = (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
        progress = self.progress(send_id)
        if left := sum(progress[state] for state in states):
            raise StoreError(f"{left} deliveries have no last word yet", code="store.move")

    def progress(self, send_id: int) -> Counter[DeliveryState]:
        self._settle_all()
        rows = self._db.rows(
            "SELECT state, count(*) FROM delivery WHERE send_id = ? GROUP BY state", (send_id,)
        )
        return Counter({DeliveryState(state): count for state, count in rows})

    def reasons(self, send_id: int) -> Counter[str]:
        rows = self._db.rows(
            "SELECT reason, count(*) FROM delivery"
            " WHERE send_id = ? AND state = 'skipped' GROUP BY reason",
            (send_id,),
        )
        return Counter(dict(rows))

    def deliveries(self, send_id: int, state: DeliveryState | None = None) -> Iterator[Delivery]:
        self._settle_all()
        asked = {"send": send_id, "state": state, "page": PAGE}
        after = 0
        while rows := self._db.rows(NEXT_PAGE, {**asked, "after": after}):
            yield from map(delivery_of, rows)
            after = rows[-1][1]


def _asked(slug: str, audience: Audience) -> dict[str, str | int | None]:
    return {"slug": slug, "tag": audience.tag, "only_new": int(audience.only_new)}
