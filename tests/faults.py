"""Every fault at every point of a conversation, committed by a relay on a script.

A point, a fault and how often it happens enter; what became of the recipient, of the others and of
the run leaves. Three people on three domains, ada, ben and cy; what goes wrong once goes wrong for
ben where the relay can know for whom it is.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import trustme

from newsletter.audience.tokens import Keys
from newsletter.delivery.deliver import deliver
from newsletter.delivery.publish import Publication, publish
from newsletter.delivery.run import Office
from newsletter.errors import LineLost, NewsletterError, RelayRefused, RelayUnavailable
from newsletter.model import (
    Email,
    NewSubscriber,
    Origin,
    Relay,
    SendState,
    SubscriberStatus,
    Tls,
)
from newsletter.smtp.client import SMTPTransport
from newsletter.smtp.replies import Limits
from newsletter.store import Audience, Store, open_store
from tests.killing import EMAIL, NOW, url
from tests.sample import letter
from tests.smtpd import ScriptedRelay

PEOPLE = ("ada@one.example.com", "ben@two.example.com", "cy@three.example.com")
BEN = PEOPLE[1]
CROWD = tuple(f"p{number}@two.example.com" for number in range(5))
OFFERED = ("PIPELINING", "ENHANCEDSTATUSCODES")
SESSION = ("connect", "greeting", "ehlo", "tls", "auth")
POINTS = (*SESSION, "mail", "rcpt", "data", "content", "dot", "after-dot", "quit")
# Where less can go wrong: nobody listens; in the middle of the content; after the answer to it.
ONLY = {
    "connect": ("hangs up",),
    "content": ("hangs up", "resets the line"),
    "after-dot": ("closing (421)", "hangs up", "resets the line", "garbage"),
}
# A fault takes as long as we wait for it; what is not one has this long on a busy machine.
PATIENCE_S, STALL_S = 8.0, 0.7

PAGE = Path(__file__).resolve().parent.parent / "docs" / "faults.md"

Script = Mapping[str, Any]

WRONG_YES = {"mail": "354 go on", "rcpt": "334 more", "data": "250 fine", "dot": "354 more"}
FAULTS: dict[str, Script] = {
    "a yes that does not fit": {"say": "354 go on"},
    "later (451)": {"say": "451 4.3.0 try again later"},
    "closing (421)": {"say": "421 4.3.2 closing", "drop": True},
    "no (554)": {"say": "554 5.3.0 refused"},
    "hangs up": {"drop": True},
    "resets the line": {"reset": True},
    "says nothing": {"delay_s": 30.0},
    "garbage": {"say": b"\x00\xff\x1b[2Jwhat?\r\n"},
    "an answer without end": {"say": b"250-and\r\n" * 5000},
    "a byte at a time": {"drip_s": 0.002},
}
PROVIDERS = {
    "550 5.1.1 no such user": "no such mailbox",
    "550 5.7.1 blocked using spamhaus": "a blocklist",
    "550 5.7.26 unauthenticated": "no DMARC, says Gmail",
    "421 4.7.28 unusual rate of unsolicited mail": "too fast, says Gmail",
    "451 4.7.1 greylisted, try again": "greylisting",
    "452 4.2.2 mailbox full": "a full mailbox",
    "452 4.3.1 insufficient system storage": "a full relay",
    "550 5.4.5 daily sending quota exceeded": "our quota",
    "535 5.7.8 credentials invalid": "our login",
    "552 5.3.4 message too big": "our mail is too big",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at a point, once or each time."""

    point: str
    script: tuple[tuple[str, Any], ...]
    once: bool = True
    send: str = "usual"

    @classmethod
    def named(cls, point: str, name: str, *, once: bool = True) -> Fault:
        """The fault of that name as it is at that point."""
        script = dict(FAULTS[name])
        if name == "a yes that does not fit":
            script["say"] = WRONG_YES.get(point, "354 go on")
        if point == "content":
            script["after"] = 50_000
        return cls(point, tuple(script.items()), once, "long" if point == "content" else "usual")

    @classmethod
    def saying(cls, point: str, reply: str, send: str) -> Fault:
        closes = reply.startswith("421")
        words = (("say", reply), *((("drop", True),) if closes else ()))
        return cls(point, words, once=True, send=send)

    @property
    def stalls(self) -> bool:
        return any(name == "delay_s" for name, _ in self.script)


