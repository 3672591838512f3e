"""A relay for tests: real sockets, real TLS, replies by script, every word on record.

    with ScriptedRelay() as relay:
        relay.on("rcpt", to="gone@example.com", say="550 5.1.1 no such user")
        relay.on("dot", drop=True, times=1)
        ...
        assert [taken.rcpt_to for taken in relay.accepted] == ["ada@example.com"]

Points of the conversation, in order: greeting, ehlo, starttls, tls (the handshake), auth, mail,
rcpt, data (or no-recipients, when all of them were refused), content (bytes of it are here, the dot
is not), dot, after-dot (the reply is out), rset, quit. At each a Cue may say something else, wait,
drip byte by byte, or drop the line; a line dropped at `dot` dies after the relay has the mail and
before anybody hears of it.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

import trustme

from newsletter.model import Mail, Relay, Tls

_REPLIES = {
    "greeting": "220 relay.example.org ESMTP",
    "starttls": "220 2.0.0 go ahead",
    "auth": "235 2.7.0 welcome",
    "mail": "250 2.1.0 sender fine",
    "rcpt": "250 2.1.5 recipient fine",
    "data": "354 go on",
    "dot": "250 2.0.0 taken",
    "rset": "250 2.0.0 forgotten",
    "quit": "221 2.0.0 goodbye",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """What happens at one point: `say` (str gets its CRLF, bytes go out as they are) instead of
    the usual reply, after `delay_s`; `drop` hangs up, after `say` if there is one; `reset` makes
    that a TCP reset. `to` limits it to one recipient or sender, `times` to so many occasions,
    `after` (at `content`) waits for so many bytes; `drip_s` is the pause between bytes."""

    at: str
    say: str | bytes | None = None
    to: str | None = None
    times: int | None = None
    drop: bool = False
    reset: bool = False
    delay_s: float = 0.0
    drip_s: float = 0.0
    after: int = 0


@dataclass(slots=True)
class Transaction:
    """One mail as far as it came. `content` is un-stuffed; `reply` is what was said to the dot,
    empty when the line was dropped first; `taken` says the relay has the whole mail."""

    connection: int
    mail_from: str
    rcpt_tos: list[str] = field(default_factory=list)
    content: bytes = b""
    reply: str = ""
    taken: bool = False

    @property
    def rcpt_to(self) -> str:
        """The only recipient."""
        (address,) = self.rcpt_tos
        return address

    @property
    def accepted(self) -> bool:
        return self.taken and (not self.reply or self.reply.startswith("2"))


class Dropped(Exception):
    """The script, or the client, ended this connection."""


class ScriptedRelay:
    """A relay on 127.0.0.1; entering listens, leaving hangs up on everybody."""

    def __init__(
        self,
        *,
        tls: Tls = Tls.NONE,
        certificate: trustme.LeafCert | None = None,
        extensions: tuple[str, ...] = ("SIZE 10485760", "ENHANCEDSTATUSCODES"),
    ) -> None:
        self.tls = tls
        self.extensions = extensions
        self.transactions: list[Transaction] = []
        self.commands: list[tuple[int, str]] = []
        self.connections = 0
        self._cues: list[Cue] = []
        self._lock = threading.RLock()
        self.open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.closing = threading.Event()
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(self._context)

    # the script

    def on(
        self,
        at: str,
        *,
        say: str | bytes | None = None,
        to: str | None = None,
        times: int | None = None,
        drop: bool = False,
        reset: bool = False,
        delay_s: float = 0.0,
        drip_s: float = 0.0,
        after: int = 0,
    ) -> Self:
        """This relay, with one more Cue; the first that fits is taken."""
        cue = Cue(at=at, say=say, to=to, times=times, drop=drop or reset, reset=reset)
        cue = replace(cue, delay_s=delay_s, drip_s=drip_s, after=after)
        with self._lock:
            self._cues.append(cue)
        return self

    def cue(self, at: str, about: str = "") -> Cue:
        """What to do at this point, counted as done."""
        with self._lock:
            for index, cue in enumerate(self._cues):
                if cue.at != at or cue.to not in (None, about) or cue.times == 0:
                    continue
                if cue.times is not None:
                    self._cues[index] = replace(cue, times=cue.times - 1)
                return cue
        return Cue(at=at)

    # the record

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def accepted(self) -> list[Transaction]:
        """The mails this relay has, in the order of their dots, told to the client or not."""
        with self._lock:
            return [one for one in self.transactions if one.accepted]

    def verbs(self, connection: int | None = None) -> list[str]:
        """The first word of every command (of one connection, counted from 1)."""
        with self._lock:
            said = [line for number, line in self.commands if connection in (None, number)]
        return [line.split(" ")[0].upper() for line in said]

    # the machinery

    def relay(self, **changes: object) -> Relay:
        """This relay as the client's configuration names it."""
        usual = Relay(name="test", kind="smtp", port=self.port, tls=self.tls, timeout_s=5.0)
        return replace(usual, **changes)  # type: ignore[arg-type]

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):  # wakes accept()
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._listener.close()
        with self._lock:
            still_open = list(self.open)
        for sock in still_open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(5)

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self.closing.is_set():
                sock.close()
                return
            with self._lock:
                self.connections += 1
                conversation = Conversation(self, sock, self.connections)
                self.open.add(sock)
            self._start(conversation.run)

    @property
    def context(self) -> ssl.SSLContext:
        if self._context is None:
            raise ValueError("this relay has no certificate")
        return self._context


