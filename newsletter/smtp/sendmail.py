"""Mail into a program of this machine that speaks like sendmail: Postfix, Exim, msmtp, nullmailer.

Mails enter, each leaves with a reply made of the program's exit code (sysexits.h). It is one
process a mail. No shell sees an address, and no address is taken for an option.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from newsletter.errors import LineLost, RelayRefused
from newsletter.model import Mail, Relay, Reply, Stage
from newsletter.smtp import Begin
from newsletter.smtp.gate import refuse_unsafe
from newsletter.smtp.replies import printable

# What sysexits.h says, as the reply of a relay that means the same. What is not here is the
# program's own trouble, and passes.
_REPLIES = {
    os.EX_OK: (Stage.DOT, 250, "2.0.0", "taken"),
    os.EX_DATAERR: (Stage.DOT, 554, "5.6.0", "the mail is not accepted"),
    os.EX_NOUSER: (Stage.RCPT, 550, "5.1.1", "no such user"),
    os.EX_NOHOST: (Stage.RCPT, 550, "5.1.2", "no such host"),
    os.EX_USAGE: (Stage.CONNECT, 554, "", "it is no sendmail"),
    os.EX_CONFIG: (Stage.CONNECT, 554, "", "it is not set up"),
    os.EX_NOPERM: (Stage.MAIL, 550, "5.7.1", "not permitted"),
}
_PASSING = (Stage.MAIL, 451, "4.3.0", "the program is in trouble")
_SAID_LIMIT = 300


class SendmailTransport:
    """A Transport to a program. It takes ten minutes for a mail at most, as the final dot does."""

    def __init__(self, relay: Relay, patience_s: float = 600.0) -> None:
        self.relay = relay
        self.patience_s = patience_s
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if not os.access(self.relay.program, os.X_OK):
            raise RelayRefused(
                f"{self.relay.name}: there is no program {self.relay.program}",
                hint=f"install a mail server, or name its sendmail: program = ... in "
                f"[relay.{self.relay.name}]",
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        """As Transport.hang_up."""
        running = self._running
        if running is not None:
            running.kill()

    def deliver(self, mails: Iterator[Mail], begin: Begin) -> Iterator[tuple[Mail, Reply]]:
        """As Transport.deliver. A program that is killed leaves its mail in doubt."""
        for mail in mails:
            refuse_unsafe(mail)
            begin(mail)
            yield mail, self._handed_over(mail)

    def _handed_over(self, mail: Mail) -> Reply:
        """-i: a lone dot is no end. Lines end in LF, as a program of Unix expects."""
        # UTF-8 in any locale: Python would write the address in the locale's own charset.
        envelope = (b"-f", mail.mail_from.encode(), b"--", mail.rcpt_to.encode())
        try:
            running = subprocess.Popen(
                [os.fsencode(self.relay.program), b"-i", *envelope],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is ours: the mail in flight is finished
            )
        except OSError as error:
            raise LineLost(f"it does not start: {error.strerror}", in_doubt=False) from error
        self._running = running
        try:
            _, said = running.communicate(mail.content.replace(b"\r\n", b"\n"), self.patience_s)
        except subprocess.TimeoutExpired:
            raise LineLost("the program does not come to an end", in_doubt=True) from None
        finally:
            self._running = None
            with suppress(ProcessLookupError):
                running.kill()
            running.wait()
        return self._reply(running.returncode, printable(said.strip())[-_SAID_LIMIT:])

    def _reply(self, code: int, said: str) -> Reply:
        if code < 0:
            raise LineLost(f"the program was ended by signal {-code}", in_doubt=True)
        stage, number, status, words = _REPLIES.get(code, _PASSING)
        return Reply(stage, number, status, said or f"{words} (exit {code})" if code else words)
