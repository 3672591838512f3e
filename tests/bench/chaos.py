"""A bad day, at size: `python -m tests.bench.chaos [--people 100000] [--seed 0]`.

Of the mails 5 % are put off, 1 % refused, and for 1 % the line is dropped at the final dot, half of
them taken all the same: by the dice of `newsletter.smtp.chaos`, so that it is known beforehand what
has to become of everybody. A clock that is put on stands for the hours in between. The exit code is
1 when a row is not final, not explained, or not what the dice say.
"""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from newsletter.delivery.deliver import deliver
from newsletter.delivery.outcome import MAX_ATTEMPTS
from newsletter.delivery.run import Office
from newsletter.model import Delivery, DeliveryState, Relay, SendState, Stage
from newsletter.smtp import open_transports
from newsletter.smtp.chaos import Chaos, Wrong
from newsletter.store import Store, open_store
from tests.bench.contenders import KEYS
from tests.bench.sink import Sink
from tests.killing import NOW, frozen, url
from tests.sample import letter

BAD_DAY = Chaos(defer=0.05, reject=0.01, drop=0.01)
ACCEPTED, FAILED, UNKNOWN = DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.UNKNOWN
SAYS = {b"EHLO": b"250-sink\r\n250 PIPELINING\r\n", b"QUIT": b"221 bye\r\n"}


class Unruly(Sink):
    """A relay that has a bad day; `taken` are the mails it has, `offers` how often it was asked."""

    def __init__(self, chaos: Chaos) -> None:
        super().__init__()
        self.chaos = chaos
        self.taken: Counter[str] = Counter()
        self.offers: Counter[str] = Counter()

    def _converse(self, line: socket.socket) -> None:
        with line, line.makefile("rb", 1 << 16) as heard:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.sendall(b"220 sink ESMTP\r\n")
            to = ""
            while command := heard.readline():
                verb = command[:4]
                said = SAYS.get(verb, b"250 fine\r\n")
                if verb == b"RCPT":
                    to = command[9:-3].decode("ascii")
                    said = self._recipient(to)
                elif verb == b"DATA" and to:
                    line.sendall(b"354 go on\r\n")
                    while heard.readline() != b".\r\n":
                        pass
                    said, to = self._mail(to), ""
                    if not said:
                        return
                elif verb == b"DATA":
                    said = b"503 nobody\r\n"
                to = "" if said[:1] in b"45" else to
                line.sendall(said)

    def _recipient(self, to: str) -> bytes:
        fault = self.chaos.fault(to, self.offers[to])
        if fault is None or fault.stage is not Stage.RCPT:
            return b"250 fine\r\n"
        self.offers[to] += 1
        return f"{fault.reply}\r\n".encode()

    def _mail(self, to: str) -> bytes:
        """The answer to its dot, b"" for none."""
        fault = self.chaos.fault(to, self.offers[to])
        self.offers[to] += 1
        if fault is None or fault.filed:
            self.taken[to] += 1
        return b"250 taken\r\n" if fault is None else b""


def foretold(chaos: Chaos, address: str) -> DeliveryState:
    """What the dice make of somebody."""
    for offer in range(MAX_ATTEMPTS):
        fault = chaos.fault(address, offer)
        if fault is None:
            return ACCEPTED
        if fault.wrong is not Wrong.DEFER:
            return UNKNOWN if fault.wrong is Wrong.DROP else FAILED
    return FAILED


@dataclass(slots=True)
class Ended:
    """What came of a bad day."""

    states: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    wrong: list[str] = field(default_factory=list)


def send_until_done(store: Store, relay: Relay, folder: Path) -> int:
    """How many runs it took, the clock put on between them to when somebody is due."""
    clock, runs = NOW, 0
    [send] = store.sends()
    while store.send(send.id).state is not SendState.DONE:
        office = Office(
            store=store,
            letter=letter(folder),
            keys=KEYS,
            now=lambda: clock,  # noqa: B023 - asked within this turn only
            sleep=lambda _: None,
        )
        for _ in deliver(send, open_transports(relay), office):
            pass
        runs += 1
        clock = max(store.due_at(send.id) or clock, clock + timedelta(seconds=1))
    return runs


def judge(row: Delivery, copies: int, chaos: Chaos) -> str:
    """What is wrong with the row, "" when it is as it has to be."""
    expected = foretold(chaos, row.address)
    if row.state is not expected:
        return f"{row.address} is {row.state}, foretold was {expected}"
    if copies != 1 if row.state is ACCEPTED else copies > (row.state is UNKNOWN):
        return f"{row.address} is {row.state} and the relay has {copies}"
    if row.state is not ACCEPTED and not row.reason:
        return f"{row.address} is {row.state} without a reason"
    return ""


def bad_day(folder: Path, people: int, chaos: Chaos) -> Ended:
    """A send to so many, frozen, sent, and judged."""
    frozen(folder, people)
    ended = Ended()
    with open_store(url(folder)) as store, Unruly(chaos) as relay:
        way = Relay(name="main", kind="smtp", port=relay.port, connections=4)
        ended.runs = send_until_done(store, way, folder)
        copies: Mapping[str, int] = relay.taken
        for row in store.deliveries(1):
            ended.states[row.state.value] += 1
            if wrong := judge(row, copies.get(row.address, 0), chaos):
                ended.wrong.append(wrong)
    return ended


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.chaos")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chaos = Chaos(defer=0.05, reject=0.01, drop=0.01, seed=asked.seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ended = bad_day(Path(folder), asked.people, chaos)
    print(f"{asked.people:,} people, {ended.runs} runs, {time.monotonic() - began:.0f} s")
    print(", ".join(f"{state} {count:,}" for state, count in sorted(ended.states.items())))
    print(f"rows that are not what the dice say, or not explained: {len(ended.wrong)}")
    print("\n".join(ended.wrong[:20]))
    sys.exit(bool(ended.wrong))


if __name__ == "__main__":
    main()
