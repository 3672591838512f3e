"""One open line to a relay: greeted, protected, logged in.

Commands enter, Replies leave. It knows how to ask and when an answer is no answer; it does not
know how the line was opened (`dial`) nor in which order a transaction asks (`client`).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Mapping, Sequence

from newsletter.errors import LineLost
from newsletter.model import Reply, Stage
from newsletter.smtp.replies import SLICE_S, HungUp, ReplyReader
from newsletter.smtp.waits import PASSED

# The class of reply that moves a transaction on (RFC 5321 4.3.2); 4 and 5 are refusals.
_MOVES_ON = {Stage.MAIL: 2, Stage.RCPT: 2, Stage.DATA: 3, Stage.DOT: 2}
_FIRST_REFUSAL = 400
_TAKEN = range(200, 300)
_EARLY_REPLY_S = 1.0
# POSIX promises 16 only, every system of today takes 1,024 (IOV_MAX).
_MOST_PIECES = 1000
FINAL_DOT = b".\r\n"


class _Cut(LineLost):
    """A write that failed after `sent` bytes had been given to the socket."""

    def __init__(self, message: str, sent: int) -> None:
        super().__init__(message, in_doubt=False)
        self.sent = sent


class Line:
    """A connection ready for MAIL. `extensions` are those of the last EHLO, in lower case,
    `pipelining` whether commands are taken in groups (RFC 2920), `mail_limit` how many mails are
    taken if that is said (RFC 9422), `room` how many there are to be at most; `mails` counts those
    offered on it, `accepted` those the
    relay took; `dirty` says a transaction was left half done, `asked` that an envelope is on its
    way and nothing was heard of it, `broken` that no more can be said on it; `reports` that reports
    of failure are asked for (RFC 3461). `usual` is what the relay said, word for word, to an
    envelope that it took."""

    __slots__ = (
        "_gathers",
        "_sock",
        "accepted",
        "asked",
        "broken",
        "dirty",
        "extensions",
        "mail_limit",
        "mails",
        "pipelining",
        "reader",
        "reports",
        "room",
        "timeout_s",
        "usual",
    )

    def __init__(
        self,
        reader: ReplyReader,
        extensions: Mapping[str, str],
        *,
        timeout_s: float,
        reports: bool = False,
    ) -> None:
        self._sock: socket.socket = reader.sock
        self._gathers = hasattr(self._sock, "sendmsg") and not isinstance(self._sock, ssl.SSLSocket)
        self.reader = reader
        self.extensions = extensions
        self.pipelining = "pipelining" in extensions
        self.mail_limit = _mail_limit(extensions.get("limits", ""))
        self.timeout_s = timeout_s
        reader.wait_in_slices(min(timeout_s, SLICE_S))
        self.reports = reports and "dsn" in extensions
        self.room = 1
        self.mails = 0
        self.accepted = 0
        self.asked = False
        self.broken = False
        self.dirty = False
        self.usual = b""

    def ask(self, stage: Stage, command: str) -> Reply:
        """The relay's answer to one command. Raises LineLost when the line dies, or when what
        came back neither moves the transaction on nor refuses it."""
        self.say(f"{command}\r\n".encode())
        return self.hear(stage)

    def say(self, octets: bytes) -> None:
        """Send commands whose answers are heard later. Raises LineLost."""
        self.refuse_unasked()
        self._send((octets,), self.timeout_s)

    def say_all(self, octets: bytes) -> None:
        """Send commands with content in between, however long the relay takes to read them.
        Raises LineLost."""
        self.asked = True
        self._send((octets,), self.reader.limits.dot_s)

    def ends_silently(self) -> bool:
        """Whether the relay hangs up now without another word."""
        try:
            self.reader.lines(self.reader.limits.quit_s)
        except HungUp:
            return not self.reader.held
        except LineLost:
            return False
        return False

    def agreed(self) -> bool:
        """Whether the envelope on its way has got its usual answers; then they are heard."""
        if not self.asked or self.reader.held != self.usual or not self.usual:
            return False
        self.reader.held, self.asked = b"", False
        return True

    def hear(self, stage: Stage) -> Reply:
        """The answer to a command that was said. Raises LineLost."""
        return self._answer(stage, self.timeout_s)

    def refuse_unasked(self) -> None:
        """Raises LineLost when an answer is here that nothing asked for: from now on every
        answer would be taken for the next one's."""
        if self.reader.held:
            raise LineLost("the relay answered before it was asked", in_doubt=False)

    def hand_over(self, pieces: Sequence[bytes], behind: bytes = b"") -> Reply:
        """The relay's answer to transparent content and the final dot; `behind` are commands that
        leave in the same write (RFC 2920 3.1) and are answered after it.

        Raises LineLost, `in_doubt` exactly when the whole of the dot had been given to the socket:
        what was cut short is no mail (RFC 5321 3.8).
        """
        self.asked = behind != b""
        reader = self.reader
        within_s = reader.limits.dot_s
        try:
            self._send((*pieces, FINAL_DOT, behind), within_s)
        except _Cut as cut:
            if cut.sent < sum(map(len, pieces)) + len(FINAL_DOT):
                return self._early_refusal(cut)
            self.broken = True  # the dot left; what stood behind it did not
        try:
            reply = reader.read(Stage.DOT, within_s)
            return reply if reply.code in _TAKEN else self._checked(reply)
        except LineLost as lost:
            raise LineLost(f"after the final dot: {lost.message}", in_doubt=True) from lost

    def reset(self) -> bool:
        """The relay has forgotten the transaction begun (RFC 5321 4.1.1.5)."""
        try:
            reply = self.ask(Stage.MAIL, "RSET")
        except LineLost:
            return False
        self.dirty = not reply.positive
        return reply.positive

    def gone(self) -> bool:
        """The relay hung up, or spoke unasked, since the last transaction."""
        return self.reader.gone()

    def quit(self) -> None:
        """Take leave: QUIT, a short wait for the answer, close. Every mail is settled by now, so
        a relay that cannot say goodbye changes nothing."""
        if not (self.asked or self.broken):
            with contextlib.suppress(LineLost):
                self._send((b"QUIT\r\n",), self.reader.limits.quit_s)
                self.reader.lines(self.reader.limits.quit_s)
        self.close()

    def cut(self) -> None:
        """Cut the wire, from any thread; whoever sends or listens gets LineLost."""
        with contextlib.suppress(OSError):
            # The plain socket's, not TLS's: that one takes the session away from its reader.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up without a word: the only way out of a transaction cut short."""
        self._sock.close()

    def _answer(self, stage: Stage, timeout_s: float) -> Reply:
        return self._checked(self.reader.read(stage, timeout_s))

    def _checked(self, reply: Reply) -> Reply:
        stage = reply.stage
        if reply.code < _FIRST_REFUSAL and reply.code // 100 != _MOVES_ON[stage]:
            raise LineLost(f"{reply.code} is no answer to {stage.upper()}", in_doubt=False)
        return reply

    def _send(self, pieces: Sequence[bytes], within_s: float) -> None:
        """All of them, in one write that the kernel gathers where it can, within that time and
        never without progress for `timeout_s`. Our own loop: it knows how many bytes had left when
        it failed."""
        reader = self.reader
        slice_s = reader.slice_s if within_s > reader.slice_s else within_s
        if slice_s != reader.waits_s:
            reader.wait_at_most(slice_s)
        try:
            if self._gathers and len(pieces) <= _MOST_PIECES:
                sent = self._sock.sendmsg(pieces)
            else:
                sent = self._sock.send(b"".join(pieces))
        except PASSED:
            sent = 0
        except OSError as error:
            raise _Cut(f"the line broke: {error.strerror or error}", 0) from error
        if sent < sum(map(len, pieces)):
            self._send_rest(b"".join(pieces), sent, within_s)

    def _send_rest(self, octets: bytes, sent: int, within_s: float) -> None:
        """What the first write, which waited for a slice when nothing left, did not take."""
        began_at = time.monotonic() - (0.0 if sent else min(self.reader.slice_s, within_s))
        moved_at = began_at
        while sent < len(octets):
            left_s = min(moved_at + self.timeout_s, began_at + within_s) - time.monotonic()
            if left_s <= 0:
                raise _Cut("the relay stopped reading", sent)
            self.reader.wait_at_most(min(left_s, self.reader.slice_s))
            try:
                sent += self._sock.send(memoryview(octets)[sent:])
            except PASSED:
                continue
            except OSError as error:
                raise _Cut(f"the line broke: {error.strerror or error}", sent) from error
            moved_at = time.monotonic()

    def _early_refusal(self, lost: LineLost) -> Reply:
        """A refusal that came while content was still leaving, such as 552 or 421; what was
        transferred is incomplete, so nothing but a refusal can be true."""
        try:
            reply = self.reader.read(Stage.DOT, _EARLY_REPLY_S)
        except LineLost:
            raise lost from None
        if reply.code < _FIRST_REFUSAL:
            raise lost
        self.broken = True
        return reply


def _mail_limit(limits: str) -> int | None:
    """MAILMAX of the LIMITS extension."""
    for limit in limits.upper().split():
        name, _, value = limit.partition("=")
        if name == "MAILMAX" and value.isdecimal() and int(value) > 0:
            return int(value)
    return None
