"""A sender that dies: a process of its own that sends, and is killed at a named point.

The points are in SEAMS; nothing in the product knows of them. A Job enters the process, SIGKILL or
an exit code leaves it, and what it found in doubt is appended to a file before it goes on. The
processes are forked from a server that has everything imported, so that one costs 20 ms.
"""

from __future__ import annotations

import mmap
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Lock
from typing import Any

from newsletter.audience.tokens import Keys
from newsletter.delivery.deliver import deliver
from newsletter.delivery.publish import Publication, publish
from newsletter.delivery.run import Office
from newsletter.errors import NewsletterError
from newsletter.model import DeliveryState, Email, NewSubscriber, Origin, Relay, Slot, Stage
from newsletter.smtp import client, open_transports
from newsletter.smtp.line import Line
from newsletter.smtp.replies import ReplyReader
from newsletter.store import Audience, database, open_store
from newsletter.store.database import Database
from newsletter.store.handover import RECORD, Handover
from newsletter.store.journal import SIZE_BYTES, Journal
from newsletter.store.sqlite import SQLiteStore
from newsletter.store.window import Window
from tests.sample import letter

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNSUBSCRIBE = Slot("unsubscribe_url")
EMAIL = Email(
    slug="winter",
    subject="Winter",
    preheader="Short days",
    html=f'<!DOCTYPE html><html><body><a href="{UNSUBSCRIBE.token}">Unsubscribe</a></body></html>',
    text=f"{'Short days. ' * 40}\n{UNSUBSCRIBE.token}\n",
    url="https://letters.example.org/winter/",
    slots=(UNSUBSCRIBE,),
)
IN_DOUBT, ACCEPTED = DeliveryState.UNKNOWN, DeliveryState.ACCEPTED
KILLED = -signal.SIGKILL
LEFT = 3  # the exit code of a sender that ended by itself and left work


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One process of a sender: which database and relay, where it dies (at the `nth` time that it
    comes to `point`, "" for never), whether it sends what it finds in doubt again, how long it
    waits for a locked database, and how big a file it may write (0: as big as it likes)."""

    folder: Path
    relay: Relay
    point: str = ""
    nth: int = 1
    retry: bool = False
    busy_ms: int = database.BUSY_TIMEOUT_MS
    largest_file: int = 0

    def dying_at(self, point: str, nth: int) -> Job:
        return replace(self, point=point, nth=nth)


# the points


class Fuse:
    """Kills this process the `nth` time it is asked to burn."""

    def __init__(self, nth: int) -> None:
        self._times = count(1)
        self._nth = nth
        self._lock = Lock()

    @property
    def burnt(self) -> bool:
        """Whether this is the time; asked once for each."""
        with self._lock:
            return next(self._times) == self._nth

    @staticmethod
    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)


Wanted = Callable[..., bool]


def always(*_: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Seam:
    """A function to die before, or after (`late`), when its arguments are `wanted`; `most` is how
    often a short send certainly comes there."""

    owner: Any
    name: str
    late: bool = False
    wanted: Wanted = always
    most: int = 1

    def arm(self, fuse: Fuse) -> None:
        inner = getattr(self.owner, self.name)

        def fatal(*arguments: Any, **named: Any) -> Any:
            now = self.wanted(*arguments) and fuse.burnt
            if now and not self.late:
                fuse.die()
            answer = inner(*arguments, **named)
            if now:
                fuse.die()
            return answer

        setattr(self.owner, self.name, fatal)


@dataclass(frozen=True, slots=True)
class Torn:
    """A write to die in the middle of: `cut` says after how many bytes, 0 when it is another."""

    cut: Callable[[bytes], int]
    most: int = 200

    def arm(self, fuse: Fuse) -> None:
        inner = Line._send

        def fatal(line: Line, pieces: Sequence[bytes], within_s: float) -> None:
            octets = b"".join(pieces)
            leaves = self.cut(octets)
            if leaves and fuse.burnt:
                inner(line, (octets[:leaves],), within_s)
                fuse.die()
            inner(line, pieces, within_s)

        setattr(Line, "_send", fatal)  # noqa: B010 - mypy would have a method assigned


@dataclass(frozen=True, slots=True)
class TornEntry:
    """An entry of the journal to die in the middle of: its second half is there."""

    most: int = 1

    def arm(self, fuse: Fuse) -> None:
        class Fatal(mmap.mmap):
            def __setitem__(self, where: Any, octets: Any) -> None:
                if fuse.burnt:
                    half = len(octets) // 2
                    super().__setitem__(slice(where.start + half, where.stop), octets[half:])
                    fuse.die()
                super().__setitem__(where, octets)

        setattr(mmap, "mmap", Fatal)  # noqa: B010


@dataclass(frozen=True, slots=True)
class TornFile:
    """A write to the file of the journal to die in the middle of."""

    wanted: Callable[[bytes], bool]
    most: int = 1

    def arm(self, fuse: Fuse) -> None:
        pwrite = os.pwrite

        def fatal(file: int, octets: bytes, at: int) -> int:
            if self.wanted(octets) and fuse.burnt:
                pwrite(file, octets[: len(octets) // 2], at)
                fuse.die()
            return pwrite(file, octets, at)

        setattr(os, "pwrite", fatal)  # noqa: B010


def up_to(octets: bytes, command: bytes) -> int:
    """Where the last such command ends, 0 when there is none."""
    at = octets.rfind(command)
    return octets.index(b"\r\n", at) + 2 if at >= 0 else 0


def of_content(octets: bytes, what: str) -> int:
    """How much of a write with content has left in the middle of it (half), before the last octet
    of its final dot or chunk (dot), and after it (sent)."""
    end = len(octets) if octets.startswith(b"RSET") else octets.find(b"\r\n.\r\n") + 5
    if end < len(b"\r\n.\r\n") or len(octets) < 500:
        return 0
    return {"half": end // 2, "dot": end - 1, "sent": end}[what]


def clears(octets: bytes) -> bool:
    return not octets.strip(b"\0") and len(octets) < SIZE_BYTES


def journal_file(path: Path, *_: object) -> bool:
    return path.suffix == ".journal"


def of_a_dot(_: object, stage: Stage, *__: object) -> bool:
    return stage is Stage.DOT


def outcomes(_: object, sql: str, *__: object) -> bool:
    return sql == RECORD


def last_move(_: object, __: int, to: str, *___: object) -> bool:
    return to in ("done", "paused")


SEAMS: dict[str, Seam | Torn | TornEntry | TornFile] = {
    "claim, not committed": Seam(Handover, "_take", late=True, most=4),
    "claim": Seam(Handover, "claim", late=True, most=4),
    "before connect": Seam(client, "dial", most=4),
    "connect": Seam(client, "dial", late=True, most=4),
    "MAIL": Torn(lambda octets: up_to(octets, b"MAIL FROM:<")),
    "RCPT": Torn(lambda octets: up_to(octets, b"RCPT TO:<")),
    "before journal": Seam(Journal, "write", most=200),
    "journal, torn": TornEntry(most=200),
    "journal": Seam(Journal, "write", late=True, most=200),
    "content": Torn(lambda octets: of_content(octets, "half")),
    "dot, torn": Torn(lambda octets: of_content(octets, "dot")),
    "dot": Torn(lambda octets: of_content(octets, "sent")),
    "reply": Seam(ReplyReader, "read", late=True, wanted=of_a_dot, most=200),
    "record, not committed": Seam(Database, "write_many", late=True, wanted=outcomes),
    "record": Seam(Window, "settled"),
    "journal, being made": TornFile(lambda octets: octets == bytes(SIZE_BYTES)),
    "journal, without a line": Seam(Journal, "__init__"),
    "journal, being cleared": TornFile(clears),
    "journal, cleared": Seam(Journal, "clear", late=True),
    "recover, not committed": Seam(Handover, "_replay", late=True),
    "recover": Seam(Path, "unlink", wanted=journal_file),
    "last move": Seam(SQLiteStore, "move", wanted=last_move),
}


# the process


def arm(job: Job) -> None:
    """From now on this process dies at the job's point, and waits as long as the job says."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    database.PRAGMAS = (f"PRAGMA busy_timeout = {job.busy_ms}", *database.PRAGMAS[1:])
    if job.largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job.largest_file, job.largest_file))
    if job.point in SEAMS:
        SEAMS[job.point].arm(Fuse(job.nth))


