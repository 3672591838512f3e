"""How fast mail leaves: `python -m tests.bench.send [--mails 5000] [--rounds 3]`.

The same issue of 45 KB, personalised in text, HTML and header, handed to the same `smtp-sink` by
each contender in turn, every one in a process of its own; ours with its ledger on disk. Medians
over the rounds, and the ratio to the reference taken round by round. `smtp-source` and `smtp-sink`
are Debian's postfix package; a contender that is not installed is left out.

Rates against smtp-sink say little when it is the one that is busy: read the CPU column too. Sink
and contender share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import resource
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from newsletter.audience.tokens import Keys
from newsletter.delivery.deliver import deliver
from newsletter.delivery.publish import Publication, publish
from newsletter.delivery.run import Office
from newsletter.model import Email, Letter, Mailbox, NewSubscriber, Origin, Relay, Slot
from newsletter.smtp import open_transports
from newsletter.store import Audience, open_store
from tests.bench.sink import Sink

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FIRST_NAME, UNSUBSCRIBE = Slot("first_name", "friend"), Slot("unsubscribe_url")
PARAGRAPH = '<p style="margin:0 0 16px;line-height:24px">Sleep is a habit of the body.</p>\n'
HTML = (
    f"<!DOCTYPE html>\n<html><body><p>Dear {{first_name}},</p>\n{PARAGRAPH * 430}"
    '<p><a href="{unsubscribe}">Unsubscribe</a></p></body></html>\n'
)
TEXT = "Dear {first_name},\n\n" + "Sleep is a habit of the body.\n\n" * 190 + "{unsubscribe}\n"
REFERENCE = "smtp-source -s 8 -d"


@dataclass(frozen=True, slots=True)
class Measured:
    """One contender, one round."""

    mails: int
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        return self.mails / self.seconds

    @property
    def cpu_us(self) -> float:
        return self.cpu_s / self.mails * 1e6


def letter(root: Path) -> Letter:
    return Letter(
        root=root,
        name="Still Point",
        base_url="https://letters.example.org",
        language="en",
        timezone=ZoneInfo("UTC"),
        issues=root,
        templates=root,
        sender=Mailbox("Still Point", "letters@example.org"),
        reply_to=None,
        postal_address="14 Orchard Row, Lindenford",
        list_id="letter.example.org",
        permalink="/{slug}/",
        fields=("first_name",),
    )


def issue() -> Email:
    tokens = {"first_name": FIRST_NAME.token, "unsubscribe": UNSUBSCRIBE.token}
    return Email(
        slug="sleep",
        subject=f"Sleep, {FIRST_NAME.token}",
        preheader="Short days",
        html=HTML.format(**tokens),
        text=TEXT.format(**tokens),
        url="https://letters.example.org/sleep/",
        slots=(FIRST_NAME, UNSUBSCRIBE),
    )


# the contenders, each in a process of its own


@contextmanager
def stopwatch(mails: int) -> Iterator[list[Measured]]:
    """What the body took, its threads included."""
    measured: list[Measured] = []
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    yield measured
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    measured.append(Measured(mails, seconds, cpu))


def newsletter(relay: Relay, mails: int) -> Measured:
    """Ours: claim, fill, hand over, record; the ledger in SQLite on this disk."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with open_store(f"sqlite:{root / 'newsletter.db'}") as store:
            for number in range(mails):
                person = NewSubscriber(address=f"p{number}@example.com", name=f"Pat{number} Doe")
                store.add(person, NOW)
            publication = Publication(
                email=issue(),
                origin=Origin(),
                letterhead=letter(root).letterhead,
                relay="sink",
                audience=Audience(),
            )
            send = publish(store, publication, NOW)
            office = Office(
                store=store,
                letter=letter(root),
                keys=Keys((b"k" * 32,)),
                now=lambda: datetime.now(UTC),
                sleep=time.sleep,
            )
            with stopwatch(mails) as measured:
                accepted = sum(
                    row.state == "accepted" for row in deliver(send, open_transports(relay), office)
                )
    assert accepted == mails, f"{accepted} of {mails} accepted"
    return measured[0]


def message(number: int) -> EmailMessage:
    """The same mail as the standard library builds it."""
    words = {"first_name": f"Pat{number}", "unsubscribe": f"https://letters.example.org/u/{number}"}
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Still Point <letters@example.org>"
    mail["To"] = f"Pat{number} Doe <p{number}@example.com>"
    mail["Subject"] = f"Sleep, Pat{number}"
    mail["Message-ID"] = f"<{number}@example.org>"
    mail.set_content(TEXT.format(**words))
    mail.add_alternative(HTML.format(**words), subtype="html")
    return mail


def standard_library(relay: Relay, mails: int) -> Measured:
    """smtplib and EmailMessage on one connection."""
    with stopwatch(mails) as measured, smtplib.SMTP(relay.host, relay.port, "localhost") as line:
        for number in range(mails):
            line.send_message(message(number), "letters@example.org", [f"p{number}@example.com"])
    return measured[0]


