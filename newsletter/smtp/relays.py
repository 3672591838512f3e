"""From a Relay to the Transport of its kind. It opens nothing by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from newsletter.errors import ConfigError
from newsletter.model import Mail, Relay, Reply, Tls
from newsletter.smtp import Begin, Transport
from newsletter.smtp.announced import open_port
from newsletter.smtp.client import SMTPTransport
from newsletter.smtp.file import FileTransport, Numbered
from newsletter.smtp.maildir import Maildir
from newsletter.smtp.sendmail import SendmailTransport


def transport_for(relay: Relay) -> Transport:
    """The way out of `relay`'s kind, not yet entered. Raises ConfigError for an unknown kind or
    a missing folder."""
    match relay.kind:
        case "smtp" | "lmtp":
            return SMTPTransport(relay)
        case "sendmail":
            return SendmailTransport(relay)
        case "maildir":
            return FileTransport(Maildir(_folder(relay)))
        case "inbox":
            return InboxTransport(relay, _folder(relay))
        case "file":
            return FileTransport(Numbered(_folder(relay)))
    raise ConfigError(
        f"relay {relay.name}: no such kind `{relay.kind}`",
        hint="smtp, lmtp, sendmail, inbox, file, maildir",
    )


def _folder(relay: Relay) -> Path:
    if relay.folder is None:
        raise ConfigError(f"relay {relay.name}: the kind {relay.kind} needs a folder")
    return relay.folder


class InboxTransport:
    """A Transport that talks SMTP to an Inbox on this machine, the one that is open on its folder
    or one of its own: what is tested on the first day is what leaves on the last."""

    def __init__(self, relay: Relay, folder: Path) -> None:
        self.relay = relay
        self.folder = folder
        self._open = ExitStack()
        self._smtp: SMTPTransport | None = None

    def __enter__(self) -> Self:
        from newsletter.smtp.inbox import Inbox  # noqa: PLC0415 - aiosmtpd only where it serves

        with ExitStack() as opening:
            port = open_port(self.folder)
            if port is None:
                port = opening.enter_context(Inbox(self.folder)).port
            loopback = replace(
                self.relay,
                kind="smtp",
                host="127.0.0.1",
                port=port,
                tls=Tls.NONE,
                username=None,
                password=None,
            )
            self._smtp = opening.enter_context(SMTPTransport(loopback))
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._smtp = None
        self._open.__exit__(kind, error, trace)

    def hang_up(self) -> None:
        """As Transport.hang_up."""
        if self._smtp is not None:
            self._smtp.hang_up()

    def deliver(self, mails: Iterator[Mail], begin: Begin) -> Iterator[tuple[Mail, Reply]]:
        """As Transport.deliver."""
        if self._smtp is None:
            with self:
                yield from self.deliver(mails, begin)
            return
        yield from self._smtp.deliver(mails, begin)
