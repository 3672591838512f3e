"""A DNS of our own on this machine: the records of one sender, and nothing else exists.

Answers UDP queries for TXT, A and PTR (RFC 1035) from a table; every other name is NXDOMAIN, so
that block lists, maps and rule updates of a spam filter end here.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Mapping

A, PTR, TXT = 1, 12, 16
Records = Mapping[tuple[str, int], str]


class FakeDNS:
    """Within `with`, the records are served on `port`; `asked` are the questions so far."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.names = {name for name, _ in records}
        self.asked: set[tuple[str, int]] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def __enter__(self) -> FakeDNS:
        self._socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                query, peer = self._socket.recvfrom(4096)
                self._socket.sendto(self._answer(query), peer)

    def _answer(self, query: bytes) -> bytes:
        name, end = _name_at(query, 12)
        kind, _ = struct.unpack_from(">HH", query, end)
        self.asked.add((name, kind))
        value = self.records.get((name, kind))
        found = [] if value is None else [_written(value, kind)]
        flags = 0x8180 if name in self.names else 0x8183
        head = query[:2] + struct.pack(">HHHHH", flags, 1, len(found), 0, 0)
        rows = [struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(row)) + row for row in found]
        return b"".join([head, query[12 : end + 4], *rows])


def _name_at(query: bytes, place: int) -> tuple[str, int]:
    labels = []
    while length := query[place]:
        labels.append(query[place + 1 : place + 1 + length].decode("latin-1").lower())
        place += 1 + length
    return ".".join(labels), place + 1


def _written(value: str, kind: int) -> bytes:
    if kind == A:
        return socket.inet_aton(value)
    parts = (
        value.split(".") if kind == PTR else [value[i : i + 255] for i in range(0, len(value), 255)]
    )
    body = b"".join(bytes([len(part)]) + part.encode() for part in parts)
    return body + b"\0" if kind == PTR else body
