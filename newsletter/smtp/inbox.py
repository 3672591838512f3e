"""The inbox on this machine: a relay that keeps everything and passes nothing on.

SMTP on 127.0.0.1 enters, .eml files leave, byte for byte as they came, and one line of JSON for
each envelope. It never connects to anybody and believes no file name it is asked for.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import secrets
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header, make_header
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.errors import RelayUnavailable, UsageError
from newsletter.model import Stage
from newsletter.smtp.announced import announced
from newsletter.smtp.chaos import Chaos, Fault, Wrong
from newsletter.smtp.folder import MailFolder, is_key, keys

_INDEX = "index.jsonl"
_SUBJECT = re.compile(rb"^subject:[ \t]*((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_HEAD_LIMIT = 65536
_START_S = 5.0

# aiosmtpd writes every address it hears at INFO.
logging.getLogger("mail.log").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxMail:
    """One mail received: its envelope, when it came, and enough to list it. `key` opens it with
    `read_mail`; `subject` is decoded. A mail whose envelope was lost has empty ones."""

    key: str
    mail_from: str = ""
    rcpt_to: str = ""
    received_at: datetime | None = None
    size: int = 0
    subject: str = ""


class Inbox:
    """A receiving SMTP server on 127.0.0.1 and a free port. Entering starts it in a thread of its
    own, leaving ends it; the files stay. With `chaos` it misbehaves by that rule. It greets with
    `greeting`, by which `announced.open_port` knows it again."""

    def __init__(self, folder: Path, chaos: Chaos | None = None) -> None:
        self.folder = folder
        self.chaos = chaos
        self.port = 0
        self.greeting = secrets.token_hex(16)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        try:
            kept = MailFolder(self.folder)
            receiver = _Unruly(kept, self.chaos) if self.chaos else _Receiver(kept)
            # aiosmtpd's Controller cannot take port 0: it connects to the literal 0 to wake up.
            listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        except OSError as error:
            raise RelayUnavailable(
                f"the inbox cannot start in {self.folder}: {error.strerror or error}"
            ) from error
        self.port = int(listener.getsockname()[1])
        self._loop, up = asyncio.new_event_loop(), threading.Event()
        self._thread = threading.Thread(
            target=_serve,
            args=(self._loop, listener, self._connected(receiver), up),
            name="inbox",
            daemon=True,
        )
        self._thread.start()
        # A loop that is stopped before its server is up would end in an error.
        up.wait()
        return self

    def _connected(self, receiver: _Receiver) -> Callable[[], SMTP]:
        return lambda: SMTP(
            receiver,
            hostname="inbox",
            ident=self.greeting,
            enable_SMTPUTF8=True,
            loop=self._loop,
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop = self._thread = None


@contextmanager
def unruly_inbox(folder: Path, chaos: Chaos) -> Iterator[Inbox]:
    """An inbox that misbehaves by the rule. While it is open, whoever would open an inbox on the
    same folder talks to this one."""
    with Inbox(folder, chaos) as inbox, announced(folder, inbox.port, inbox.greeting):
        yield inbox


def received(folder: Path) -> list[InboxMail]:
    """Every mail in the inbox, the newest last. An inbox that was never used is empty."""
    envelopes = {mail.key: mail for mail in _index(folder)}
    return [envelopes.get(key) or _without_envelope(folder, key) for key in _whole(folder)]


def read_mail(folder: Path, key: str) -> bytes:
    """The mail as it came in, byte for byte. Raises UsageError for a key that names none."""
    path = folder / f"{key}.eml"
    if is_key(key) and not path.is_symlink():
        try:
            return path.read_bytes()
        except FileNotFoundError:
            pass
    raise UsageError("no such mail in the inbox", code="inbox.none")


def clear(folder: Path) -> int:
    """How many mails were removed. Only what an inbox made is touched."""
    present = keys(folder)
    (folder / _INDEX).unlink(missing_ok=True)
    for key in present:
        (folder / f"{key}.eml").unlink(missing_ok=True)
    return len(present)


def _serve(
    loop: asyncio.AbstractEventLoop,
    listener: socket.socket,
    connected: Callable[[], SMTP],
    up: threading.Event,
) -> None:
    """Serve until the loop is stopped, then hang up on whoever is still connected."""
    asyncio.set_event_loop(loop)
    server = loop.run_until_complete(loop.create_server(connected, sock=listener))
    loop.call_soon(up.set)
    try:
        loop.run_forever()
    finally:
        server.close()
        rest = asyncio.all_tasks(loop)
        for task in rest:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        loop.close()


class _Receiver:
    """aiosmtpd's handler: the method's name is its hook, its return value the reply."""

    def __init__(self, folder: MailFolder) -> None:
        self.folder = folder

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        return self.filed(envelope)

    def filed(self, envelope: Envelope) -> str:
        """The reply once the mail is in the folder."""
        content = envelope.original_content or b""
        # What was no UTF-8 came as surrogates, which no page can show.
        recipients = ", ".join(envelope.rcpt_tos).encode("utf-8", "replace").decode()
        try:
            key = self.folder.add(content, envelope.rcpt_tos[0])
            self._note(
                InboxMail(
                    key=key,
                    mail_from=(envelope.mail_from or "").encode("utf-8", "replace").decode(),
                    rcpt_to=recipients,
                    received_at=datetime.now(UTC),
                    size=len(content),
                    subject=subject_of(content),
                )
            )
        except OSError as error:
            return f"452 4.3.1 cannot write: {error.strerror or type(error).__name__}"
        return f"250 2.0.0 filed as {key}"

    def _note(self, mail: InboxMail) -> None:
        """One write of one line: several inboxes may share a folder."""
        line = json.dumps(asdict(mail), default=datetime.isoformat, ensure_ascii=True)
        index = os.open(self.folder.path / _INDEX, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(index, f"{line}\n".encode("ascii"))
        finally:
            os.close(index)


class _Unruly(_Receiver):
    """A handler that misbehaves by a rule, the same way for the same mails."""

    def __init__(self, folder: MailFolder, chaos: Chaos) -> None:
        super().__init__(folder)
        self.chaos = chaos
        self.offers: Counter[str] = Counter()

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        fault = self.chaos.fault(address, self.offers[address])
        if fault is not None and fault.stage is Stage.RCPT:
            refusal = await _committed(fault, server)
            if refusal:
                self.offers[address] += 1
                return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        address = envelope.rcpt_tos[0]
        fault = self.chaos.fault(address, self.offers[address])
        self.offers[address] += 1
        if fault is None or fault.stage is not Stage.DOT:
            return self.filed(envelope)
        if fault.filed:
            self.filed(envelope)
        return await _committed(fault, server) or self.filed(envelope)


async def _committed(fault: Fault, server: SMTP) -> str:
    """The reply that the fault consists of, "" for the usual one, late or not."""
    await asyncio.sleep(fault.wait_s)
    if fault.wrong is Wrong.DROP and isinstance(server.transport, asyncio.Transport):
        server.transport.abort()
        return "421 4.4.2 nobody hears this"
    return fault.reply


def subject_of(content: bytes) -> str:
    """The decoded subject, or "". Never raises: anybody on this machine can send here."""
    head = content[:_HEAD_LIMIT].partition(b"\r\n\r\n")[0]
    found = _SUBJECT.search(head)
    if found is None:
        return ""
    raw = found[1].replace(b"\r\n", b"").decode("utf-8", "replace")
    try:
        return str(make_header(decode_header(raw)))
    except (MessageError, LookupError, ValueError):
        return raw


def _index(folder: Path) -> Iterator[InboxMail]:
    """The envelopes noted down; a line cut short by a crash is passed over."""
    try:
        lines = (folder / _INDEX).read_text("ascii", "replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            noted = json.loads(line)
            noted["received_at"] = datetime.fromisoformat(noted["received_at"])
            yield InboxMail(**noted)
        except (ValueError, TypeError, KeyError):
            continue


def _whole(folder: Path) -> Iterator[str]:
    """The keys of mails whose content is all there: a writer reserves its key with an empty
    file."""
    for key in keys(folder):
        if _size(folder, key):
            yield key


def _without_envelope(folder: Path, key: str) -> InboxMail:
    return InboxMail(key=key, size=_size(folder, key))


def _size(folder: Path, key: str) -> int:
    try:
        return (folder / f"{key}.eml").stat().st_size
    except FileNotFoundError:
        return 0
