"""An inbox that is open already, found by those who would open one of their own.

A port and a password stand in a file of the inbox's folder; the server greets with the password, so
that nobody who later gets the same port is taken for the inbox: what is sent to the inbox must not
leave this machine (promise 3).
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from newsletter.smtp.folder import private_folder

_FILE = "open.json"
_PROBE_S = 2.0
_GREETING_LIMIT = 512


@contextmanager
def announced(folder: Path, port: int, password: str) -> Iterator[None]:
    """While it lasts, `open_port(folder)` finds this server; the file is 0600."""
    path = private_folder(folder) / _FILE
    draft = path.with_suffix(f".{os.getpid()}")
    with open(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:  # noqa: PTH123
        json.dump({"port": port, "password": password}, file)
    draft.replace(path)
    try:
        yield
    finally:
        if _read(path) == (port, password):
            path.unlink(missing_ok=True)


def open_port(folder: Path) -> int | None:
    """The port of the inbox that is open on this folder, None when there is none: it answers on
    127.0.0.1 and knows its password."""
    noted = _read(folder / _FILE)
    if noted is None:
        return None
    port, password = noted
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), _PROBE_S) as line:
        greeting = line.makefile("rb").readline(_GREETING_LIMIT)
        line.sendall(b"QUIT\r\n")
        if password.encode() in greeting.split():
            return port
    return None


def _read(path: Path) -> tuple[int, str] | None:
    try:
        noted = json.loads(path.read_text("ascii"))
        return int(noted["port"]), str(noted["password"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
