"""A relay far away: it takes every mail, and every answer comes a round trip late.

Answers to commands that arrived together leave together, as they would over a long line. It keeps
nothing but counts, so that it is fast.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import time
from queue import Queue
from types import TracebackType
from typing import Self

from newsletter.model import Relay

_GREETING = b"220 sink.example.org ESMTP\r\n"
_ANSWERS = {b"MAIL": b"250 ok\r\n", b"RCPT": b"250 ok\r\n", b"DATA": b"354 go on\r\n"}


class Sink:
    """Entering listens on 127.0.0.1. `rounds` counts the times it answered, all lines together."""

    def __init__(
        self,
        *,
        round_trip_s: float = 0.0,
        pipelining: bool = True,
        chunking: bool = False,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        self.tls = tls
        self._wanted_port = port
        self.chunking = chunking
        self.round_trip_s = round_trip_s
        self.pipelining = pipelining
        self.mails = 0
        self.rounds = 0

    def relay(self) -> Relay:
        return Relay(name="sink", kind="smtp", port=self.port, mails_per_connection=10**9)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", self._wanted_port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(line,), daemon=True).start()

    def _converse(self, line: socket.socket) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(_GREETING)
        late: Queue[tuple[float, bytes]] = Queue()
        threading.Thread(target=self._speak, args=(line, late), daemon=True).start()
        heard, in_content = b"", False
        with line:
            while octets := line.recv(262144):
                heard += octets
                if self.tls is not None and heard == b"STARTTLS\r\n":
                    line.sendall(b"220 go ahead\r\n")
                    line = self.tls.wrap_socket(line, server_side=True)
                    heard = b""
                    late.put((0.0, b""))
                    late = Queue()
                    threading.Thread(target=self._speak, args=(line, late), daemon=True).start()
                    continue
                answers, heard, in_content = self._answers(heard, in_content=in_content)
                if answers:
                    self.rounds += 1
                    late.put((time.monotonic() + self.round_trip_s, answers))
            late.put((0.0, b""))

    def _speak(self, line: socket.socket, late: Queue[tuple[float, bytes]]) -> None:
        """Say each answer when its time has come; what comes in meanwhile is heard."""
        while True:
            due, answers = late.get()
            if not answers:
                return
            time.sleep(max(due - time.monotonic(), 0))
            try:
                line.sendall(answers)
            except OSError:
                return

    def _answers(self, heard: bytes, *, in_content: bool) -> tuple[bytes, bytes, bool]:
        """What to say to what was heard, what of it is left over, and whether content follows."""
        said = b""
        while True:
            if heard[:4].upper() == b"BDAT" and b"\r\n" in heard:
                line, _, rest = heard.partition(b"\r\n")
                size = int(line.split()[1])
                if len(rest) < size:
                    return said, heard, in_content
                heard, self.mails = rest[size:], self.mails + 1
                said += b"250 taken\r\n"
                continue
            end = b"\r\n.\r\n" if in_content else b"\r\n"
            line, found, rest = heard.partition(end)
            if not found:
                return said, heard, in_content
            heard = rest
            if in_content:
                in_content = False
                self.mails += 1
                said += b"250 taken\r\n"
            else:
                in_content = line[:4].upper() == b"DATA"
                said += self._answer(line[:4].upper())

    def _answer(self, verb: bytes) -> bytes:
        if verb == b"EHLO":
            offered = (
                [b"STARTTLS"] * (self.tls is not None)
                + [b"PIPELINING"] * self.pipelining
                + [b"CHUNKING"] * self.chunking
            )
            words = [b"sink", *offered]
            return b"".join(b"250-%b\r\n" % word for word in words[:-1]) + b"250 %b\r\n" % words[-1]
        return _ANSWERS.get(verb, b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")


if __name__ == "__main__":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2])
    with Sink(port=int(sys.argv[1]), tls=context):
        threading.Event().wait()
