"""The tables of `tests.bench.send`: who races in which, and each alone in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from newsletter.model import Relay, Tls
from tests.bench.contenders import (
    PEERS,
    Measured,
    aiosmtplib,
    django,
    newsletter,
    nodemailer,
    smtp_source,
    smtplib_tls,
    standard_library,
)
from tests.bench.signing import (
    ED25519,
    RSA,
    signed_newsletter,
    signed_nodemailer,
    signed_standard_library,
)

# A contender by name: how it sends, and the share of the mails: the slow ones get fewer.
Field = dict[str, tuple[Callable[[Relay, int], Measured], int]]

PLAIN_REFERENCE = "smtp-source -s 8 -d"
PLAIN: Field = {
    PLAIN_REFERENCE: (smtp_source, 1),
    "newsletter, 8 connections": (newsletter, 1),
    "newsletter, 4 connections": (newsletter, 1),
    "newsletter, 2 connections": (newsletter, 1),
    "newsletter, 1 connection": (newsletter, 1),
    "nodemailer, pool of 10": (nodemailer, 10),
    "Django send_messages": (django, 10),
    "smtplib + EmailMessage": (standard_library, 10),
    "aiosmtplib, 8 connections": (aiosmtplib, 10),
}
OURS = tuple(name for name in PLAIN if name.startswith("newsletter"))
LIBRARIES = tuple(name for name in PLAIN if name not in (PLAIN_REFERENCE, *OURS))
TLS_REFERENCE = "smtplib + EmailMessage, TLS"
TLS: Field = {
    "newsletter, 4 connections, TLS": (newsletter, 1),
    TLS_REFERENCE: (smtplib_tls, 10),
}
SIGNED_REFERENCE = "smtplib + dkimpy, RSA-2048"
SIGNED: Field = {
    SIGNED_REFERENCE: (partial(signed_standard_library, algorithm=RSA), 50),
    "smtplib + dkimpy, Ed25519": (partial(signed_standard_library, algorithm=ED25519), 10),
    "nodemailer, RSA-2048": (signed_nodemailer, 10),
    "newsletter, not signed": (newsletter, 1),
    "newsletter, RSA-2048": (lambda *of: signed_newsletter(*of, RSA), 1),
    "newsletter, Ed25519": (lambda *of: signed_newsletter(*of, ED25519), 1),
    "newsletter, RSA and Ed25519": (lambda *of: signed_newsletter(*of, RSA, ED25519), 1),
}
MODULES = {
    "aiosmtplib, 8 connections": "aiosmtplib",
    "Django send_messages": "django",
    SIGNED_REFERENCE: "dkim",
    "smtplib + dkimpy, Ed25519": "nacl",
}


def lacks(name: str) -> str:
    """What that contender would need and is not installed here; empty when it can race."""
    if name == PLAIN_REFERENCE:
        return "" if shutil.which("smtp-source") else "postfix's smtp-source"
    if name.startswith("nodemailer"):
        folder = os.environ.get(PEERS)
        there = folder is not None and (Path(folder) / "node_modules/nodemailer").is_dir()
        return "" if there else "nodemailer"
    module = MODULES.get(name)
    return "" if module is None or importlib.util.find_spec(module) else module


def alone(name: str, port: int, mails: int) -> Measured:
    """A contender in a fresh process."""
    command = [sys.executable, "-m", "tests.bench.race", name, str(port), str(mails)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Measured(**json.loads(done.stdout))


def run_alone(name: str, port: int, mails: int) -> None:
    """The contender's figures on stdout, as JSON."""
    contender, share = (PLAIN | TLS | SIGNED)[name]
    relay = Relay(name="sink", kind="smtp", port=port, mails_per_connection=10**9)
    said = re.search(r"(\d+) connection", name)
    relay = replace(relay, connections=int(said[1]) if said else 4)
    if name in TLS:
        relay = replace(relay, host="localhost", tls=Tls.STARTTLS)
    measured = contender(relay, max(mails // share, 1))
    print(json.dumps({key: getattr(measured, key) for key in ("mails", "seconds", "cpu_s")}))


if __name__ == "__main__":
    run_alone(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
