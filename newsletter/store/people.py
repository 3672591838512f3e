"""The people half of the store on SQLite: who reads the letter, by whose word, since when.

A person only ever moves away from `active`: the rank of their status never falls, except by a
confirmation of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from newsletter.errors import AudienceError
from newsletter.model import NewSubscriber, Subscriber, SubscriberStatus
from newsletter.store import Event, Merge
from newsletter.store.database import Database
from newsletter.store.rows import (
    address_hash,
    fields_json,
    micros,
    micros_or_none,
    moment_of,
    subscriber_of,
)

RANK = {
    SubscriberStatus.ACTIVE: 0,
    SubscriberStatus.PENDING: 1,
    SubscriberStatus.UNSUBSCRIBED: 2,
    SubscriberStatus.SUPPRESSED: 3,
}
PAGE = 500

INSERT = """
INSERT INTO subscriber (address, address_hash, name, status, reason, consent_source, consent_at,
                        created_at, fields)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
RETURNING id
"""
UPDATE = """
UPDATE subscriber
   SET name = ?, status = ?, reason = ?, consent_source = ?, consent_at = ?, fields = ?
 WHERE id = ?
"""
BY_HASH = """
SELECT id, address, name, status, reason, consent_source, consent_at, created_at, tags, fields
  FROM person
 WHERE address_hash = ?
"""
BY_ID = """
SELECT id, address, name, status, reason, consent_source, consent_at, created_at, tags, fields
  FROM person
 WHERE id = ?
"""
NEXT_PAGE = """
SELECT id, address, name, status, reason, consent_source, consent_at, created_at, tags, fields
  FROM person
 WHERE id > :after
   AND (:status IS NULL OR status = :status)
   AND (:tag IS NULL OR EXISTS (SELECT 1 FROM tag WHERE subscriber_id = person.id AND tag = :tag))
 ORDER BY id
 LIMIT :page
"""
SKIP_QUEUED = """
UPDATE delivery
   SET state = 'skipped', reason = 'unsubscribed', updated_at = :now
 WHERE send_id IN (SELECT id FROM send WHERE state <> 'done')
   AND subscriber_id = :subscriber
   AND state IN ('pending', 'deferred')
