"""Mail over SMTP: the lines to one relay, and the transactions on them.

Mails enter, each leaves again with the relay's last word. Where the relay takes commands in groups
(RFC 2920) the content of one mail and the envelope of the next leave in one write, a round trip a
mail; else each command waits for its answer, four of them. It knows when a line is worn out and
that an answer is only an answer; it does not know what becomes of a recipient.

`LineLost.in_doubt` is exact: False means the relay certainly does not have the mail, even though
`begin` was called, because the final dot had not wholly left (RFC 5321 3.8); True means the dot
left and no answer came. It speaks of the one mail that `begin` was called for and that was not
yielded; the envelope of a mail that was looked ahead at is no mail.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from newsletter.errors import LineLost, NewsletterError
from newsletter.model import Mail, Relay, Reply
from newsletter.smtp import Begin
from newsletter.smtp.ahead import Ahead
from newsletter.smtp.chunks import Stream, takes_chunks
from newsletter.smtp.dial import dial
from newsletter.smtp.envelope import CLOSING, ask_by_steps, group, hear_group, say_group
from newsletter.smtp.gate import dot_stuffed
from newsletter.smtp.internationalised import NotOffered
from newsletter.smtp.line import Line
from newsletter.smtp.replies import LIMITS, Limits

_REFUSALS = 400  # the first code that is one (RFC 5321 4.2.1)


class SMTPTransport:
    """A Transport to a relay that speaks SMTP. One line at a time, one thread at a time."""

    def __init__(self, relay: Relay, limits: Limits = LIMITS) -> None:
        self.relay = relay
        self.limits = limits
        # Looking ahead would hold an open transaction while the next mail waits for its turn.
        self._paced = any(each.any for each in (relay.limits, *relay.domains.values()))
        self._deep = relay.depth > 1 and not self._paced
        self._line: Line | None = None

    def __enter__(self) -> Self:
        self._line = self._dial()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        line, self._line = self._line, None
        if line is None:
            return
        if error is None or isinstance(error, NewsletterError):
            line.quit()
        else:
            line.close()

    def hang_up(self) -> None:
        """As Transport.hang_up. The line is closed by the thread that delivers."""
        line = self._line
        if line is not None:
            line.cut()

    def deliver(self, mails: Iterator[Mail], begin: Begin) -> Iterator[tuple[Mail, Reply]]:
        """As Transport.deliver. Raises MailRefused before anything of an unsafe mail leaves; the
        transport can be used on."""
        ahead = Ahead(mails)
        try:
            while True:
                line = self._line
                if line is None or not line.asked:
                    line = self._ready()  # before the mail is pulled: it may take a minute
                    if self._deep and takes_chunks(line):
                        yield from self._stream(line, ahead, begin)
                        if ahead.next() is None:
                            return
                        continue
                mail = ahead.mail or ahead.next()
                if mail is None:
                    return
                yield mail, self._offer(ahead, mail, begin)
        finally:
            if self._line is not None and self._line.asked:
                self._hang_up()

    def _stream(self, line: Line, ahead: Ahead, begin: Begin) -> Iterator[tuple[Mail, Reply]]:
        """Mails and answers on this line, until one of them comes to an end."""
        stream = Stream(line, begin, self.relay.depth)
        try:
            yield from stream.answers(ahead, line.room - line.mails)
        except BaseException:
            self._hang_up()
            raise
        line.asked = False
        line.dirty = line.broken
        if line.broken:
            self._hang_up()

    def _offer(self, ahead: Ahead, mail: Mail, begin: Begin) -> Reply:
        """The relay's last word on the mail; the envelope of the next may be on the line then."""
        try:
            line, reply = self._line, None
            if line is None or not line.agreed():
                line, heard = self._envelope(mail)
                if heard.positive:
                    line.refuse_unasked()
                else:
                    reply = heard
            ahead.mail = None
            if reply is None:
                behind = self._following(line, ahead)
                begin(mail)
                pieces = mail.pieces if mail.inspected else (dot_stuffed(mail.content),)
                reply = line.hand_over(pieces, behind)
        except BaseException:
            self._hang_up()
            raise
        line.mails += 1
        if reply.code < _REFUSALS:
            line.accepted += 1
            line.dirty = False
        else:
            line.dirty = not line.asked
            line.broken |= reply.code == CLOSING
        if line.broken:
            self._hang_up()
        return reply

    def _following(self, line: Line, ahead: Ahead) -> bytes:
        """The next envelope, to stand behind this content where the line takes it."""
        if not line.pipelining or self._paced or line.mails + 1 >= line.room:
            return b""
        following = ahead.look()
        try:
            return group(line, following) if following else b""
        except NotOffered:
            return b""  # told when its turn comes

    def _envelope(self, mail: Mail) -> tuple[Line, Reply]:
        """The line and the deciding reply to the envelope. A relay may end a line after any mail
        it took, by 421 or without a word; then it is asked once more, over a new one."""
        line = self._ready()  # again: the relay may have hung up while the mail was being made
        try:
            reply = self._ask(line, mail)
            worn_out = reply.code == CLOSING
        except LineLost:
            worn_out = line.asked
            if not (worn_out and line.accepted):
                raise
        if not (worn_out and line.accepted):
            return line, reply
        self._hang_up()
        line = self._ready()
        return line, self._ask(line, mail)

    def _ask(self, line: Line, mail: Mail) -> Reply:
        try:
            if not line.pipelining:
                return ask_by_steps(line, mail)
            if not line.asked:
                say_group(line, mail)
        except NotOffered as lacking:
            return lacking.reply
        return hear_group(line)

    def _ready(self) -> Line:
        """A line that a transaction can begin on: the one we have, or a new one."""
        line = self._line
        if line is not None and line.asked:
            return line
        if line is not None and line.mails >= line.room:
            self._line = None
            line.quit()
        elif line is not None and (line.gone() or (line.dirty and not line.reset())):
            self._hang_up()
        if self._line is None:
            self._line = self._dial()
        return self._line

    def _dial(self) -> Line:
        line = dial(self.relay, self.limits)
        ours, theirs = max(self.relay.mails_per_connection, 1), line.mail_limit
        line.room = ours if theirs is None else min(ours, theirs)
        return line

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()