class Conversation:
    """One connection, in its own thread."""

    def __init__(self, relay: ScriptedRelay, sock: socket.socket, number: int) -> None:
        self.relay = relay
        self.raw = sock
        self.sock = sock
        self.number = number
        self.buffer = b""
        self.encrypted = False
        self.transaction: Transaction | None = None

    def run(self) -> None:
        with contextlib.suppress(Dropped, OSError):
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.relay.tls is Tls.IMPLICIT:
                self._handshake()
            self._say("greeting")
            while True:
                self._obey(self._line())
        self.relay.open.discard(self.raw)
        self.sock.close()

    # verbs

    def _obey(self, line: str) -> None:
        self.relay.commands.append((self.number, line))
        verb = line.split(" ", maxsplit=1)[0].upper()
        match verb:
            case "EHLO":
                self._say("ehlo", usual=self._greeting())
            case "STARTTLS":
                self._starttls()
            case "AUTH":
                self._auth(line)
            case "MAIL":
                self._mail(_path(line))
            case "RCPT":
                self._rcpt(_path(line))
            case "DATA":
                self._data()
            case "BDAT":
                self._bdat(int(line.split()[1]))
            case "RSET":
                self.transaction = None
                self._say("rset")
            case "QUIT":
                self._say("quit")
                raise Dropped
            case _:
                self._send(b"500 5.5.1 what?\r\n")

    def _greeting(self) -> str:
        words = ["relay.example.org", *self.relay.extensions]
        if self.relay.tls is Tls.STARTTLS and not self.encrypted:
            words.append("STARTTLS")
        if self.encrypted and not any(word.startswith("AUTH") for word in words):
            words.append("AUTH PLAIN LOGIN")
        return "\r\n".join([f"250-{word}" for word in words[:-1]] + [f"250 {words[-1]}"])

    def _starttls(self) -> None:
        if self._say("starttls").startswith("220"):
            self.buffer = b""
            self._handshake()

    def _handshake(self) -> None:
        self._act(self.relay.cue("tls"), "")
        self.sock = self.relay.context.wrap_socket(self.sock, server_side=True)
        self.encrypted = True

    def _auth(self, line: str) -> None:
        if line.upper().startswith("AUTH LOGIN"):
            self._send(b"334 UGFzc3dvcmQ6\r\n")
            self.relay.commands.append((self.number, f"(login) {self._line()}"))
        self._say("auth")

    def _mail(self, sender: str) -> None:
        if self.transaction is not None:
            self._send(b"503 5.5.1 nested MAIL command\r\n")
        elif self._say("mail", sender).startswith("2"):
            self.transaction = Transaction(self.number, sender)
            self.relay.transactions.append(self.transaction)

    def _rcpt(self, recipient: str) -> None:
        if self.transaction is None:
            self._send(b"503 5.5.1 MAIL first\r\n")
        elif self._say("rcpt", recipient).startswith("2"):
            self.transaction.rcpt_tos.append(recipient)

    def _data(self) -> None:
        transaction = self.transaction
        if transaction is None or not transaction.rcpt_tos:
            self._data_for_nobody()
            return
        about = transaction.rcpt_tos[0]
        if not self._say("data", about).startswith("354"):
            return
        content = self._content(about)
        cue = self.relay.cue("dot", about)
        transaction.content = content
        transaction.taken = True
        self.transaction = None
        transaction.reply = self._act(cue, _REPLIES["dot"], on_record=transaction)
        self._act(self.relay.cue("after-dot", about), "")

    def _bdat(self, size: int) -> None:
        """One chunk that is the last one (RFC 3030)."""
        to = self.transaction.rcpt_tos[0] if self.transaction and self.transaction.rcpt_tos else ""
        cue = self.relay.cue("content", to)
        while len(self.buffer) < size:
            if cue.drop and len(self.buffer) >= cue.after:
                self._act(cue, "")
            self.buffer += self._receive()
        content, self.buffer = self.buffer[:size], self.buffer[size:]
        if self.transaction is None or not to:
            self._send(b"554 5.5.1 no valid recipients\r\n")
            return
        transaction, self.transaction = self.transaction, None
        transaction.content, transaction.taken = content, True
        transaction.reply = self._act(
            self.relay.cue("dot", to), _REPLIES["dot"], on_record=transaction
        )
        self._act(self.relay.cue("after-dot", to), "")

    def _data_for_nobody(self) -> None:
        """Usually 503; a relay that says 354 gets its lone dot (RFC 2920 3.1)."""
        if self._say("no-recipients", usual="503 5.5.1 no valid recipients").startswith("354"):
            self.relay.commands.append((self.number, f"(content) {self._content('')!r}"))
            self.transaction = None
            self._send(b"554 5.5.1 no valid recipients\r\n")

    def _content(self, about: str) -> bytes:
        """The content, transparency undone by the letter of RFC 5321 4.5.2."""
        cue = self.relay.cue("content", about)
        content = b""
        while not (content.startswith(b".\r\n") or b"\r\n.\r\n" in content):
            if cue.drop and len(content) >= cue.after:
                self._act(cue, "")
            content += self.buffer or self._receive()
            self.buffer = b""
        if content.startswith(b".\r\n"):
            self.buffer = content[3:]
            return b""
        body, _, self.buffer = content.partition(b"\r\n.\r\n")
        lines = (body + b"\r\n").split(b"\r\n")
        return b"\r\n".join(line.removeprefix(b".") for line in lines)

    # the wire

    def _say(self, at: str, about: str = "", usual: str = "") -> str:
        return self._act(self.relay.cue(at, about), usual or _REPLIES[at])

    def _act(self, cue: Cue, usual: str, on_record: Transaction | None = None) -> str:
        """What was said, as text. A line that is dropped is dropped after it."""
        if cue.delay_s:
            self.relay.closing.wait(cue.delay_s)
        said = cue.say if cue.say is not None else "" if cue.drop else usual
        octets = said if isinstance(said, bytes) else f"{said}\r\n".encode() if said else b""
        text = octets.decode("latin-1").strip()
        if on_record is not None:  # before the client can act on it
            on_record.reply = text
        self._send(octets, cue.drip_s)
        if cue.drop:
            self._hang_up(reset=cue.reset)
        return text

    def _hang_up(self, *, reset: bool) -> None:
        if reset:
            linger = struct.pack("ii", 1, 0)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        elif "CHUNKING" in self.relay.extensions:
            self._drain()
        raise Dropped

    def _drain(self) -> None:
        """Hang up in good order: closed with commands unread, a socket resets the line, and takes
        its last words along."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
            self.sock.settimeout(0.3)
            while self.sock.recv(65536):
                pass

    def _send(self, octets: bytes, drip_s: float = 0.0) -> None:
        if not drip_s:
            self.sock.sendall(octets)
            return
        for index in range(len(octets)):
            self.sock.sendall(octets[index : index + 1])
            self.relay.closing.wait(drip_s)

    def _line(self) -> str:
        while b"\r\n" not in self.buffer:
            self.buffer += self._receive()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("latin-1")

    def _receive(self) -> bytes:
        octets = self.sock.recv(262144)
        if not octets:
            raise Dropped
        return octets


def _path(line: str) -> str:
    found = re.search(r"<([^>]*)>", line)
    return found[1] if found else ""


def letter(to: str = "ada@example.com", body: str = "Sleep well.", sender: str = "") -> Mail:
    """A small Mail, complete and well-formed."""
    sender = sender or "news@letters.example.org"
    message_id = f"1.{to.replace('@', '.')}@letters.example.org"
    head = f"From: <{sender}>\r\nTo: <{to}>\r\nMessage-ID: <{message_id}>\r\nSubject: Sleep\r\n"
    lines = "\r\n".join(body.splitlines())
    return Mail(sender, to, message_id, (f"{head}\r\n{lines}\r\n".encode("ascii"),))
