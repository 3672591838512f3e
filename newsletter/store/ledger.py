"""What the ledger can be asked: who would get an issue, what became of every mail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from newsletter.model import Delivery, DeliveryState
from newsletter.store import Audience, HeadCount
from newsletter.store.handover import Handover
from newsletter.store.rows import delivery_of

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
                WHERE send.slug = :slug AND send.local = :local
                  AND delivery.state NOT IN ('failed', 'skipped')
                ORDER BY send.id
                LIMIT 1), '')
           ELSE ''
       END AS exclusion
  FROM person
"""
# The first :limit recipients of them. Apart, since it sorts a million people.
LIMITED = f"""
SELECT id, address, address_hash, name, fields,
       CASE
           WHEN exclusion = ''
                AND row_number() OVER (PARTITION BY exclusion = '' ORDER BY id) > :limit
               THEN 'over the limit of ' || :limit
           ELSE exclusion
       END AS exclusion
  FROM ({CANDIDATES})
"""  # noqa: S608  one constant inside another

EXCLUSIONS = "SELECT exclusion, count(*) FROM ({}) GROUP BY exclusion"
SAMPLES = "SELECT address FROM ({}) WHERE exclusion = '' ORDER BY id LIMIT :sample"
NEXT_PAGE = """
SELECT send_id, subscriber_id, address, name, fields, state, reason, attempts, message_id,
       reply_stage, reply_code, reply_status, reply_text, next_at, updated_at, deferrals, relay
  FROM delivery
 WHERE send_id = :send AND subscriber_id > :after AND (:state IS NULL OR state = :state)
 ORDER BY subscriber_id
 LIMIT :page
"""


class Ledger(Handover):
    """The questions, on one database."""

    def head_count(self, slug: str, audience: Audience) -> HeadCount:
        wanted, people = asked(slug, audience), audience_query(audience)
        with self._db.reading():
            counts: Counter[str] = Counter(dict(self._db.rows(EXCLUSIONS.format(people), wanted)))
            sample = self._db.rows(SAMPLES.format(people), {**wanted, "sample": SAMPLE})
        candidates, recipients = counts.total(), counts.pop("", 0)
        return HeadCount(
            candidates=candidates,
            recipients=recipients,
            exclusions=counts,
            sample=tuple(address for (address,) in sample),
        )

    def progress(self, send_id: int) -> Counter[DeliveryState]:
        self._settle_all()
        rows = self._db.rows(
            "SELECT state, count(*) FROM delivery WHERE send_id = ? GROUP BY state", (send_id,)
        )
        return Counter({DeliveryState(state): count for state, count in rows})

    def canary_progress(self, send_id: int) -> Counter[DeliveryState]:
        self._settle_all()
        rows = self._db.rows(
            "SELECT state, count(*) FROM delivery"
            " WHERE send_id = ? AND wave = 0 AND state <> 'skipped' GROUP BY state",
            (send_id,),
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
        page = {"send": send_id, "state": state, "page": PAGE}
        after = 0
        while rows := self._db.rows(NEXT_PAGE, {**page, "after": after}):
            yield from map(delivery_of, rows)
            after = rows[-1][1]


def audience_query(audience: Audience) -> str:
    """The statement that names everybody, with the reason that keeps them out."""
    return CANDIDATES if audience.limit is None else LIMITED


def asked(slug: str, audience: Audience) -> dict[str, str | int | None]:
    """The parameters of the statements about an audience."""
    limit = {} if audience.limit is None else {"limit": audience.limit}
    return {
        "slug": slug,
        "tag": audience.tag,
        "only_new": int(audience.only_new),
        "local": int(audience.local),
        **limit,
    }