def send(job: Job) -> None:
    """Go on with the send, as `newsletter resume --unknown` does; exits with LEFT when the relay
    or the store ended it."""
    arm(job)
    try:
        with open_store(url(job.folder)) as store:
            [send] = store.sends()
            with store.sender_lock(send.id):
                store.recover(send.id, NOW)
            doubtful = [row.address for row in store.deliveries(send.id, IN_DOUBT)]
            report(job.folder, doubtful)
            if job.retry and doubtful:
                store.reopen(send.id, IN_DOUBT, NOW)
            elif send.state.over:
                return
            office = Office(
                store=store,
                letter=letter(job.folder),
                keys=Keys((b"k" * 32,)),
                now=lambda: datetime.now(UTC),
                sleep=lambda _: None,
            )
            for _ in deliver(send, open_transports(job.relay), office):
                pass
    except NewsletterError as error:
        with suppress(OSError), (job.folder / "errors").open("a") as file:  # its disk may be full
            file.write(f"{error.code} {error}\n")
        os._exit(LEFT)


def url(folder: Path) -> str:
    return f"sqlite:{folder / 'state' / 'newsletter.db'}"


def report(folder: Path, doubtful: list[str]) -> None:
    """Write down who is in doubt, once for each time a process looked."""
    with (folder / "doubt").open("a") as file:
        file.write(" ".join(doubtful) + "\n")


_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.killing"])


def begin(job: Job) -> BaseProcess:
    """The sender, started."""
    process = _processes.Process(target=send, args=(job,), daemon=True)
    process.start()
    return process


def ended(process: BaseProcess, within_s: float = 120.0) -> int:
    """Its exit code; -9 when it was killed."""
    process.join(within_s)
    assert process.exitcode is not None, "the sender does not end"
    return process.exitcode


# the send, and what became of it


def frozen(folder: Path, people: int) -> Path:
    """The folder with a send to so many people, frozen."""
    with open_store(url(folder)) as store:
        for number in range(people):
            store.add(NewSubscriber(address=f"p{number}@example.com"), NOW)
        publication = Publication(
            email=EMAIL,
            origin=Origin(),
            letterhead=letter(folder).letterhead,
            relay="main",
            audience=Audience(),
        )
        publish(store, publication, NOW)
    return folder
