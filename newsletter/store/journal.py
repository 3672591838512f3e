"""What a sender must not forget between two commits: one small file beside the database.

A mail costs one copy into it before its content leaves, instead of a transaction of the database:
the file is mapped, as SQLite maps the index of its own log beside it. An entry is a line of JSON:
the mail that begins (or null) and the outcomes of those answered before it, each as the parameters
of the statement that says so to the database. The file is allocated when it is made and then
overwritten in place, so that a disk that fills up later stops the next mail and loses no answer.
A process may be killed at any moment; what was written is there (the kernel has it), and an entry
that was not wholly copied has a NUL where octets are missing. After a power failure what was
written may not be there: the first line names the boot it belongs to, and whoever reads it later
under another one must believe nothing that is missing.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from newsletter.errors import StoreError

SIZE_BYTES = 1 << 20
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# What a row, or a word of it, is in an entry: JSON in ASCII without a blank.
written = json.JSONEncoder(separators=(",", ":")).encode

Entry = tuple[Any, ...]


class Contents(NamedTuple):
    """The whole entries of a journal, in order, and whether they were written since the last
    start of this machine."""

    entries: list[Entry]
    this_boot: bool


class Journal:
    """The journal of one sender, open for writing. Not to be shared by two processes. `used` of its
    SIZE_BYTES hold entries; more of them would make the file longer."""

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self._file = file
        self._map = mmap.mmap(file, SIZE_BYTES)
        self.used = self._first = os.pwrite(file, f"{written(('boot', boot_id()))}\n".encode(), 0)

    @classmethod
    def open(cls, path: Path) -> Journal:
        """A new, empty journal of mode 0600 with its room on the disk taken. Raises StoreError."""
        try:
            file = _new_file(path)
            try:
                _take_room(file)
                journal = cls(path, file)
                os.fsync(file)
                _keep_name(path.parent)
            except BaseException:
                os.close(file)
                path.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise _failed(path, error) from error
        return journal

    def write(self, begun: str, outcomes: Iterable[str] = ()) -> None:
        """Write an entry: the row that begins ("null" for none) and those that ended, as `written`
        writes them. Raises StoreError when not all of it is there."""
        octets = f"[{','.join((begun, *outcomes))}]\n".encode("ascii")
        end = self.used + len(octets)
        if end <= SIZE_BYTES:
            self._map[self.used : end] = octets
        else:
            self._lengthen(octets)
        self.used = end

    def _lengthen(self, octets: bytes) -> None:
        try:
            count = os.pwrite(self._file, octets, self.used)
        except OSError as error:
            raise _failed(self.path, error) from error
        if count != len(octets):
            raise _failed(self.path, None)

    def clear(self) -> None:
        """Forget everything: the database knows it now. Overwrites from the front, so a reader
        finds either nothing or what it may apply once more. The first line stays: without it, it
        would seem that nothing had ever begun."""
        used, self.used = self.used, self._first
        try:
            os.pwrite(self._file, bytes(used - self._first), self._first)
        except OSError as error:
            raise _failed(self.path, error) from error

    def close(self) -> None:
        """Close the file and leave it: what is in it is still to be recovered."""
        if self._file >= 0:
            self._map.close()
            os.close(self._file)
            self._file = -1


def read(path: Path) -> Contents | None:
    """What a dead sender left, or None when there is no journal with its first line, which is on
    the disk before any mail begins. A last line that was cut short is left out: its mail had not
    begun."""
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failed(path, error) from error
    entries: list[Entry] = []
    for line in octets.split(b"\0", 1)[0].split(b"\n")[:-1]:
        try:
            entries.append(tuple(json.loads(line)))
        except (ValueError, TypeError):
            break
    if not entries:  # killed while it made the file: nothing had begun
        return None
    boot = entries.pop(0)
    return Contents(entries, boot == ("boot", boot_id()))


def _new_file(path: Path) -> int:
    """A file that nobody has mapped: to shorten one would kill who has."""
    while True:
        path.unlink(missing_ok=True)
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue


def _take_room(file: int) -> None:
    """Allocate it all; a disk with too little gives what it has, without an error."""
    if os.pwrite(file, bytes(SIZE_BYTES), 0) != SIZE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file)


def _keep_name(folder: Path) -> None:
    """Have the names of the files in it survive a power failure, not only their content."""
    names = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(names)
    finally:
        os.close(names)


def boot_id() -> str:
    """Which start of this machine this is; empty where the system does not tell."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""


def _failed(path: Path, error: OSError | None) -> StoreError:
    why = error.strerror if error is not None else "the write was cut short"
    return StoreError(
        f"the journal of the send cannot be written: {why}",
        path=path,
        hint="make room on the disk; what was sent is known: newsletter resume",
        code="store.journal",
    )
