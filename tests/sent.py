"""A publication with readers at many providers, and a relay that gives it a mixed day."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from newsletter.model import NewSubscriber
from newsletter.store import Store, open_store
from tests.publication import Publication, publication
from tests.smtpd import ScriptedRelay

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
SHARES = {
    "mail.example.com": 55,
    "post.example.net": 22,
    "letters.example.org": 12,
    "inbox.example.com": 6,
    "club.example.org": 4,
}


def opened(letter: Publication) -> Store:
    """The store of the publication."""
    return open_store(f"sqlite:{letter.root / '.newsletter' / 'newsletter.db'}")


def crowd(letter: Publication, count: int) -> list[str]:
    """So many readers' addresses, at five providers and at one small domain."""
    domains = [domain for domain, share in SHARES.items() for _ in range(share)]
    addresses = [f"reader{n}@{(domains[n * 37 % 99])}" for n in range(count - 1)]
    addresses.append("ida@small.example.net")
    with opened(letter) as store:
        for address in addresses:
            store.add(NewSubscriber(address=address, name="", consent_source="form"), NOW)
    return addresses


def by_relay(letter: Publication, relay: ScriptedRelay, more: str = "") -> None:
    """Have the letter leave by the scripted relay."""
    path = letter.root / "newsletter.toml"
    here = f'preset = "smtp"\nhost = "127.0.0.1"\nport = {relay.port}\ntls = "none"\n{more}'
    text = path.read_text("utf-8").replace('preset = "inbox"', here)
    text = text.replace("letters.example.org", "letters.stillpoint.test")
    text = text.replace("1 Example Road, Exampleton", "14 Orchard Row, Lindenford")
    letter.write("newsletter.toml", text + '\n[check]\nignore = ["link-local"]\n')


def sent_on_a_mixed_day(root: Path, count: int, more: str = "") -> tuple[Publication, list[str]]:
    """A publication that was sent, and its readers: one was refused by name, one is full, one was
    asked to wait, one is in doubt; the others got it."""
    letter = publication(root)
    with ScriptedRelay() as relay:
        addresses = crowd(letter, count)
        gone, full, later, doubt = addresses[:4]
        relay.on("rcpt", to=gone, say=f"550 5.1.1 <{gone}>: no such user 4F1AB8C0D2")
        relay.on("rcpt", to=full, say="552 5.2.2 mailbox full 52428800")
        relay.on("rcpt", to=later, say="450 4.7.1 greylisted, come back in 300 seconds")
        relay.on("dot", to=doubt, drop=True, times=1)
        by_relay(letter, relay, more)
        letter.run("send", "latest", "--yes", code=4)
    return letter, addresses


def in_terminal(letter: Publication, *arguments: str, columns: int = 100) -> tuple[str, int]:
    """What a terminal is shown by the command, and its exit code. stdout and stderr lead there."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "newsletter", "-C", str(letter.root), *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm-256color"},
    )
    os.close(theirs)
    shown, until = b"", time.monotonic() + 60
    while time.monotonic() < until:
        ready, _, _ = select.select([ours], [], [], 0.5)
        if not ready:
            continue
        try:
            octets = os.read(ours, 65536)
        except OSError:  # EIO: the other end is closed
            break
        if not octets:
            break
        shown += octets
    os.close(ours)
    return shown.decode("utf-8", "replace"), process.wait(20)
