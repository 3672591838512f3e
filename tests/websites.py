"""Web sites on this machine, well-behaved and hostile, and an Outside that leads to them.

A site answers by a script: path -> what is said, as bytes. It keeps what it was asked, so that
tests see who was called and what was sent.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network

from newsletter.linkcheck import Outside

Said = bytes | Callable[[socket.socket], None]
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def reply(status: str, *fields: str, body: bytes = b"x") -> bytes:
    """An answer. To HEAD too it has a body, which nobody may read."""
    lines = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


OK = reply("200 OK")


@dataclass
class Site:
    """One listening server. `script` maps "HEAD /path" or "/path" to what is said."""

    script: Mapping[str, Said]
    tls: ssl.SSLContext | None = None
    asked: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    _server: socket.socket = field(init=False)

    def __enter__(self) -> Site:
        self._server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        # A client that has heard enough hangs up in the middle.
        with contextlib.suppress(OSError), line:
            spoken = self.tls.wrap_socket(line, server_side=True) if self.tls else line
            with spoken:
                self._speak(spoken)

    def _speak(self, line: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := line.recv(4096)):
                return
            head += more
        text = head.decode("latin-1")
        self.heads.append(text)
        method, path, _ = text.split("\r\n")[0].split(" ")
        self.asked.append(f"{method} {path}")
        said = self.script.get(f"{method} {path}", self.script.get(path, reply("404 Not Found")))
        said(line) if callable(said) else line.sendall(said)
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_WR)


@dataclass
class Net:
    """The names of a net on this machine: every name is 127.0.0.1 unless `names` says otherwise.
    Time passes only where somebody sleeps, so nobody waits for the pace."""

    names: dict[str, list[list[str]]] = field(default_factory=dict)
    resolved: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def resolve(self, host: str, _port: int) -> list[str]:
        """The next of the host's answers; the last one for ever."""
        self.resolved.append(host)
        answers = self.names.get(host)
        if answers is None:
            return [host] if host[0].isdecimal() or ":" in host else ["127.0.0.1"]
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "nobody")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def outside(
        self, *ports: int, tls: ssl.SSLContext | None = None, timeout_s: float = 2
    ) -> Outside:
        return Outside(
            resolve=self.resolve,
            ports=frozenset(ports),
            allowed=LOOPBACK,
            tls=tls or ssl.create_default_context(),
            sleep=self.slept.append,
            timeout_s=timeout_s,
            pace_s=1.0,
        )


@contextlib.contextmanager
def site(script: Mapping[str, Said], tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    with Site(script, tls) as running:
        yield running
