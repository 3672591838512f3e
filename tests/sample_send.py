"""The ledger of a send with everything in it that a report can tell: invented, and always the same.

python -m tests.sample_send FILE.html      writes its report
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from newsletter.model import DeliveryState, NewSubscriber, SendState, Turn, TurnKind
from newsletter.model import SubscriberStatus as Status
from newsletter.report.account import account
from newsletter.report.page import Clock, page
from newsletter.store import Audience, Store
from newsletter.store.rows import Row, micros
from newsletter.store.sqlite import SQLiteStore
from tests.stores import EMAIL, NEW

START = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Lisbon")
DOMAINS = {
    "mail.example.com": 2911,
    "post.example.net": 702,
    "inbox.example.org": 310,
    "letters.example.com": 196,
    "fast.example.net": 96,
    "club.example.org": 61,
    "school.example.com": 44,
    "practice.example.net": 21,
}
SMALL = 240
PER_S = 14
GONE = "<{address}>: Recipient address rejected: User unknown in local recipient table"
LATER = "Greylisted, please try again in 300 seconds"
BLOCKED = (
    "Service unavailable; Client host [203.0.113.7] blocked using bl.example.org; see"
    " https://bl.example.org/q/203.0.113.7"
)
SLOW = "Too many messages from 203.0.113.7, slow down [{n}F1AB8C]"


def addresses(share: float = 1.0) -> list[str]:
    """The readers, shuffled."""
    sizes = {domain: max(1, int(size * share)) for domain, size in DOMAINS.items()}
    found = [f"reader{n}@{domain}" for domain, size in sizes.items() for n in range(size)]
    found += [f"me@family{n // 2}.example.org" for n in range(0, int(SMALL * share) * 2, 2)]
    random.Random(7).shuffle(found)
    return found


def fill(store: SQLiteStore, share: float = 1.0) -> int:
    """The id of the send, after a day: two pauses, a slower pace, a few refusals."""
    people = addresses(share)
    with store._db.transaction():
        for number, address in enumerate(people):
            status = Status.UNSUBSCRIBED if number % 37 == 1 else Status.ACTIVE
            store.add(NewSubscriber(address=address, name="", status=status), START)
        for number in range(3):
            new = NewSubscriber(
                address=f"new{number}@mail.example.com", name="", status=Status.PENDING
            )
            store.add(new, START)
    email = replace(EMAIL, slug="autumn-sleep", subject="Sleep & rest when the evenings draw in")
    send = store.freeze(replace(NEW, email=email, audience=Audience()), START)
    with store._db.transaction():
        rows = list(store.deliveries(send.id, DeliveryState.PENDING))
        store._db.write_many(ANSWER, answers([(r.subscriber_id, r.address) for r in rows], send.id))
    tell(store, send.id, len(rows))
    return send.id


ANSWER = """
UPDATE delivery
   SET state = ?, reason = ?, reply_stage = ?, reply_code = ?, reply_status = ?, reply_text = ?,
       attempts = 1, updated_at = ?
 WHERE send_id = ? AND subscriber_id = ?
"""
YES = ("accepted", "", "dot", 250, "2.0.0", "Ok: queued as {n}F1AB8C0D2")


ODD = (
    (0.004, ("failed", "no such mailbox", "rcpt", 550, "5.1.1", GONE)),
    (0.006, ("failed", "the mailbox is full", "rcpt", 552, "5.2.2", "Mailbox full, {n} over")),
    (0.008, ("deferred", "greylisted", "rcpt", 451, "4.7.1", LATER)),
)


def answers(people: list[tuple[int, str]], send_id: int) -> Iterator[Row]:
    """The parameters of ANSWER for each of them, at the pace of a relay that allows 14 a second."""
    dice = random.Random(11)
    for number, (subscriber_id, address) in enumerate(people):
        state, reason, stage, code, status, text = answer(address, dice.random(), number)
        said = text and text.format(address=address, n=f"{number:04X}")
        at = micros(moment(number, len(people)) + timedelta(milliseconds=dice.randrange(900)))
        yield (state, reason, stage, code, status, said, at, send_id, subscriber_id)


def answer(address: str, die: float, number: int) -> Row:
    """What became of one of them."""
    if number % 1607 == 800:
        return ("unknown", "the line died after the content had left", None, None, None, None)
    if address.endswith("@club.example.org"):
        return ("deferred", "a blocklist has us", "rcpt", 550, "5.7.1", BLOCKED)
    if address.endswith("@inbox.example.org") and die > 0.95:
        return ("deferred", "too fast", "rcpt", 451, "4.7.28", SLOW)
    return next((row for most, row in ODD if die < most), YES)


def moment(number: int, total: int) -> datetime:
    """When the mail with that number was answered."""
    second = number / PER_S
    if number > total * 0.4:  # it was stopped for the night
        second += 12.5 * 3600
    if number > total * 0.65:  # half as fast for a while
        second += (min(number, total * 0.72) - total * 0.65) / PER_S
    return START + timedelta(seconds=2 + second)


def tell(store: Store, send_id: int, total: int) -> None:
    """The turns that fit the times."""
    stopped, resumed = moment(int(total * 0.4), total), moment(int(total * 0.4) + 1, total)
    slower = [moment(int(total * share), total) for share in (0.651, 0.66, 0.67, 0.69)]
    store.move(send_id, SendState.SENDING, START + timedelta(seconds=2))
    store.hold(send_id, "paused by hand", stopped)
    store.move(send_id, SendState.SENDING, resumed)
    for number, at in enumerate(slower):
        key = "domain:inbox.example.org"
        store.tell(send_id, Turn(kind=TurnKind.SLOWED, at=at, why=key, number=7 - number))
    over = moment(total, total) + timedelta(seconds=1)
    store.move(send_id, SendState.PAUSED, over)


def sample_page(store: Store, send_id: int) -> str:
    """The report of it."""
    told = [account(store, entry) for entry in store.entries() if entry.id == send_id]
    return page(told, Clock(START + timedelta(days=1), ZONE))


if __name__ == "__main__":
    with TemporaryDirectory() as folder, SQLiteStore.open(f"sqlite:{folder}/s/n.db") as opened:
        Path(sys.argv[1]).write_text(sample_page(opened, fill(opened)), "utf-8")
