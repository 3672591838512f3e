"""Senders killed with SIGKILL: `python -m tests.bench.kills [--kills 200] [--people 2000]`.

Each send goes to so many people through a relay that keeps its own log. Its sender is killed some
times, half of them at a named point (see `tests.killing`), half at any moment, and gone on with;
then it may end. Afterwards the ledger is compared with the relay's log. Half of the sends leave
what is in doubt alone (`resume --unknown skip`), half send it again (`retry`).

The exit code is 1 when anybody was lost, got it twice without having been reported in doubt, or
when more were in doubt after a kill than there were connections times depth.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

from newsletter.model import Delivery
from newsletter.store import open_store
from tests.killing import ACCEPTED, IN_DOUBT, KILLED, SEAMS, Job, begin, ended, frozen, url
from tests.smtpd import ScriptedRelay

ANY_MOMENT = "any moment"
KILLS_A_SEND = 6
PIPELINED = ("PIPELINING", "ENHANCEDSTATUSCODES")


@dataclass(frozen=True, slots=True)
class Shape:
    """How a send goes out."""

    connections: int
    depth: int
    extensions: tuple[str, ...]
    retry: bool = False

    def __str__(self) -> str:
        how = "BDAT" if self.depth > 1 else "pipelined" if self.extensions else "lock step"
        doubt = "retry" if self.retry else "skip"
        return f"{self.connections} x {self.depth} {how}, {doubt}"

    @property
    def most_in_doubt(self) -> int:
        return self.connections * self.depth


SHAPES = tuple(
    Shape(connections, depth, extensions, retry)
    for retry in (False, True)
    for connections, depth, extensions in (
        (1, 1, PIPELINED),
        (4, 1, PIPELINED),
        (4, 1, ()),
        (1, 4, (*PIPELINED, "CHUNKING")),
        (4, 4, (*PIPELINED, "CHUNKING")),
    )
)


@dataclass(frozen=True, slots=True)
class Kill:
    """Where a sender is to die."""

    point: str
    nth: int


def kills(points: Sequence[str], dice: random.Random) -> Iterator[Kill]:
    """Without end: every point in turn, at some time that it is come to."""
    for point in cycle(points):
        most = SEAMS[point].most if point in SEAMS else 200
        yield Kill(point, dice.randint(1, most))


@dataclass(slots=True)
class Tally:
    """What came of sends, counted."""

    sends: int = 0
    mails: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    in_doubt: Counter[int] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    again: int = 0
    untrue: list[str] = field(default_factory=list)
    too_many: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.twice or self.untrue or self.too_many)


@dataclass(frozen=True, slots=True)
class Trial:
    """One send, its relay, and how often it was killed so far."""

    relay: ScriptedRelay
    job: Job
    shape: Shape
    tally: Tally

    def kill(self, kill: Kill, dice: random.Random) -> int:
        """The exit code of a sender that was to be killed there; counted when it was."""
        job = self.job.dying_at(kill.point, kill.nth)
        before, process = len(self.relay.transactions), begin(job)
        if kill.point == ANY_MOMENT:
            while len(self.relay.transactions) < before + kill.nth and process.is_alive():
                time.sleep(0.001)
            time.sleep(dice.random() / 200)
            process.kill()
        code = ended(process)
        self.tally.killed[kill.point] += code == KILLED
        return code

    def finish(self) -> None:
        """The send, gone on with until it is over."""
        for _ in range(10):
            if ended(begin(self.job)) == 0:
                return
        errors = (self.job.folder / "errors").read_text("utf-8")
        raise AssertionError(f"the send does not end: {errors}")

    def judge(self) -> None:
        """Compare the ledger with the relay's log."""
        self._wait_for_the_dead()
        with open_store(url(self.job.folder)) as store:
            [send] = store.sends()
            rows = list(store.deliveries(send.id))
        reached = Counter(one.rcpt_to for one in self.relay.accepted)
        reports = doubts(self.job.folder, retry=self.shape.retry)
        reported = Counter(address for report in reports for address in report)
        self.tally.sends += 1
        self.tally.mails += reached.total()
        self._compare(rows, reached, reported)
        self.tally.in_doubt.update(len(report) for report in reports)
        self.tally.too_many += [
            f"{len(report)} in doubt, {self.shape}"
            for report in reports
            if len(report) > self.shape.most_in_doubt
        ]

    def _compare(
        self, rows: Sequence[Delivery], reached: Counter[str], reported: Counter[str]
    ) -> None:
        tally = self.tally
        for row in rows:
            copies = reached.pop(row.address, 0)
            if row.state not in (ACCEPTED, IN_DOUBT):
                tally.lost.append(f"{row.address} is {row.state}, {self.shape}")
            if row.state == ACCEPTED and not copies:
                tally.untrue.append(f"{row.address} was not taken, {self.shape}")
            if copies > 1 + (reported[row.address] if self.shape.retry else 0):
                tally.twice.append(f"{row.address} {copies} times, {self.shape}")
            tally.again += max(copies - 1, 0)
        tally.untrue += [f"{address} is in no row" for address in reached]

    def _wait_for_the_dead(self) -> None:
        """Until the relay has read what killed senders had written."""
        for _ in range(1000):
            if not self.relay.open:
                return
            time.sleep(0.01)