def aiosmtplib(relay: Relay, mails: int) -> Measured:
    """aiosmtplib and EmailMessage on 8 connections."""
    library = importlib.import_module("aiosmtplib")

    async def one(first: int) -> None:
        async with library.SMTP(hostname=relay.host, port=relay.port, use_tls=False) as line:
            for number in range(first, mails, 8):
                await line.send_message(message(number))

    async def all_of_them() -> None:
        await asyncio.gather(*(one(first) for first in range(8)))

    with stopwatch(mails) as measured:
        asyncio.run(all_of_them())
    return measured[0]


def smtp_source(relay: Relay, mails: int) -> Measured:
    """Postfix's load generator in C: a ready mail of the same size, 8 connections, no pipelining.
    Its few milliseconds of start count too."""
    size = len(message(1).as_bytes())
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    where = f"{relay.host}:{relay.port}"
    counts = ["-s", "8", "-m", str(mails), "-l", str(size)]
    people = ["-f", "letters@example.org", "-t", "pat@example.com"]
    subprocess.run(["smtp-source", "-d", *counts, *people, where], check=True)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(mails, seconds, cpu)


CONTENDERS: dict[str, tuple[Callable[[Relay, int], Measured], int]] = {
    # how, and the share of the mails: the slow ones get fewer
    REFERENCE: (smtp_source, 1),
    "newsletter, 4 connections": (newsletter, 1),
    "newsletter, 1 connection": (newsletter, 1),
    "smtplib + EmailMessage": (standard_library, 10),
    "aiosmtplib, 8 connections": (aiosmtplib, 10),
}


def absent(name: str) -> bool:
    if name == REFERENCE:
        return shutil.which("smtp-source") is None
    return name.startswith("aiosmtplib") and importlib.util.find_spec("aiosmtplib") is None


def alone(name: str, port: int, mails: int) -> Measured:
    """A contender in a fresh process."""
    command = [sys.executable, "-m", "tests.bench.send", "--only", name]
    done = subprocess.run(
        [*command, "--port", str(port), "--mails", str(mails)],
        check=True,
        capture_output=True,
        text=True,
    )
    return Measured(**json.loads(done.stdout))


def run_alone(name: str, port: int, mails: int) -> None:
    contender, share = CONTENDERS[name]
    relay = Relay(name="sink", kind="smtp", port=port, mails_per_connection=10**9)
    relay = replace(relay, connections=1 if "1 connection" in name else 4)
    measured = contender(relay, max(mails // share, 1))
    print(json.dumps({key: getattr(measured, key) for key in ("mails", "seconds", "cpu_s")}))


# the table


@contextmanager
def smtp_sink() -> Iterator[int]:
    """The port of a fresh smtp-sink, which takes everything and keeps nothing."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    sink = subprocess.Popen(["smtp-sink", *user, f"127.0.0.1:{port}", "256"])
    try:
        time.sleep(0.3)
        yield port
    finally:
        sink.terminate()
        sink.wait()


def against_smtp_sink(mails: int, rounds: int) -> None:
    names = [name for name in CONTENDERS if not absent(name)]
    results: dict[str, list[Measured]] = {name: [] for name in names}
    with smtp_sink() as port:
        for _ in range(rounds):
            for name in names:
                results[name].append(alone(name, port, mails))
    print(f"{mails} mails of {len(message(1).as_bytes()):,} bytes to smtp-sink, {rounds} rounds")
    print(f"{'':28}{'mails/s':>9}{'(min-max)':>16}{'x ' + REFERENCE:>24}{'CPU us/mail':>13}")
    reference = results.get(REFERENCE, [])
    for name, found in results.items():
        rates = [one.rate for one in found]
        ratios = [a.rate / b.rate for a, b in zip(found, reference, strict=False)] or [0.0]
        spread = f"({min(rates):,.0f}-{max(rates):,.0f})"
        against = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        cpu = median(one.cpu_us for one in found)
        print(f"{name:28}{median(rates):>9,.0f}{spread:>16}{against:>24}{cpu:>13,.0f}")


def far_away(mails: int, round_trip_s: float = 0.03) -> None:
    """One connection, a relay 30 ms away: what a round trip saved is worth."""
    rates = {}
    for name, chunking, pipelining, depth in (
        ("lock-step", False, False, 1),
        ("pipelined (RFC 2920)", False, True, 1),
        ("BDAT, depth 4 (RFC 3030)", True, True, 4),
        ("BDAT, depth 16", True, True, 16),
    ):
        with Sink(round_trip_s=round_trip_s, pipelining=pipelining, chunking=chunking) as sink:
            rates[name] = newsletter(replace(sink.relay(), depth=depth), mails).rate
    print(f"\n{mails} mails to a relay {round_trip_s * 1000:.0f} ms away, one connection")
    for name, rate in rates.items():
        print(f"{name:28}{rate:>9,.1f}{rate / rates['lock-step']:>9.2f} x lock-step")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.send")
    parser.add_argument("--mails", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=CONTENDERS, help="one contender, JSON (needs --port)")
    parser.add_argument("--port", type=int, default=25)
    asked = parser.parse_args()
    if asked.only:
        run_alone(asked.only, asked.port, asked.mails)
        return
    if shutil.which("smtp-sink") is None:
        print("no smtp-sink here: apt-get install postfix")
    else:
        against_smtp_sink(asked.mails, asked.rounds)
    far_away(200)


if __name__ == "__main__":
    main()
