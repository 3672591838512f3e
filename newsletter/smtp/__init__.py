"""Handing mail over: the Transport seam and the ways out.

A relay's answer is a value (Reply); only silence is an exception (LineLost, RelayUnavailable).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Protocol, Self

from newsletter.model import Mail, Relay, Reply

Begin = Callable[[Mail], None]


class Transport(Protocol):
    """A way for mail to leave. Entering connects, leaving says QUIT."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def hang_up(self) -> None:
        """Break off, from any thread: whoever waits for the relay in `deliver` gets LineLost."""

    def deliver(self, mails: Iterator[Mail], begin: Begin) -> Iterator[tuple[Mail, Reply]]:
        """Each mail with the relay's last word on it, in the order given.

        `mails` is pulled one by one, as late as possible: at most one ahead of the mail being
        handed over, so that its envelope can leave behind that content. `begin(mail)` is called
        once per mail that the relay is ready to take, before the first byte of its content leaves;
        a mail whose `begin` was called and that was never yielded is in doubt: one at a time, or
        up to `relay.depth` of them where the relay takes several (CHUNKING). The
        reply's stage tells who was refused: MAIL means us, RCPT this recipient, DOT the content.
        After 421, or after `relay.mails_per_connection` mails, the next mail goes over a new
        connection; so does a mail that meets a 421, or a closed line, where one before was taken.

        Raises LineLost when the line dies within a transaction, RelayUnavailable when no
        connection can be made, RelayRefused when TLS or the login is refused.
        """


def open_transport(relay: Relay) -> Transport:
    """The way out for this relay's kind: smtp, inbox (SMTP to a server started on this machine's
    loopback, which files what it takes as .eml) or file (.eml files, no SMTP)."""
    from newsletter.smtp.relays import transport_for  # noqa: PLC0415

    return transport_for(relay)


def open_transports(relay: Relay) -> list[Transport]:
    """As many ways out as the relay has connections."""
    return [open_transport(relay) for _ in range(relay.connections)]


__all__ = ["Begin", "Transport", "open_transport", "open_transports"]
