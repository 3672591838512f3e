"""How fast mail leaves: `python -m tests.bench.send [--mails 5000] [--rounds 3] [--peers]`.

Every contender (see `race`) hands the same issue to the same sink in turn, in one interleaved
run: medians over the rounds, and the ratio to the reference (the first of a table; smtplib inside
TLS) taken round by round. `smtp-source` and `smtp-sink` are Debian's postfix package; dkimpy is in
the extra `test`. --peers installs nodemailer, Django and aiosmtplib into a temporary folder
(--peers-in FOLDER keeps it).

smtp-sink takes some 190 us a mail (the last column), nearly all of it to look at each octet, so it
is the one that is busy, and its rate says little of a fast client: read the CPU column, and the
table against a sink of our own in C (where there is a compiler). Sink and contender share the
machine's cores.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import trustme

from tests.bench.contenders import PEERS, Measured, newsletter, our_mail
from tests.bench.race import (
    LIBRARIES,
    OURS,
    PLAIN,
    PLAIN_REFERENCE,
    SIGNED,
    SIGNED_REFERENCE,
    TLS,
    TLS_REFERENCE,
    Field,
    alone,
    lacks,
)
from tests.bench.sink import Sink

FAST_SINK = Path(__file__).parent / "fast_sink.c"


@dataclass(frozen=True, slots=True)
class Listener:
    """A sink at work."""

    port: int
    pid: int

    def cpu_s(self) -> float:
        """What it took until now; 0 where there is no /proc to say."""
        times = Path(f"/proc/{self.pid}/stat")
        if not times.exists():
            return 0.0
        user, system = times.read_text("ascii").rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def listening(command: list[str], port: int) -> Iterator[Listener]:
    """A sink that was started."""
    sink = subprocess.Popen(command)
    try:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield Listener(port, sink.pid)
    finally:
        sink.terminate()
        sink.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def smtp_sink(port: int) -> list[str]:
    """Postfix's, which takes everything and keeps nothing."""
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    return ["smtp-sink", *user, f"127.0.0.1:{port}", "256"]


def race(field: Field, sink: Listener, mails: int, rounds: int) -> dict[str, list[Measured]]:
    """Each contender's rounds, interleaved; who is not installed is left out with a sentence."""
    names = [name for name in field if not lacks(name)]
    for name in field:
        if missing := lacks(name):
            print(f"left out: {name}, for want of {missing}")
    results: dict[str, list[Measured]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            before = sink.cpu_s()
            measured = alone(name, sink.port, mails)
            results[name].append(replace(measured, sink_cpu_s=sink.cpu_s() - before))
    return results


def against(name: str, sink: Listener, mails: int, rounds: int) -> None:
    print(f"\n{mails} mails of {len(our_mail()):,} bytes to {name}, {rounds} rounds")
    results = race(PLAIN, sink, mails, rounds)
    show(results, results.get(PLAIN_REFERENCE, []))
    show_ceiling(results)


def signed(name: str, sink: Listener, mails: int, rounds: int) -> None:
    """With DKIM, where the client is busier than any sink."""
    print(f"\n{mails} mails to {name}, each signed with DKIM, {rounds} rounds")
    results = race(SIGNED, sink, mails, rounds)
    show(results, results.get(SIGNED_REFERENCE, []))


def show_ceiling(results: dict[str, list[Measured]]) -> None:
    """How ours compares with the best library, and how any client could at most: the sink takes
    its time for a mail whoever sends it."""
    libraries = {name: found for name, found in results.items() if name in LIBRARIES}
    if not libraries:
        return
    best = max(libraries, key=lambda name: median(one.rate for one in libraries[name]))
    ours = [max(results[name][turn].rate for name in OURS) for turn in range(len(results[best]))]
    ratios = [mine / its.rate for mine, its in zip(ours, results[best], strict=True)]
    print(f"ours is {median(ratios):.1f} x {best} ({min(ratios):.1f}-{max(ratios):.1f})", end="")
    sink_us = min(one.sink_us for name in OURS for one in results[name])
    if sink_us:
        most = 1e6 / sink_us / median(one.rate for one in results[best])
        print(f"; the sink alone takes {sink_us:.0f} us a mail: at most {most:.1f} x", end="")
    print()


def show(results: dict[str, list[Measured]], reference: list[Measured]) -> None:
    print(
        f"{'':32}{'mails/s':>9}{'(min-max)':>16}{'x reference':>24}{'CPU us/mail':>13}{'sink':>7}"
    )
    for name, found in results.items():
        rates = [one.rate for one in found]
        ratios = [a.rate / b.rate for a, b in zip(found, reference, strict=False)] or [0.0]
        spread = f"({min(rates):,.0f}-{max(rates):,.0f})"
        share = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        cpu = median(one.cpu_us for one in found)
        sink = median(one.sink_us for one in found)
        print(f"{name:32}{median(rates):>9,.0f}{spread:>16}{share:>24}{cpu:>13,.0f}{sink:>7,.0f}")


def inside_tls(mails: int, rounds: int) -> None:
    """After STARTTLS, to a sink in Python: it is the one that is busy, so compare the CPU."""
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        trusted, own = Path(folder) / "ca.pem", Path(folder) / "own.pem"
        authority.cert_pem.write_to_path(str(trusted))
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(own))
        os.environ["SSL_CERT_FILE"] = str(trusted)
        port = free_port()
        command = [sys.executable, "-m", "tests.bench.sink", str(port), str(own)]
        with listening(command, port) as sink:
            print(f"\n{mails} mails inside TLS, {rounds} rounds")
            results = race(TLS, sink, mails, rounds)
    show(results, results[TLS_REFERENCE])


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


def install_peers(folder: Path) -> None:
    """nodemailer by npm, Django and aiosmtplib by pip, into the folder."""
    python = folder / "python"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(python)]
    subprocess.run([*pip, "django", "aiosmtplib"], check=True)
    if shutil.which("npm"):
        npm = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(folder)]
        subprocess.run([*npm, "nodemailer"], check=True)


def use_peers(folder: Path) -> None:
    """Install what is missing and let the contenders find it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "python").is_dir():
        install_peers(folder)
    os.environ[PEERS] = str(folder.resolve())
    path = [str(folder.resolve() / "python"), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    sys.path.insert(0, path[0])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.send")
    parser.add_argument("--mails", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", action="store_true", help="install and measure the others")
    parser.add_argument("--peers-in", type=Path, metavar="FOLDER", help="install them here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.peers or asked.peers_in:
            use_peers(asked.peers_in or Path(folder) / "peers")
        if shutil.which("smtp-sink") is None:
            print("no smtp-sink here: apt-get install postfix")
        else:
            with listening(smtp_sink(port := free_port()), port) as sink:
                against("smtp-sink", sink, asked.mails, asked.rounds)
                signed("smtp-sink", sink, asked.mails, asked.rounds)
        if compiler := shutil.which("cc"):
            built = f"{folder}/fast_sink"
            subprocess.run([compiler, "-O2", "-o", built, str(FAST_SINK)], check=True)
            with listening([built, str(port := free_port())], port) as sink:
                against("a fast sink in C", sink, asked.mails, asked.rounds)
    inside_tls(max(asked.mails // 5, 20), asked.rounds)
    far_away(max(asked.mails // 25, 8))


if __name__ == "__main__":
    main()
