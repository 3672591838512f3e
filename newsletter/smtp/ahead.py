"""The mails to deliver, with a look at the next one."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.model import Mail
from newsletter.smtp.gate import refuse_unsafe


class Ahead:
    """Mails pulled one by one, each past the gate. The next may be looked at while the one before
    is still being handed over; what goes wrong then is kept until it is its turn."""

    __slots__ = ("_error", "_mails", "mail")

    def __init__(self, mails: Iterator[Mail]) -> None:
        self._mails = mails
        self._error: Exception | None = None
        # The one whose turn it is, if it is known already; whoever has its answer sets it to None.
        self.mail: Mail | None = None

    def next(self) -> Mail | None:
        """The mail whose turn it is; None at the end. Raises MailRefused, or whatever making the
        mail raised."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if self.mail is None:
            mail = next(self._mails, None)
            if mail is not None:
                refuse_unsafe(mail)
            self.mail = mail
        return self.mail

    def look(self) -> Mail | None:
        """The mail after the one that has its answer, or None when there is none to be had now."""
        try:
            return self.next()
        except Exception as error:  # noqa: BLE001 - raised again when it is its turn
            self._error = error
            return None
