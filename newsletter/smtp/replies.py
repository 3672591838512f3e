"""What a relay says, as values.

Bytes from a socket enter, Replies leave. A relay is not trusted here: lines, length and time are
bounded, and nothing that could move a terminal's cursor survives. What a reply means for a
recipient is not known here; `delivery` decides.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from newsletter.errors import LineLost
from newsletter.model import Reply, Stage
from newsletter.smtp.waits import PASSED, kept_by_kernel, wait_by_kernel

# "250-text", "250 text", or a bare "250"; RFC 5321 4.2 with the first digit of 4.2.1.
_LINE = re.compile(rb"([2-5][0-9]{2})([ -]|$)")
_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?: |$)")
_PRINTABLE = bytes(
    byte if 0x20 <= byte <= 0x7E else 0x20 if byte == 0x09 else 0x3F for byte in range(256)
)
_TEXT_LIMIT = 1000
_RECEIVE = 4096
# The wait for the socket is cut into these, so that its timeout is seldom set anew.
SLICE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a relay we put up with. RFC 5321 4.5.3.1.5 asks for 512 octets a reply line;
    real relays exceed that. `dot_s` is RFC 5321 4.5.3.2.6: a relay may take ten minutes to say
    whether it has the mail, and hanging up earlier makes duplicates (RFC 1047)."""

    reply_lines: int = 100
    line_bytes: int = 4096
    dot_s: float = 600.0
    quit_s: float = 5.0


LIMITS = Limits()


def printable(text: bytes) -> str:
    """`text` in printable ASCII; every control, ESC and 8-bit byte is a question mark."""
    return text.translate(_PRINTABLE).decode("ascii")


def parse_reply(stage: Stage, lines: Sequence[bytes]) -> Reply:
    """One reply from its lines without line ends: the text joined by spaces, the first RFC 3463
    status taken out of it. Raises LineLost when the lines are not one reply."""
    codes, texts, status = set(), [], ""
    for line in lines:
        match = _reply_line(line)
        codes.add(match[1])
        text = printable(line[match.end() :]).strip()
        enhanced = _STATUS.match(text)
        if enhanced is not None:
            status = status or enhanced[1]
            text = text[enhanced.end() :].strip()
        texts.append(text)
    if len(codes) != 1:
        raise LineLost("a reply with several codes (RFC 5321 4.2.1)", in_doubt=False)
    joined = " ".join(text for text in texts if text)
    return Reply(stage, int(codes.pop()), status, joined[:_TEXT_LIMIT])


def _reply_line(line: bytes) -> re.Match[bytes]:
    match = _LINE.match(line)
    if match is None:
        raise LineLost(f"not an SMTP reply: {printable(line[:60])!r}", in_doubt=False)
    return match


# A relay has one way to say yes to each command, and says it a million times.
_parsed = lru_cache(maxsize=64)(parse_reply)


class HungUp(LineLost):
    """The relay closed the line in good order."""


class ReplyReader:
    """The relay's half of the conversation on one socket.

    It buffers, so nobody else may read from that socket; a socket wrapped in TLS needs a new
    reader, and what this one still holds is then forgotten (RFC 3207 6). `held` has been received
    and no reply has used it. A wait is cut into slices of `slice_s`; `waits_s` is what the socket
    is set to.
    """

    __slots__ = ("_by_kernel", "held", "limits", "slice_s", "sock", "waits_s")

    def __init__(self, sock: socket.socket, limits: Limits = LIMITS) -> None:
        self.sock = sock
        self.limits = limits
        self.held = b""
        self.slice_s = SLICE_S
        self._by_kernel = False
        self.waits_s: float | None = None

    def wait_in_slices(self, slice_s: float) -> None:
        """Cut the waits to come into slices of that, minded by the kernel where it can."""
        self.slice_s = slice_s
        self._by_kernel = kept_by_kernel(self.sock)
        self.waits_s = None

    def wait_at_most(self, seconds: float) -> None:
        """Set how long a call on the socket may wait; not when it is set so, as that costs calls
        of the system."""
        if seconds != self.waits_s:
            if self._by_kernel:
                wait_by_kernel(self.sock, seconds)
            else:
                self.sock.settimeout(seconds)
            self.waits_s = seconds

    def read(self, stage: Stage, timeout_s: float) -> Reply:
        """The next reply, whole within `timeout_s` however slowly it drips. Raises LineLost."""
        deadline = time.monotonic() + timeout_s
        if not self.held:
            self._receive(deadline, timeout_s)
        line, end, rest = self.held.partition(b"\r\n")
        if end and line[3:4] != b"-" and len(line) < self.limits.line_bytes and b"\n" not in line:
            self.held = rest  # nearly always
            return _parsed(stage, (line,))
        return _parsed(stage, tuple(self._lines(deadline)))

    def lines(self, timeout_s: float) -> list[bytes]:
        """The lines of the next reply without their line ends. Raises LineLost."""
        return self._lines(time.monotonic() + timeout_s)

    def _lines(self, deadline: float) -> list[bytes]:
        lines: list[bytes] = []
        while len(lines) < self.limits.reply_lines:
            line = self._line(deadline)
            lines.append(line)
            if _reply_line(line)[2] != b"-":
                return lines
        raise LineLost(f"a reply of more than {self.limits.reply_lines} lines", in_doubt=False)

    def gone(self) -> bool:
        """The relay has hung up, or has said something nobody asked for, between transactions."""
        if self.held:
            return True
        self.wait_at_most(0)
        try:
            self.held = self.sock.recv(_RECEIVE)
        except (BlockingIOError, ssl.SSLWantReadError):  # the latter after a mere session ticket
            return False
        except OSError:
            return True
        return True

    def _line(self, deadline: float) -> bytes:
        while (end := self.held.find(b"\n")) < 0:
            self._refuse_long(len(self.held))
            self._receive(deadline, deadline - time.monotonic())
        self._refuse_long(end)
        line, self.held = self.held[:end], self.held[end + 1 :]
        return line.removesuffix(b"\r")

    def _refuse_long(self, size: int) -> None:
        if size > self.limits.line_bytes:
            raise LineLost(
                f"a reply line longer than {self.limits.line_bytes} bytes", in_doubt=False
            )

    def _receive(self, deadline: float, left_s: float) -> None:
        """Add to `held`, with so much time left. Raises LineLost at the deadline, HungUp at the
        end."""
        while left_s > 0:
            slice_s = self.slice_s if left_s >= self.slice_s else left_s
            if slice_s != self.waits_s:
                self.wait_at_most(slice_s)
            try:
                received = self.sock.recv(_RECEIVE)
            except PASSED:
                left_s = deadline - time.monotonic()
                continue
            except OSError as error:
                why = f"the line broke: {error.strerror or error}"
                raise LineLost(why, in_doubt=False) from error
            if not received:
                raise HungUp("the relay hung up", in_doubt=False)
            self.held += received
            return
        raise LineLost("no answer in time", in_doubt=False)