@dataclass(frozen=True, slots=True)
class Effect:
    """What the ledger says of each person, how many copies the relay has for them, whether a
    domain is left alone, who is suppressed, and how the run ended."""

    states: Mapping[str, str]
    copies: Mapping[str, int]
    rests: bool
    suppressed: int
    run: str

    def __str__(self) -> str:
        ben = self.states[BEN]
        others = "/".join(sorted({to for who, to in self.states.items() if who != BEN}))
        said = [f"{ben}, suppressed" if self.suppressed else ben]
        said += [] if others in ("accepted", ben) else [f"others {others}"]
        said += ["the domain rests"] if self.rests else []
        return "; ".join([*said, *([self.run] if self.run else [])])


def script(relay: ScriptedRelay, fault: Fault) -> None:
    """Tell the relay what to do wrong."""
    if fault.point == "connect":
        return
    at = "starttls" if fault.point == "tls" and "say" in dict(fault.script) else fault.point
    words = dict(fault.script)
    if fault.send == "crowd":
        for address in (BEN, *CROWD):
            relay.on(at, to=address, **words)
        return
    if at == "mail" and fault.once:
        relay.on("mail", times=1)
    to = BEN if fault.once and at in ("rcpt", "data", "content", "dot", "after-dot") else None
    relay.on(at, to=to, times=1 if fault.once else None, **words)


class Trials:
    """Frozen sends to copy, and an authority for TLS: `usual`, `long` with a mail that no buffer
    holds, `crowd` with six people of one domain."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        self.certificate = authority.issue_cert("localhost", "127.0.0.1")
        self.freeze("usual", EMAIL, PEOPLE)

    def freeze(self, name: str, email: Email, people: Iterable[str]) -> None:
        with open_store(url(self.folder / name)) as store:
            for address in people:
                store.add(NewSubscriber(address=address), NOW)
            head = letter(self.folder).letterhead
            wanted = Publication(
                email=email, origin=Origin(), letterhead=head, relay="main", audience=Audience()
            )
            publish(store, wanted, NOW)

    def effect(self, fault: Fault) -> Effect:
        """What the fault brings about."""
        tls = Tls.STARTTLS if fault.point in ("tls", "auth") else Tls.NONE
        with (
            tempfile.TemporaryDirectory(dir=self.folder) as name,
            ScriptedRelay(tls=tls, certificate=self.certificate, extensions=OFFERED) as relay,
        ):
            folder = Path(shutil.copytree(self.folder / fault.send, Path(name) / "send"))
            script(relay, fault)
            way = relay.relay(timeout_s=STALL_S if fault.stalls else PATIENCE_S)
            if fault.point == "auth":
                way = replace(way, username="ada", password="secret")
            if fault.point == "connect":
                way = replace(way, port=closed_port())
            with open_store(url(folder)) as store:
                return performed(store, way, relay)


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@dataclass(slots=True)
class Clock:
    """A clock that goes on when somebody waits."""

    now: datetime = NOW

    def rest(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def performed(store: Store, way: Relay, relay: ScriptedRelay) -> Effect:
    """The effect of sending by that way."""
    limits = Limits(dot_s=way.timeout_s, quit_s=min(way.timeout_s, STALL_S))
    [send] = store.sends()
    clock = Clock()
    office = Office(
        store=store,
        letter=letter(Path("/")),
        keys=Keys((b"k" * 32,)),
        now=lambda: clock.now,
        sleep=clock.rest,
        rest=clock.rest,
    )
    run = ""
    try:
        for _ in deliver(send, [SMTPTransport(way, limits)], office):
            pass
    except NewsletterError as error:
        run = words(error)
    rows = list(store.deliveries(send.id))
    if not run and store.send(send.id).state is SendState.PAUSED:
        run = "tried again later"
    return Effect(
        states={row.address: row.state.value for row in rows},
        copies={row.address: copies(relay, row.address) for row in rows},
        rests=any("is paused in this run" in row.reason for row in rows),
        suppressed=store.census()[SubscriberStatus.SUPPRESSED],
        run=run,
    )


def copies(relay: ScriptedRelay, address: str) -> int:
    return sum(one.rcpt_tos == [address] for one in relay.accepted)


def words(error: NewsletterError) -> str:
    """What the run does."""
    if isinstance(error, RelayRefused):
        return "the run stops: mend it"
    if isinstance(error, RelayUnavailable | LineLost):
        return "the run pauses: try later"
    return f"{type(error).__name__}"


Cell = tuple[str, str, bool]


def cells() -> Iterator[Cell]:
    """Every point, fault and whether it happens once."""
    for point in POINTS:
        for name in FAULTS:
            if name in ONLY.get(point, FAULTS):
                if point != "connect":
                    yield point, name, True
                yield point, name, False


def matrix(folder: Path) -> dict[Cell, Effect]:
    """The effect of each; several at a time, since most of them wait."""
    trials = Trials(folder)
    long = replace(EMAIL, text="Sleep is a habit of the body.\n" * 400_000)
    trials.freeze("long", long, PEOPLE)
    kept = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(folder / "ca.pem")
    try:
        with ThreadPoolExecutor(12) as pool:
            # what takes longest first, so that nobody waits for it alone in the end
            wanted = sorted(cells(), key=lambda cell: "delay_s" not in FAULTS[cell[1]])
            faults = [Fault.named(point, name, once=once) for point, name, once in wanted]
            return dict(zip(wanted, pool.map(trials.effect, faults), strict=True))
    finally:
        del os.environ["SSL_CERT_FILE"]
        if kept is not None:
            os.environ["SSL_CERT_FILE"] = kept


Said = tuple[str, str, str]


def providers(folder: Path) -> dict[Said, Effect]:
    """The effect of what providers say about one mail: to ben, and to everybody of his domain."""
    trials = Trials(folder)
    trials.freeze("crowd", EMAIL, (PEOPLE[0], BEN, *CROWD, PEOPLE[2]))
    wanted = [
        (reply, point, send)
        for reply in PROVIDERS
        for point in ("rcpt", "dot")
        for send in ("usual", "crowd")
    ]
    with ThreadPoolExecutor(6) as pool:
        faults = [Fault.saying(point, reply, send) for reply, point, send in wanted]
        return dict(zip(wanted, pool.map(trials.effect, faults), strict=True))


# the page

HEAD = """# Faults

