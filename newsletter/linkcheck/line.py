"""One request over one connection to one address that was looked at before.

http.client speaks; where it connects, for how long and how much it may hear is decided here: one
deadline and one count of bytes hold from the connection to the end of the answer's header. The
body is not read.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from newsletter.linkcheck.outside import Outside
from newsletter.linkcheck.target import Target

# No cookie, no Referer, no credentials; that we are a program is said, as robots should.
FIELDS = {
    "User-Agent": "newsletter-linkcheck (one request a second; follows links out of an article)",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
# A server that ignores the range sends all, and is not listened to.
RANGE = {"Range": "bytes=0-1023"}


class TooMuch(OSError):
    """The answer's header is longer than any honest one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The header of an answer: status, reason, and Location when there is one."""

    status: int
    reason: str
    location: str


def ask(method: str, target: Target, address: str, outside: Outside) -> Answer:
    """The answer's header. Raises OSError and http.client.HTTPException, as they come."""
    deadline = outside.clock() + outside.timeout_s
    connection = http.client.HTTPConnection(target.host, target.port)
    sock = _connected(target, address, outside)
    try:
        connection.sock = _Bounded(sock, outside, deadline)
        more = RANGE if method == "GET" else {}
        fields = {"Host": target.host_field, **FIELDS, **more}
        connection.request(method, target.request, headers=fields)
        response = connection.getresponse()
        location = response.getheader("Location") or ""
        return Answer(response.status, _plain(response.reason), location.strip())
    finally:
        sock.close()


def _connected(target: Target, address: str, outside: Outside) -> socket.socket:
    """A socket to the address, under TLS in the name of the host. A proxy of the environment is
    not asked: it would resolve the name again, elsewhere."""
    sock = socket.create_connection((address, target.port), timeout=outside.timeout_s)
    if target.scheme == "http":
        return sock
    try:
        return outside.tls.wrap_socket(sock, server_hostname=target.host)
    except (OSError, ValueError):
        sock.close()
        raise


def _plain(reason: str) -> str:
    return "".join(c for c in reason if c.isprintable())[:60]


class _Bounded:
    """As much of a socket as http.client uses."""

    def __init__(self, sock: socket.socket, outside: Outside, deadline: float) -> None:
        self._sock = sock
        self._left_s: Callable[[], float] = lambda: deadline - outside.clock()
        self._most_bytes = outside.most_bytes

    def sendall(self, octets: bytes) -> None:
        self._sock.settimeout(_some(self._left_s()))
        self._sock.sendall(octets)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Heard(self._sock, self._left_s, self._most_bytes))

    def close(self) -> None:
        self._sock.close()


class _Heard(io.RawIOBase):
    """What the server says, until it has said too much or taken too long."""

    def __init__(self, sock: socket.socket, left_s: Callable[[], float], most_bytes: int) -> None:
        self._sock = sock
        self._left_s = left_s
        self._left_bytes = most_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._sock.settimeout(_some(self._left_s()))
        heard = self._sock.recv_into(buffer)
        self._left_bytes -= heard
        if self._left_bytes < 0:
            raise TooMuch("its answer has no end")
        return heard


def _some(seconds: float) -> float:
    """A timeout for a socket, which takes 0 for "do not wait"."""
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds


def words_for(error: Exception) -> tuple[str, str]:
    """The code and the words for a visit that ended in `error`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "links.tls", error.verify_message or "the certificate does not hold"
    if isinstance(error, TimeoutError):
        return "links.failing", "no answer in time"
    if isinstance(error, ssl.SSLError):
        return "links.tls", error.reason or "no TLS"
    if isinstance(error, TooMuch):
        return "links.failing", str(error)
    if isinstance(error, http.client.HTTPException):
        return "links.failing", "an answer that is not HTTP"
    strerror = error.strerror if isinstance(error, OSError) else ""
    return "links.failing", (strerror or "the line was cut").lower()
