"""Mail into a Maildir: written in `tmp`, then moved to `new`, so that no reader sees half of one.

The name is made of the Message-ID, so a mail that is delivered again while it is unread replaces
itself. Lines end in LF there, as mail programs expect.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from newsletter.model import Mail
from newsletter.smtp.folder import private_folder

_NEW = os.O_CREAT | os.O_TRUNC | os.O_WRONLY


class Maildir:
    """A Shelf in the form of maildir(5), made when it is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> None:
        """As Shelf.open."""
        for part in ("tmp", "new", "cur"):
            private_folder(self.path / part)

    def put(self, mail: Mail) -> str:
        """As Shelf.put; on the disk when it returns."""
        name = f"{sha256(f'{mail.message_id}/{mail.rcpt_to}'.encode()).hexdigest()[:32]}.newsletter"
        draft = self.path / "tmp" / f"{name}.{os.getpid()}"
        try:
            with open(os.open(draft, _NEW, 0o600), "wb") as file:  # noqa: PTH123
                file.write(delivered(mail))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path / "new" / name)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        return name


def delivered(mail: Mail) -> bytes:
    """The mail as final delivery leaves it: with its envelope on top (RFC 5321 4.4)."""
    envelope = f"Return-Path: <{mail.mail_from}>\nDelivered-To: {mail.rcpt_to}\n"
    return envelope.encode() + mail.content.replace(b"\r\n", b"\n")
