"""Who hands mail over in the bench, each in a process of its own.

The same issue of 45 KB (see `composed`), personalised in text, HTML and header; ours with its
ledger on disk. A contender that is not installed is left out; `--peers` of `tests.bench.send`
installs them. Which of them race is in `race`, those that sign in `signing`.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import resource
import smtplib
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from zoneinfo import ZoneInfo

from newsletter.audience.tokens import Keys
from newsletter.delivery.addressing import Addressee, recipient
from newsletter.delivery.deliver import deliver
from newsletter.delivery.publish import Publication, publish
from newsletter.delivery.run import Office
from newsletter.mime import fill, stencil
from newsletter.model import Letter, Mailbox, NewSubscriber, Origin, Relay
from newsletter.smtp import open_transports
from newsletter.store import Audience, open_store
from tests.bench.composed import composed, filled

NODEMAILER = Path(__file__).parent / "peers" / "nodemailer.mjs"
PEERS = "NEWSLETTER_BENCH_PEERS"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEYS = Keys((b"k" * 32,))


@dataclass(frozen=True, slots=True)
class Measured:
    """One contender, one round; `sink_cpu_s` is what its sink took meanwhile."""

    mails: int
    seconds: float
    cpu_s: float
    sink_cpu_s: float = 0.0

    @property
    def rate(self) -> float:
        return self.mails / self.seconds

    @property
    def cpu_us(self) -> float:
        return self.cpu_s / self.mails * 1e6

    @property
    def sink_us(self) -> float:
        return self.sink_cpu_s / self.mails * 1e6


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


def publication(root: Path) -> Publication:
    """The issue to everybody."""
    return Publication(
        email=composed(),
        origin=Origin(),
        letterhead=letter(root).letterhead,
        relay="sink",
        audience=Audience(),
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
            send = publish(store, publication(root), NOW)
            office = Office(
                store=store,
                letter=letter(root),
                keys=KEYS,
                now=lambda: datetime.now(UTC),
                sleep=time.sleep,
            )
            with stopwatch(mails) as measured:
                gone = deliver(send, open_transports(relay), office, relay)
                accepted = sum(row.state == "accepted" for row in gone)
    assert accepted == mails, f"{accepted} of {mails} accepted"
    return measured[0]


def our_mail() -> bytes:
    """One mail of `newsletter`: somewhat longer than the standard library's, for its header."""
    reader = Addressee(1, "p1@example.com", "Pat1 Doe", {})
    ours = letter(Path())
    to = recipient(reader, composed().slug, ours, KEYS)
    return fill(stencil(composed(), ours, NOW), to).content


def message(number: int) -> EmailMessage:
    """The same mail as the standard library builds it."""
    email = composed()
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Still Point <letters@example.org>"
    mail["To"] = f"Pat{number} Doe <p{number}@example.com>"
    mail["Subject"] = filled(email.subject, number)
    mail["Message-ID"] = f"<{number}@example.org>"
    mail.set_content(filled(email.text, number))
    mail.add_alternative(filled(email.html, number), subtype="html")
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


def django(relay: Relay, mails: int) -> Measured:
    """Django's EmailMultiAlternatives and send_messages on one connection."""
    settings = importlib.import_module("django.conf").settings
    settings.configure(EMAIL_HOST=relay.host, EMAIL_PORT=relay.port, DEFAULT_CHARSET="utf-8")
    library, email = importlib.import_module("django.core.mail"), composed()

    def one(number: int) -> object:
        mail = library.EmailMultiAlternatives(
            filled(email.subject, number),
            filled(email.text, number),
            "Still Point <letters@example.org>",
            [f"Pat{number} Doe <p{number}@example.com>"],
        )
        mail.attach_alternative(filled(email.html, number), "text/html")
        return mail

    with stopwatch(mails) as measured:
        library.get_connection("django.core.mail.backends.smtp.EmailBackend").send_messages(
            one(number) for number in range(mails)
        )
    return measured[0]


def nodemailer(relay: Relay, mails: int, transport: Mapping[str, object] | None = None) -> Measured:
    """nodemailer's pool of 10 connections, and what else its transport is to be told; its own
    clock, without the start of Node."""
    email = composed()
    asked = {
        "mails": mails,
        "subject": email.subject,
        "text": email.text,
        "html": email.html,
        "tokens": {slot.name: slot.token for slot in email.slots},
        "transport": {"port": relay.port, **(transport or {})},
    }
    done = subprocess.run(
        ["node", NODEMAILER, json.dumps(asked)],
        cwd=os.environ[PEERS],
        env={**os.environ, "NODE_PATH": f"{os.environ[PEERS]}/node_modules"},
        check=True,
        capture_output=True,
        text=True,
    )
    return Measured(**json.loads(done.stdout))


def smtplib_tls(relay: Relay, mails: int) -> Measured:
    """smtplib and EmailMessage after STARTTLS."""
    with stopwatch(mails) as measured, smtplib.SMTP(relay.host, relay.port, "localhost") as line:
        line.starttls(context=ssl.create_default_context())
        for number in range(mails):
            line.send_message(message(number), "letters@example.org", [f"p{number}@example.com"])
    return measured[0]


def smtp_source(relay: Relay, mails: int) -> Measured:
    """Postfix's load generator in C: a ready mail of the size of ours, 8 connections, no
    pipelining. Its few milliseconds of start count too."""
    size = len(our_mail())
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    where = f"{relay.host}:{relay.port}"
    counts = ["-s", "8", "-m", str(mails), "-l", str(size)]
    people = ["-f", "letters@example.org", "-t", "pat@example.com"]
    subprocess.run(["smtp-source", "-d", *counts, *people, where], check=True)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(mails, seconds, cpu)
