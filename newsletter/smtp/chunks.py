"""Several mails on the way at once (RFC 3030 with RFC 2920): BDAT asks for nobody's go-ahead.

A Line and the mails enter, each leaves with the relay's last word, in order. Every mail is one
group: RSET, its envelope and its content; the answer to one is heard while others are under way.
RSET comes first because a relay that refuses a recipient keeps the rest of that transaction. Up to
`depth` mails are in doubt when the line dies, instead of one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from newsletter.errors import LineLost
from newsletter.model import Mail, Reply, Stage
from newsletter.smtp import Begin
from newsletter.smtp.ahead import Ahead
from newsletter.smtp.envelope import CLOSING, commands
from newsletter.smtp.internationalised import NotOffered
from newsletter.smtp.line import Line

# The answers to one group. RSET is told apart by nobody: its refusal is the sender's.
_STAGES = (Stage.MAIL, Stage.MAIL, Stage.RCPT, Stage.DOT)


def takes_chunks(line: Line) -> bool:
    """Whether the relay takes content in groups too."""
    return line.pipelining and "chunking" in line.extensions


def group(line: Line, mail: Mail) -> bytes:
    """The whole transaction as one write. The content is not dot-stuffed: its length is said."""
    sender, recipient, _ = commands(line, mail)
    head = f"RSET\r\n{sender}\r\n{recipient}\r\nBDAT {mail.size} LAST\r\n"
    return b"".join((head.encode(), *mail.pieces))


@dataclass(slots=True)
class Stream:
    """The mails under way on one line."""

    line: Line
    begin: Begin
    depth: int
    under_way: deque[Mail] = field(default_factory=deque)

    def answers(self, ahead: Ahead, room: int) -> Iterator[tuple[Mail, Reply]]:
        """At most `room` mails with their answers, until the mails or the line come to an end.

        Raises LineLost; `not_left` names what certainly was not taken.
        """
        while True:
            while len(self.under_way) < min(self.depth, room):
                mail = ahead.look() if self.under_way else ahead.next()
                if mail is None:
                    break
                try:
                    octets = group(self.line, mail)
                except NotOffered as lacking:
                    if not self.under_way:  # else it is told after those before it
                        ahead.mail = None
                        yield mail, lacking.reply
                    break
                ahead.mail = None
                self._leave(mail, octets)
            if not self.under_way:
                return
            reply = self._hear()
            mail = self.under_way.popleft()
            room -= 1
            self.line.mails += 1
            self.line.accepted += reply.positive
            yield mail, reply
            if self.line.broken:
                self._give_up(reply)
                return

    def _leave(self, mail: Mail, octets: bytes) -> None:
        self.begin(mail)
        try:
            self.line.say_all(octets)
        except LineLost as lost:
            raise LineLost(
                lost.message,
                in_doubt=bool(self.under_way),
                not_left=frozenset({mail.message_id}),
            ) from lost
        self.under_way.append(mail)

    def _hear(self) -> Reply:
        """The deciding answer to the oldest mail: the first refusal, else the one to its content.
        A refusal once heard stays true, whatever becomes of the line."""
        refusal: Reply | None = None
        try:
            for stage in _STAGES:
                reply = self.line.hear(stage)
                if reply.code == CLOSING:
                    self.line.broken = True
                    return refusal or reply
                refusal = refusal or (None if reply.positive else reply)
        except LineLost as lost:
            if refusal is None:
                raise LineLost(f"after the content: {lost.message}", in_doubt=True) from lost
            self.line.broken = True
        return refusal or reply

    def _give_up(self, last: Reply) -> None:
        """End a line that the relay closes (421). It answers in order, so what it has not answered
        it has not taken, once it has hung up without another word; otherwise that is in doubt."""
        if not self.under_way:
            return
        waiting = frozenset(mail.message_id for mail in self.under_way)
        if last.code == CLOSING and self.line.ends_silently():
            raise LineLost("the relay closed the line", in_doubt=False, not_left=waiting)
        raise LineLost("the line ended with mails under way", in_doubt=True)
