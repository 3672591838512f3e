"""Mail into a folder of .eml files, with nobody at the other end.

Mails enter, each leaves as a file with the reply a relay would have given. It speaks no SMTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from newsletter.errors import RelayUnavailable
from newsletter.model import Mail, Reply, Stage
from newsletter.smtp import Begin
from newsletter.smtp.folder import MailFolder
from newsletter.smtp.gate import refuse_unsafe


class FileTransport:
    """A Transport that writes NNNNNN-HASH.eml, HASH being of the recipient: a folder listing
    tells no address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mails: MailFolder | None = None

    def __enter__(self) -> Self:
        self._mails = self._opened()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._mails = None

    def hang_up(self) -> None:
        """Nothing: there is nobody to wait for."""

    def deliver(self, mails: Iterator[Mail], begin: Begin) -> Iterator[tuple[Mail, Reply]]:
        """As Transport.deliver; a full disk is a 452, as from a relay."""
        folder = self._mails or self._opened()
        for mail in mails:
            refuse_unsafe(mail)
            begin(mail)
            yield mail, _written(folder, mail)

    def _opened(self) -> MailFolder:
        try:
            return MailFolder(self.folder)
        except OSError as error:
            raise RelayUnavailable(
                f"cannot write to {self.folder}: {error.strerror or error}",
                hint="name another folder for this relay",
            ) from error


def _written(folder: MailFolder, mail: Mail) -> Reply:
    digest = sha256(mail.rcpt_to.encode()).hexdigest()[:12]
    try:
        key = folder.add(mail.content, digest)
    except OSError as error:
        return Reply(Stage.DOT, 452, "4.3.1", f"cannot write: {error.strerror or error}")
    return Reply(Stage.DOT, 250, "2.0.0", f"written to {key}.eml")
