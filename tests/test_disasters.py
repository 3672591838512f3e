"""What may befall a sender: a relay that hangs up after the dot, a full disk, a locked database.

Nobody is lost and nobody gets it twice, whatever it is; when it is over, `resume` goes on.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from newsletter.model import Delivery, DeliveryState, Relay
from newsletter.store import open_store
from tests.bench.kills import PIPELINED, SHAPES, Shape, Tally, Trial, doubts, told
from tests.conftest import needs
from tests.killing import ACCEPTED, IN_DOUBT, LEFT, NOW, Job, begin, ended, frozen, url
from tests.smtpd import ScriptedRelay

PEOPLE = 600
DEFERRED, PENDING = DeliveryState.DEFERRED, DeliveryState.PENDING


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A send to PEOPLE, frozen; to be copied."""
    return frozen(tmp_path_factory.mktemp("frozen"), PEOPLE)


@pytest.fixture
def folder(ready: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ready, tmp_path / "send"))


def rows(folder: Path) -> list[Delivery]:
    with open_store(url(folder)) as store:
        [send] = store.sends()
        return list(store.deliveries(send.id))


def states(folder: Path) -> Counter[DeliveryState]:
    return Counter(row.state for row in rows(folder))


# a relay that is not one: Postfix's own


@contextmanager
def smtp_sink(dump: Path, *options: str) -> Iterator[Relay]:
    """Postfix's smtp-sink with these options, and a file in `dump` for each mail it got."""
    needs("smtp-sink")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    dump.mkdir()
    dump.chmod(0o777)
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = ["smtp-sink", *user, *options, "-d", "%H%M%S.", f"127.0.0.1:{port}", "100"]
    sink = subprocess.Popen(command, cwd=dump)
    try:
        for _ in range(500):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.01)
        yield Relay(name="main", kind="smtp", port=port, connections=4, timeout_s=5.0)
    finally:
        sink.terminate()
        sink.wait()


def kept(dump: Path) -> Counter[str]:
    """How many mails for each address the sink has."""
    texts = [path.read_text("utf-8", "replace") for path in dump.iterdir()]
    return Counter(
        found[1] for text in texts if (found := re.search(r"^X-Rcpt-Args: <(.*)>", text, re.M))
    )


@pytest.mark.parametrize("retry", [False, True], ids=["skip", "retry"])
def test_a_relay_that_keeps_the_mail_and_hangs_up_at_the_dot(
    folder: Path, tmp_path: Path, *, retry: bool
) -> None:
    with smtp_sink(tmp_path / "bad", "-q", ".") as relay:
        job = Job(folder=folder, relay=relay)
        assert [ended(begin(job)) for _ in range(2)] == [LEFT, LEFT]
    doubtful = {row.address for row in rows(folder) if row.state == IN_DOUBT}
    bad = kept(tmp_path / "bad")
    assert bad.keys() == doubtful
    assert bad.total() == len(doubtful) == 2 * 4 * 4, "each line was tried four times"
    with smtp_sink(tmp_path / "good") as relay:
        assert ended(begin(replace(job, relay=relay, retry=retry))) == 0
    good = kept(tmp_path / "good")
    assert good.total() == len(good) == PEOPLE - (0 if retry else len(doubtful))
    twice = {address for address, copies in (good + bad).items() if copies > 1}
    assert twice == (doubtful if retry else set())
    assert set(states(folder)) == ({ACCEPTED} if retry else {ACCEPTED, IN_DOUBT})


def test_a_relay_that_says_421_at_the_dot_does_not_have_the_mail(
    folder: Path, tmp_path: Path
) -> None:
    with smtp_sink(tmp_path / "bad", "-Q", ".") as relay:
        job = Job(folder=folder, relay=relay)
        ended(begin(job))
    found = states(folder)
    assert found[IN_DOUBT] == found[ACCEPTED] == 0
    assert found[DEFERRED] + found[PENDING] == PEOPLE
    with smtp_sink(tmp_path / "good") as relay:
        some_hours_later(folder)
        assert ended(begin(replace(job, relay=relay))) == 0
    assert set(kept(tmp_path / "good").values()) == {1}
    assert states(folder) == {ACCEPTED: PEOPLE}


def some_hours_later(folder: Path) -> None:
    """Who was deferred is due, and the relay's "slower" is forgotten."""
    with open_store(url(folder)) as store:
        store.reopen(1, DEFERRED, NOW)
    with closing(sqlite3.connect(url(folder).removeprefix("sqlite:"))) as raw, raw:
        raw.execute("DELETE FROM pace")


