"""A million readers on SQLite: `python -m tests.bench.million [--people 1000000]`.

Freezes a letter of 45 KB for so many people and sends it in ten parts, each in a process of its own
that goes on where the one before ended; to a sink in C (or, without a compiler, in Python). Before
and after each part there is a send to ten thousand people: the cost of a mail, as CPU time of the
sender, is compared with those two, since a busy machine costs everybody more for a while. Peak
memory is VmHWM of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from statistics import median

from newsletter.delivery.deliver import deliver
from newsletter.delivery.publish import publish
from newsletter.delivery.run import Office
from newsletter.model import DeliveryState, Relay
from newsletter.smtp import open_transports
from newsletter.store import open_store
from tests.bench.contenders import KEYS, NOW, letter, publication
from tests.bench.send import FAST_SINK, free_port, listening
from tests.bench.sink import Sink

SMALL = 10_000
PARTS = 10
INSERT = """
INSERT INTO subscriber (address, address_hash, name, status, reason, consent_source, created_at,
                        fields)
VALUES (?, ?, ?, 'active', '', 'bench', 0, '{}')
"""
Figures = dict[str, float]


def url(folder: Path) -> str:
    return f"sqlite:{folder / 'newsletter.db'}"


def peak_mb() -> float:
    """The most memory this process has had resident."""
    status = Path("/proc/self/status").read_text("ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


# the steps, each in a process of its own


def enrol(folder: Path, people: int) -> Figures:
    """Subscribers by plain SQL: how they came in is not measured here."""
    with open_store(url(folder)):
        pass
    with closing(sqlite3.connect(folder / "newsletter.db")) as raw, raw:
        addresses = (f"p{number}@d{number % 5000}.example.com" for number in range(people))
        raw.executemany(
            INSERT,
            ((each, sha256(each.encode()).digest(), f"Pat{len(each)} Doe") for each in addresses),
        )
    return {}


def freeze(folder: Path, people: int) -> Figures:
    with open_store(url(folder)) as store:
        began, cpu_began = time.monotonic(), cpu_s()
        send = publish(store, publication(folder), NOW)
        seconds, cpu = time.monotonic() - began, cpu_s() - cpu_began
    assert send.recipients == people
    return {"seconds": seconds, "cpu_s": cpu, "peak_mb": peak_mb()}


def send_until(folder: Path, most: int, relay: Relay) -> Figures:
    """Go on with the send until so many have got it: what resume does after it has read its
    configuration."""
    began, cpu_began, done, first_s = time.monotonic(), cpu_s(), 0, 0.0
    with open_store(url(folder)) as store:
        [send] = store.sends()
        office = Office(
            store=store,
            letter=letter(folder),
            keys=KEYS,
            now=lambda: datetime.now(UTC),
            sleep=time.sleep,
            stopping=lambda: done >= most,
        )
        for row in deliver(send, open_transports(relay), office):
            first_s = first_s or time.monotonic() - began
            done += row.state == DeliveryState.ACCEPTED
    cpu, seconds = cpu_s() - cpu_began, time.monotonic() - began
    return {
        "mails": done,
        "first_s": first_s,
        "seconds": seconds,
        "cpu_us": cpu / done * 1e6,
        "peak_mb": peak_mb(),
    }


def step(folder: Path, name: str, people: int, port: int = 0) -> Figures:
    """What the step measured."""
    command = [sys.executable, "-m", "tests.bench.million", "--step", name]
    command += ["--people", str(people), "--port", str(port), "--folder", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: Figures = json.loads(done.stdout)
    return figures


def take(name: str, folder: Path, people: int, port: int) -> Figures:
    if name == "enrol":
        return enrol(folder, people)
    if name == "freeze":
        return freeze(folder, people)
    relay = Relay(name="sink", kind="smtp", port=port, mails_per_connection=10**9, connections=4)
    return send_until(folder, people, relay)


# the whole


@contextmanager
def sink(folder: Path) -> Iterator[int]:
    """The port of a fast sink."""
    if compiler := shutil.which("cc"):
        built = str(folder / "fast_sink")
        subprocess.run([compiler, "-O2", "-o", built, str(FAST_SINK)], check=True)
        with listening([built, str(port := free_port())], port):
            yield port
    else:
        with Sink() as slower:
            yield slower.port


def small(folder: Path, port: int) -> Figures:
    """A send to ten thousand."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        one = Path(name)
        step(one, "enrol", SMALL)
        step(one, "freeze", SMALL)
        return step(one, "send", SMALL, port)


def told(frozen: Figures, parts: list[Figures], smalls: list[Figures]) -> str:
    mails = sum(part["mails"] for part in parts)
    cpu = sum(part["cpu_us"] * part["mails"] for part in parts) / mails
    around = [(one["cpu_us"] + two["cpu_us"]) / 2 for one, two in pairwise(smalls)]
    ratios = [part["cpu_us"] / each for part, each in zip(parts, around, strict=True)]
    firsts = [part["first_s"] for part in parts]
    peak = max(frozen["peak_mb"], *(part["peak_mb"] for part in parts))
    lines = [
        f"{mails:,.0f} mails of 45 KB, 4 connections, {PARTS} processes one after the other",
        f"freeze               {frozen['seconds']:8.2f} s, of it CPU {frozen['cpu_s']:.2f} s",
        f"first answer         {firsts[0]:8.2f} s after the start",
        f"the same, resumed    {median(firsts[1:]):8.2f} s (at most {max(firsts[1:]):.2f})",
        f"peak memory          {peak:8.1f} MB, {SMALL:,} people {smalls[0]['peak_mb']:.1f} MB",
        f"mails/s              {mails / sum(part['seconds'] for part in parts):8,.0f}",
        f"CPU a mail           {cpu:8.1f} us",
        f"{SMALL:,} people        {median(each['cpu_us'] for each in smalls):8.1f} us",
        f"ratio, median        {median(ratios):8.3f} ({min(ratios):.2f}-{max(ratios):.2f})",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.million")
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--step", choices=["enrol", "freeze", "send"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(take(asked.step, asked.folder, asked.people, asked.port)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with sink(folder) as port:
            step(folder, "enrol", asked.people)
            frozen = step(folder, "freeze", asked.people)
            parts: list[Figures] = []
            smalls = [small(folder, port)]
            for _ in range(PARTS - 1):
                parts.append(step(folder, "send", asked.people // PARTS, port))
                smalls.append(small(folder, port))
            parts.append(step(folder, "send", asked.people, port))
            smalls.append(small(folder, port))
    print(f"load {os.getloadavg()[0]:.1f}")
    print(told(frozen, parts, smalls))


if __name__ == "__main__":
    main()