"""


@dataclass(frozen=True, slots=True)
class _Merged:
    """An existing person as an import leaves them."""

    name: str
    status: SubscriberStatus
    reason: str
    consent_source: str
    consent_at: datetime | None
    fields: dict[str, str]
    tags: tuple[str, ...]

    def changes(self, known: Subscriber) -> bool:
        return self != _Merged(
            known.name,
            known.status,
            known.reason,
            known.consent_source,
            known.consent_at,
            dict(known.fields),
            known.tags,
        )


class People:
    """The verbs about people, on one database."""

    _db: Database

    def add(self, person: NewSubscriber, now: datetime) -> Subscriber:
        with self._db.changing_people():
            known = self.subscriber(person.address)
            if known is not None:
                raise AudienceError(
                    f"that address is already written down, with status {known.status.value}",
                    hint="see it: newsletter subscribers show ADDRESS; who has asked to come back: "
                    "newsletter subscribers resubscribe ADDRESS",
                    code="audience.known",
                )
            if reason := self._suppressed(person.address):
                raise AudienceError(
                    f"that address is suppressed: {reason}",
                    hint="it asked not to be written to, or cannot be reached; it stays so",
                    code="audience.suppressed",
                )
            return self._must(self.subscriber_with_id(self._insert(person, now)))

    def merge(self, person: NewSubscriber, now: datetime) -> Merge:
        with self._db.changing_people():
            known = self.subscriber(person.address)
            if known is not None:
                return self._merge_into(known, person, now)
            if self._suppressed(person.address):
                return Merge.KEPT
            self._insert(person, now)
            return Merge.ADDED

    def _merge_into(self, known: Subscriber, person: NewSubscriber, now: datetime) -> Merge:
        if RANK[known.status] > RANK[person.status]:
            return Merge.KEPT
        merged = _merged(known, person)
        if not merged.changes(known):
            return Merge.UNCHANGED
        values = (merged.name, merged.status, merged.reason, merged.consent_source)
        rest = (micros_or_none(merged.consent_at), fields_json(merged.fields), known.id)
        self._db.write(UPDATE, values + rest)
        self._wear(known.id, merged.tags)
        if merged.status is SubscriberStatus.SUPPRESSED:
            self._suppress(known.address, merged.reason, now)
        what = "updated" if merged.status is known.status else merged.status.value
        self._log(known.id, what, person.consent_source, now)
        return Merge.UPDATED

    def _insert(self, person: NewSubscriber, now: datetime) -> int:
        """The id the person was given."""
        reason = person.reason
        if person.status is SubscriberStatus.SUPPRESSED:
            reason = reason or "manual"
            self._suppress(person.address, reason, now)
        row = self._db.row(
            INSERT,
            (
                person.address,
                address_hash(person.address),
                person.name,
                person.status,
                reason,
                person.consent_source,
                micros_or_none(person.consent_at),
                micros(now),
                fields_json(person.fields),
            ),
        )
        number = int(row[0]) if row else 0
        self._wear(number, person.tags)
        self._log(number, person.status.value, person.consent_source, now)
        return number

    def subscriber(self, address: str) -> Subscriber | None:
        row = self._db.row(BY_HASH, (address_hash(address),))
        return None if row is None else subscriber_of(row)

    def subscriber_with_id(self, subscriber_id: int) -> Subscriber | None:
        row = self._db.row(BY_ID, (subscriber_id,))
        return None if row is None else subscriber_of(row)

    def subscribers(
        self, *, status: SubscriberStatus | None = None, tag: str | None = None
    ) -> Iterator[Subscriber]:
        # Pages, not one open cursor: a read left open would hold the WAL back and make a write in
        # between fail with a stale snapshot.
        asked = {"status": status, "tag": tag, "page": PAGE}
        after = 0
        while rows := self._db.rows(NEXT_PAGE, {**asked, "after": after}):
            yield from map(subscriber_of, rows)
            after = rows[-1][0]

    def unsubscribe(self, address: str, reason: str, now: datetime) -> Subscriber:
        with self._db.changing_people():
            known = self._must(self.subscriber(address))
            self._db.write(SKIP_QUEUED, {"subscriber": known.id, "now": micros(now)})
            changed = self._db.write(
                "UPDATE subscriber SET status = 'unsubscribed', reason = ?"
                " WHERE id = ? AND status IN ('active', 'pending')",
                (reason, known.id),
            )
            if changed:
                self._log(known.id, "unsubscribed", reason, now)
            return self._must(self.subscriber_with_id(known.id))

    def resubscribe(self, address: str, source: str, now: datetime) -> Subscriber:
        with self._db.changing_people():
            known = self._must(self.subscriber(address))
            if known.status is SubscriberStatus.SUPPRESSED:
                raise AudienceError(
                    f"{address} is suppressed ({known.reason}): mail to it does harm",
                    code="audience.suppressed",
                )
            changed = self._db.write(
                "UPDATE subscriber SET status = 'active', reason = '', consent_source = ?,"
                " consent_at = ? WHERE id = ? AND status IN ('unsubscribed', 'pending')",
                (source, micros(now), known.id),
            )
            if changed:
                self._log(known.id, "active", source, now)
            return self._must(self.subscriber_with_id(known.id))

    def suppress(self, address: str, reason: str, now: datetime) -> Subscriber:
        with self._db.changing_people():
            known = self._must(self.subscriber(address))
            self._suppress(known.address, reason, now)
            changed = self._db.write(
                "UPDATE subscriber SET status = 'suppressed', reason = ?"
                " WHERE id = ? AND status <> 'suppressed'",
                (reason, known.id),
            )
            if changed:
                self._log(known.id, "suppressed", reason, now)
            return self._must(self.subscriber_with_id(known.id))

    def tag(
        self, address: str, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
    ) -> Subscriber:
        with self._db.changing_people():
            known = self._must(self.subscriber(address))
            self._db.write_many(
                "DELETE FROM tag WHERE subscriber_id = ? AND tag = ?",
                [(known.id, tag.strip()) for tag in remove],
            )
            self._wear(known.id, add)
            return self._must(self.subscriber_with_id(known.id))

    def census(self) -> Counter[SubscriberStatus]:
        rows = self._db.rows("SELECT status, count(*) FROM subscriber GROUP BY status")
        return Counter({SubscriberStatus(status): count for status, count in rows})

    def tags(self) -> Counter[str]:
        return Counter(dict(self._db.rows("SELECT tag, count(*) FROM tag GROUP BY tag")))

    def history(self, address: str) -> list[Event]:
        known = self._must(self.subscriber(address))
        rows = self._db.rows(
            "SELECT at, what, source FROM event WHERE subscriber_id = ? ORDER BY id", (known.id,)
        )
        return [Event(moment_of(at), what, source) for at, what, source in rows]

    def _must(self, person: Subscriber | None) -> Subscriber:
        if person is None:
            raise AudienceError(
                "no subscriber has that address",
                hint="see them all: newsletter subscribers list",
                code="audience.unknown",
            )
        return person

    def _suppressed(self, address: str) -> str:
        """The reason the address is suppressed for, or ""."""
        row = self._db.row(
            "SELECT reason FROM suppression WHERE address_hash = ?", (address_hash(address),)
        )
        return "" if row is None else str(row[0])

    def _suppress(self, address: str, reason: str, now: datetime) -> None:
        self._db.write(
            "INSERT INTO suppression (address_hash, reason, created_at) VALUES (?, ?, ?)"
            " ON CONFLICT (address_hash) DO NOTHING",
            (address_hash(address), reason, micros(now)),
        )

    def _wear(self, subscriber_id: int, tags: tuple[str, ...]) -> None:
        rows = [(subscriber_id, tag.strip()) for tag in tags if tag.strip()]
        if rows:
            self._db.write_many(
                "INSERT INTO tag (subscriber_id, tag) VALUES (?, ?) ON CONFLICT DO NOTHING", rows
            )

    def _log(self, subscriber_id: int, what: str, source: str, now: datetime) -> None:
        self._db.write(
            "INSERT INTO event (subscriber_id, at, what, source) VALUES (?, ?, ?, ?)",
            (subscriber_id, micros(now), what, source),
        )


def _merged(known: Subscriber, person: NewSubscriber) -> _Merged:
    """`known` with what `person` brings: blanks never overwrite, a recorded consent stays."""
    moved = person.status is not known.status
    fields = {key: value for key, value in person.fields.items() if value.strip()}
    tags = {tag.strip() for tag in person.tags if tag.strip()}
    unknown_consent = not known.consent_source and known.consent_at is None
    suppressed = moved and person.status is SubscriberStatus.SUPPRESSED
    return _Merged(
        person.name if person.name.strip() else known.name,
        person.status,
        (person.reason or ("manual" if suppressed else "")) if moved else known.reason,
        person.consent_source if unknown_consent else known.consent_source,
        person.consent_at if unknown_consent else known.consent_at,
        {**known.fields, **fields},
        tuple(sorted({*known.tags, *tags})),
    )