# a disk without room


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own in memory."""
    folder.mkdir()
    size = f"size={megabytes}m"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    may = os.geteuid() == 0 and shutil.which("mount") is not None
    if not may or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    """A file that takes all the room there is."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 14))


def finished(trial: Trial) -> None:
    trial.finish()
    trial.judge()
    assert trial.tally.clean, told(trial.tally, 0.0)


@pytest.mark.parametrize("shape", [SHAPES[1], SHAPES[4]], ids=str)
def test_promise_1_a_disk_that_fills_up_in_the_middle(
    ready: Path, tmp_path: Path, shape: Shape
) -> None:
    with small_disk(tmp_path / "disk", 6) as disk, ScriptedRelay(extensions=PIPELINED) as relay:
        folder = Path(shutil.copytree(ready, disk / "send"))
        way = relay.relay(connections=shape.connections, depth=shape.depth)
        relay.on("dot", delay_s=0.006)
        trial = Trial(relay, Job(folder=folder, relay=way), shape, Tally())
        sender = begin(trial.job)
        while len(relay.transactions) < 200 and sender.is_alive():
            time.sleep(0.001)
        fill(disk / "ballast")
        assert ended(sender) == LEFT
        assert len(relay.accepted) < PEOPLE
        (disk / "ballast").unlink()
        finished(trial)
        assert [len(report) for report in doubts(folder, retry=False)] == [0, 0], "nobody died"


@pytest.mark.parametrize(("people", "room"), [(10, 700_000), (3000, 1 << 20)])
def test_promise_1_a_file_that_may_grow_no_more(tmp_path: Path, people: int, room: int) -> None:
    """As a full disk is, where none can be made: no file may be bigger. The journal cannot be made
    at first, then the log of the database cannot grow."""
    shape, folder = SHAPES[1], frozen(tmp_path, people)
    with ScriptedRelay(extensions=PIPELINED) as relay:
        job = Job(folder=folder, relay=relay.relay(connections=4), largest_file=room)
        assert ended(begin(job)) == LEFT
        assert len(relay.accepted) < people
        finished(Trial(relay, replace(job, largest_file=0), shape, Tally()))


# a database that somebody else writes to

LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA busy_timeout = 5000")
print("ready", flush=True)
sys.stdin.readline()
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@dataclass(slots=True)
class Intruder:
    """Another process, about to write to the database."""

    process: subprocess.Popen[str]

    @contextmanager
    def locking(self) -> Iterator[None]:
        """While it writes, and does not come to an end."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self.hear("locked")
        try:
            yield
        finally:
            self.process.communicate("")

    def hear(self, word: str) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == f"{word}\n"


@pytest.fixture
def intruder(folder: Path) -> Iterator[Intruder]:
    command = [sys.executable, "-c", LOCK, url(folder).removeprefix("sqlite:")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    made = Intruder(process)
    made.hear("ready")
    yield made
    process.kill()
    process.wait()


def test_promise_1_a_database_locked_for_longer_than_it_is_waited_for(
    folder: Path, intruder: Intruder
) -> None:
    with ScriptedRelay(extensions=PIPELINED) as relay:
        relay.on("dot", delay_s=0.006)
        job = Job(folder=folder, relay=relay.relay(connections=4), busy_ms=300)
        trial = Trial(relay, job, SHAPES[1], Tally())
        sender = begin(job)
        while len(relay.transactions) < 150 and sender.is_alive():
            time.sleep(0.001)
        with intruder.locking():
            assert ended(sender) == LEFT
            taken = len(relay.accepted)
            assert taken < PEOPLE
        assert "locked" in (folder / "errors").read_text()
        finished(trial)
        assert [len(report) for report in doubts(folder, retry=False)] == [0, 0], "nobody died"


def test_a_database_locked_for_a_moment_is_waited_for(folder: Path, intruder: Intruder) -> None:
    with ScriptedRelay(extensions=PIPELINED) as relay:
        relay.on("dot", delay_s=0.006)
        job = Job(folder=folder, relay=relay.relay(connections=4))
        sender = begin(job)
        while len(relay.transactions) < 150 and sender.is_alive():
            time.sleep(0.001)
        with intruder.locking():
            time.sleep(0.5)
        assert ended(sender) == 0
    assert states(folder) == {ACCEPTED: PEOPLE}
    with closing(sqlite3.connect(url(folder).removeprefix("sqlite:"))) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
