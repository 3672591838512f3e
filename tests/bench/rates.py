"""How well a limit is kept by four processes on one store: `python -m tests.bench.rates`.

Each process waits for its turns as a sender does (`delivery.pace`) and writes the moments down; no
mail is made. The busiest second is the most of them within any second, wherever it begins; the mean
leaves out the first second.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from newsletter.store import open_store

PROCESSES = 4
SENDER = """
import sys, time
from datetime import UTC, datetime
from newsletter.delivery.pace import Pace, World
from newsletter.model import Limits, Relay
from newsletter.store import open_store
url, rate = sys.argv[1], float(sys.argv[2])
print("ready", flush=True)
until = float(input())
relay = Relay(name="main", kind="smtp", limits=Limits(per_second=rate))
with open_store(url) as store:
    over = lambda: time.time() > until
    pace = Pace(store, relay, World(now=lambda: datetime.now(UTC), rest=time.sleep, stopping=over))
    left = []
    while not over() and pace.wait("example.com"):
        left.append(time.time())
print(" ".join(map(repr, left)))
"""


@dataclass(frozen=True, slots=True)
class Held:
    """What was seen of one limit."""

    turns: int
    busiest_second: int
    mean: float


def measure(folder: Path, rate: int, seconds: float) -> Held:
    """Four processes that take every turn they get for so long."""
    url = f"sqlite:{folder / 'n.db'}"
    open_store(url).__exit__(None, None, None)
    command = [sys.executable, "-c", SENDER, url, str(rate)]
    pipe = subprocess.PIPE
    senders = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(PROCESSES)
    ]
    said = [moments.split() for moments in together(senders, seconds + 1)]
    times = sorted(float(word) for words in said for word in words)
    steady = [moment for moment in times if moment > times[0] + 1]
    mean = (len(steady) - 1) / (steady[-1] - steady[0])
    return Held(len(times), busiest_second(times), mean)


def together(senders: Sequence[subprocess.Popen[str]], seconds: float) -> list[str]:
    """What each says after so long, counted from when the last of them was ready: on a busy machine
    that may take seconds."""
    for sender in senders:
        assert sender.stdout is not None
        sender.stdout.readline()
    until = time.time() + seconds
    for sender in senders:
        assert sender.stdin is not None
        sender.stdin.write(f"{until}\n")
        sender.stdin.flush()
    return [sender.communicate()[0] for sender in senders]


def busiest_second(times: Sequence[float]) -> int:
    """The most of them within any second."""
    window: deque[float] = deque()
    most = 0
    for moment in times:
        window.append(moment)
        while window[0] <= moment - 1:
            window.popleft()
        most = max(most, len(window))
    return most


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rates")
    parser.add_argument("--seconds", type=float, default=20)
    asked = parser.parse_args()
    print(f"newsletter, {PROCESSES} processes, {asked.seconds:.0f} s each")
    print(f"{'limit a second':>16}{'turns':>8}{'busiest second':>24}{'mean':>20}")
    for rate in (14, 100, 1000):
        with tempfile.TemporaryDirectory() as folder:
            held = measure(Path(folder), rate, asked.seconds)
        over, share = held.busiest_second / rate - 1, held.mean / rate - 1
        busiest = f"{held.busiest_second} ({over:+.1%})"
        print(f"{rate:>16}{held.turns:>8}{busiest:>24}{f'{held.mean:.1f} ({share:+.1%})':>20}")


if __name__ == "__main__":
    main()