What a send makes of everything that a relay can do wrong, made by `python -m tests.faults` from
runs against a relay that keeps to a script, and held to it by the test suite. Three people on three
domains are sent a letter over one pipelined line; what goes wrong **once** goes wrong for ben, the
second of them, and what goes wrong **each time** goes wrong for everybody.

The cells say what the ledger has of ben, of the others where it is not the same or `accepted`, and
of the run where it does not simply come to its end. In none of them does anybody get two copies, is
anybody `accepted` whose mail the relay does not have, or suppressed for what is not their fault.
What was not taken is tried again over a new line, three times without an answer at most; the states
are explained in [sending.md](sending.md).
"""
TITLES = {
    "connect": "Connecting",
    "greeting": "The greeting",
    "ehlo": "EHLO",
    "tls": "STARTTLS and the handshake",
    "auth": "The login",
    "mail": "MAIL",
    "rcpt": "RCPT",
    "data": "DATA",
    "content": "The content, in the middle of it",
    "dot": "The final dot",
    "after-dot": "After the answer to it, unasked",
    "quit": "QUIT",
}


def page() -> str:
    """docs/faults.md as it is today."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        return written(matrix(Path(one)), providers(Path(two)))


def written(found: Mapping[Cell, Effect], said: Mapping[Said, Effect]) -> str:
    parts = [HEAD]
    for point in POINTS:
        lines = [f"## {TITLES[point]}\n", "| the relay | once | each time |", "|---|---|---|"]
        for name in FAULTS:
            if (point, name, False) in found:
                what = "is not there" if point == "connect" else name
                once = found.get((point, name, True), "")
                lines.append(f"| {what} | {once} | {found[point, name, False]} |")
        parts.append("\n".join(lines) + "\n")
    parts.append(
        "## What providers say\n\nOf one mail to ben, and of each mail to his domain, which has six"
        " readers here.\n\n| the relay says | that is | to RCPT, of ben | of his domain"
        " | to the dot, of ben | of his domain |\n|---|---|---|---|---|---|"
    )
    for reply, meaning in PROVIDERS.items():
        effects = [said[reply, at, send] for at in ("rcpt", "dot") for send in ("usual", "crowd")]
        parts[-1] += f"\n| `{reply}` | {meaning} | {' | '.join(map(str, effects))} |"
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
