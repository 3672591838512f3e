"""The mails to deliver, with a look at the next one."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.model import Mail
from newsletter.smtp.gate import refuse_unsafe


class Ahead:
    """Mails pulled one by one, each past the gate. The next may be looked at while the one before
    is still being handed over; what goes wrong then is kept until it is its turn."""

    __slots__ = ("_error", "_mail", "_mails")

    def __init__(self, mails: Iterator[Mail]) -> None:
        self._mails = mails
        self._mail: Mail | None = None
        self._error: Exception | None = None

    def next(self) -> Mail | None:
        """The mail whose turn it is, the same until `done`; None at the end. Raises MailRefused,
        or whatever making the mail raised."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if self._mail is None:
            mail = next(self._mails, None)
            if mail is not None:
                refuse_unsafe(mail)
            self._mail = mail
        return self._mail

    def done(self) -> None:
        """The mail whose turn it was has its answer."""
        self._mail = None

    def look(self) -> Mail | None:
        """The mail after the one that was `done`, or None when there is none to be had now."""
        try:
            return self.next()
        except Exception as error:  # noqa: BLE001 - raised again when it is its turn
            self._error = error
            return None