def doubts(folder: Path, *, retry: bool) -> list[set[str]]:
    """Who was in doubt anew, each time somebody looked."""
    found, known = [], set[str]()
    for line in (folder / "doubt").read_text("utf-8").splitlines():
        doubtful = set(line.split())
        found.append(doubtful - known)
        if not retry:  # then they stay in doubt, and are named again
            known |= doubtful
    return found


def trial(folder: Path, shape: Shape, script: Iterator[Kill], tally: Tally) -> None:
    """One send, frozen in the folder: killed by the script while it lasts, finished, judged."""
    dice = random.Random(str(shape))
    with ScriptedRelay(extensions=shape.extensions) as relay:
        way = relay.relay(connections=shape.connections, depth=shape.depth, mails_per_connection=50)
        this = Trial(relay, Job(folder=folder, relay=way, retry=shape.retry), shape, tally)
        for kill in script:
            if this.kill(kill, dice) == 0:
                break
        this.finish()
        this.judge()


def campaign(folder: Path, people: int, wanted: int, seed: int = 0) -> Tally:
    """At least so many kills, at every point in turn, over every shape in turn."""
    tally, dice = Tally(), random.Random(seed)
    ready = frozen(folder / "frozen", people)
    endless = kills([each for point in SEAMS for each in (point, ANY_MOMENT)], dice)
    for number, shape in enumerate(cycle(SHAPES)):
        if tally.killed.total() >= wanted:
            return tally
        one = folder / str(number)
        shutil.copytree(ready, one)
        trial(one, shape, islice(endless, KILLS_A_SEND), tally)
        shutil.rmtree(one)
    return tally


def told(tally: Tally, seconds: float) -> str:
    """The table."""
    lines = [f"{tally.killed.total()} kills, {tally.sends} sends, {tally.mails:,} mails taken"]
    lines += [f"  {point:24}{number:>5}" for point, number in sorted(tally.killed.items())]
    spread = ", ".join(f"{size}: {times}" for size, times in sorted(tally.in_doubt.items()))
    lines += [
        f"in doubt after a kill (how many: how often): {spread}",
        f"more than connections x depth: {len(tally.too_many)}",
        f"lost: {len(tally.lost)}",
        f"accepted in the ledger, unknown to the relay: {len(tally.untrue)}",
        f"second copies, all of people reported in doubt, under retry: {tally.again}",
        f"second copies otherwise: {len(tally.twice)}",
        f"{seconds:.0f} s",
    ]
    wrong = [*tally.too_many, *tally.lost, *tally.untrue, *tally.twice]
    return "\n".join([*lines, *wrong[:20]])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.kills")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = campaign(Path(folder), asked.people, asked.kills, asked.seed)
    print(told(tally, time.monotonic() - began))
    sys.exit(not tally.clean)


if __name__ == "__main__":
    main()
