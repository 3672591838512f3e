"""Mail into files on this machine, with nobody at the other end.

Mails enter, each leaves as a file with the reply a relay would have given. It speaks no SMTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from newsletter.errors import RelayUnavailable
from newsletter.model import Mail, Reply, Stage
from newsletter.smtp import Begin
from newsletter.smtp.folder import MailFolder
from newsletter.smtp.gate import refuse_unsafe


class Shelf(Protocol):
    """Somewhere on this machine that mails are put into."""

    path: Path

    def open(self) -> None:
        """Make it ready. Raises OSError."""

    def put(self, mail: Mail) -> str:
        """What the mail is called there now, whole or not at all. Raises OSError."""


class Numbered:
    """NNNNNN-HASH.eml in one folder, HASH being of the recipient: a listing tells no address."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mails: MailFolder | None = None

    def open(self) -> None:
        """As Shelf.open."""
        self._mails = MailFolder(self.path)

    def put(self, mail: Mail) -> str:
        """As Shelf.put."""
        folder = self._mails or MailFolder(self.path)
        digest = sha256(mail.rcpt_to.encode()).hexdigest()[:12]
        return f"{folder.add(mail.content, digest)}.eml"


class FileTransport:
    """A Transport to a Shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._ready = False

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ready = False

    def hang_up(self) -> None:
        """Nothing: there is nobody to wait for."""

    def deliver(self, mails: Iterator[Mail], begin: Begin) -> Iterator[tuple[Mail, Reply]]:
        """As Transport.deliver; a full disk is a 452, as from a relay."""
        if not self._ready:
            self._open()
        for mail in mails:
            refuse_unsafe(mail)
            begin(mail)
            yield mail, self._put(mail)

    def _open(self) -> None:
        try:
            self.shelf.open()
            self._ready = True
        except OSError as error:
            raise RelayUnavailable(
                f"cannot write to {self.shelf.path}: {error.strerror or error}",
                hint="name another folder for this relay",
            ) from error

    def _put(self, mail: Mail) -> Reply:
        try:
            name = self.shelf.put(mail)
        except OSError as error:
            return Reply(Stage.DOT, 452, "4.3.1", f"cannot write: {error.strerror or error}")
        return Reply(Stage.DOT, 250, "2.0.0", f"written to {name}")
