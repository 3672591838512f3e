"""Mail over SMTP: the lines to one relay, and the transaction in lock step.

Mails enter, each leaves again with the relay's last word. It knows when a line is worn out and
that an answer is only an answer; it does not know what becomes of a recipient.

`LineLost.in_doubt` is exact: False means the relay certainly does not have the mail, even though
`begin` was called, because the final dot had not wholly left (RFC 5321 3.8); True means the dot
left and no answer came.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from newsletter.errors import NewsletterError
from newsletter.model import Mail, Relay, Reply, Stage
from newsletter.smtp import Begin
from newsletter.smtp.dial import dial
from newsletter.smtp.gate import dot_stuffed, refuse_unsafe
from newsletter.smtp.line import Line
from newsletter.smtp.replies import LIMITS, Limits

_CLOSING = 421


def offer(line: Line, mail: Mail, begin: Begin) -> Reply:
    """The relay's last word on one mail, asked for step by step: MAIL, RCPT, DATA, content.

    The engine's seam: a pipelined one asks in fewer round trips and answers the same. Raises
    LineLost; whatever it raises, the line is of no more use.
    """
    size = f" SIZE={len(mail.content)}" if "size" in line.extensions else ""
    for stage, command in (
        (Stage.MAIL, f"MAIL FROM:<{mail.mail_from}>{size}"),
        (Stage.RCPT, f"RCPT TO:<{mail.rcpt_to}>"),
        (Stage.DATA, "DATA"),
    ):
        reply = line.ask(stage, command)
        if not reply.positive:
            return reply
    begin(mail)
    return line.hand_over(dot_stuffed(mail.content))


class SMTPTransport:
    """A Transport to a relay that speaks SMTP. One line at a time, one thread at a time."""

    def __init__(self, relay: Relay, limits: Limits = LIMITS) -> None:
        self.relay = relay
        self.limits = limits
        self._line: Line | None = None

    def __enter__(self) -> Self:
        self._line = dial(self.relay, self.limits)
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

    def deliver(self, mails: Iterator[Mail], begin: Begin) -> Iterator[tuple[Mail, Reply]]:
        """As Transport.deliver. Raises MailRefused before anything of an unsafe mail leaves; the
        transport can be used on."""
        while True:
            self._ready()  # before the mail is pulled: connecting may take a minute
            mail = next(mails, None)
            if mail is None:
                return
            refuse_unsafe(mail)
            yield mail, self._offer(mail, begin)

    def _offer(self, mail: Mail, begin: Begin) -> Reply:
        line = self._ready()  # again: the relay may have hung up while the mail was being made
        try:
            reply = offer(line, mail, begin)
        except BaseException:
            self._hang_up()
            raise
        line.mails += 1
        line.dirty = not reply.positive
        if reply.code == _CLOSING:
            self._hang_up()
        return reply

    def _ready(self) -> Line:
        """A line that a transaction can begin on: the one we have, or a new one."""
        line = self._line
        if line is not None and line.mails >= self._mails_on(line):
            self._line = None
            line.quit()
        elif line is not None and (line.gone() or (line.dirty and not line.reset())):
            self._hang_up()
        if self._line is None:
            self._line = dial(self.relay, self.limits)
        return self._line

    def _mails_on(self, line: Line) -> int:
        ours, theirs = max(self.relay.mails_per_connection, 1), line.mail_limit
        return ours if theirs is None else min(ours, theirs)

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()
