"""One SQLite file: where it is, who may read it, and how a transaction is run on it.

The door of the store: every sqlite3 exception becomes a StoreError here. A connection may be
shared by threads: one transaction at a time, in the order they ask. Knows no table.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any

from newsletter.errors import StoreError
from newsletter.store.migrate import migrate, shipped
from newsletter.store.rows import Row

OLDEST_SQLITE = (3, 37, 0)  # STRICT tables
BUSY_TIMEOUT_MS = 30_000
# 8 MB of page cache: freezing a million rows takes 8 s with it (6 s with 32 MB) at 40 MB resident.
PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    # A commit survives a power failure too. Sends commit in groups, so it costs them nothing.
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -8192",
)
# How old an answer to "has anybody written?" may be: asking costs 4 us and the interpreter's lock,
# a mail about 100.
GLANCE_S = 0.01
Parameters = tuple[Any, ...] | dict[str, Any]


def path_of(url: str) -> Path:
    """The file behind `sqlite:PATH` or `sqlite:///ABSOLUTE/PATH`. Raises StoreError."""
    scheme, _, rest = url.partition(":")
    path = rest.removeprefix("//")
    if scheme != "sqlite" or not path or path.startswith(":memory:") or "\0" in path:
        raise StoreError(
            f"no store for {scheme + ':' if scheme else 'an empty url'}",
            hint="supported: sqlite:PATH, such as sqlite:.newsletter/newsletter.db",
            code="store.url",
        )
    return Path(path)


class Database:
    """An open file with the schema of this code."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self.lock = RLock()
        self._version = (0, 0)
        self._look_at = 0.0

    @classmethod
    def open(cls, path: Path) -> Database:
        """The database, created (0600 in a folder of 0700) and migrated when needed."""
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise StoreError(
                f"SQLite {sqlite3.sqlite_version} is too old, 3.37 is needed",
                hint="use a newer Python",
            )
        try:
            _create(path)
            _refuse_if_public(path)
        except OSError as error:
            raise StoreError(f"cannot open: {error.strerror}", path=path) from error
        with translated(path):
            # Autocommit: BEGIN and COMMIT stand in our own code, where they can be read.
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                for pragma in PRAGMAS:
                    connection.execute(pragma)
                migrate(connection, shipped())  # with foreign keys off: one replaces a table
                connection.execute("PRAGMA foreign_keys = ON")
                # Only now: a database that was refused stays as it was.
                connection.execute("PRAGMA journal_mode = WAL")
            except BaseException:
                connection.close()
                raise
        return cls(path, connection)

    def close(self) -> None:
        with self.lock, translated(self.path):
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, with the write lock from the start: a reader that becomes a writer could
        find its snapshot gone. Inside another transaction it is a savepoint."""
        with self.lock, translated(self.path):
            nested = self._connection.in_transaction
            self._connection.execute("SAVEPOINT verb" if nested else "BEGIN IMMEDIATE")
            try:
                yield
                # A COMMIT that fails leaves the transaction open: what follows would join it.
                self._connection.execute("RELEASE verb" if nested else "COMMIT")
            except BaseException:
                self._undo(nested=nested)
                raise

    @contextmanager
    def hasty_transaction(self) -> Iterator[None]:
        """A transaction that a power failure may undo; a killed process does not."""
        with self.lock:
            self.write("PRAGMA synchronous = NORMAL")
            try:
                with self.transaction():
                    yield
            finally:
                self.write("PRAGMA synchronous = FULL")

    @contextmanager
    def changing_people(self) -> Iterator[None]:
        """A transaction after which `version` is another one."""
        with self.transaction():
            yield
            elsewhere, people = self._version
            self._version = (elsewhere, people + 1)

    def version(self) -> tuple[int, int]:
        """Differs from an earlier one when this connection has changed people since, or another
        one has written anything; of that it learns within GLANCE_S."""
        now = time.monotonic()
        if now >= self._look_at:
            row = self.row("PRAGMA data_version")
            self._version = (row[0] if row else 0, self._version[1])
            self._look_at = now + GLANCE_S
        return self._version

    def look_again(self) -> None:
        """Have the next `version` ask anew."""
        self._look_at = 0.0

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Several queries on one snapshot. Inside a transaction it is that transaction's."""
        with self.lock, translated(self.path):
            nested = self._connection.in_transaction
            if not nested:
                self._connection.execute("BEGIN")
            try:
                yield
            finally:
                if not nested:
                    self._connection.execute("COMMIT")

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """A transaction that always ends undone."""
        with self.lock, translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                self._undo(nested=False)

    def _undo(self, *, nested: bool) -> None:
        # SQLite rolls back by itself when the disk is full (SQLITE_FULL, SQLITE_IOERR).
        if not self._connection.in_transaction:
            return
        if nested:
            self._connection.execute("ROLLBACK TO verb")
            self._connection.execute("RELEASE verb")
        else:
            self._connection.execute("ROLLBACK")

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        with self.lock, translated(self.path):
            return self._connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Parameters = ()) -> Row | None:
        rows = self.rows(sql, parameters)
        return rows[0] if rows else None

    def write(self, sql: str, parameters: Parameters = ()) -> int:
        """How many rows the statement changed. Outside a transaction it commits by itself."""
        with self.lock, translated(self.path):
            return self._connection.execute(sql, parameters).rowcount

    def write_many(self, sql: str, parameters: Iterable[Parameters]) -> int:
        """How many rows changed in all; only within a transaction."""
        with self.lock, translated(self.path):
            return self._connection.executemany(sql, parameters).rowcount


class translated:  # noqa: N801 - read as a verb: `with translated(path)`
    """Every sqlite3 exception, as a StoreError that never repeats a value. A class, since a
    generator costs 2 us and a mail passes here six times."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, sqlite3.Error):
            message = str(error) or type(error).__name__
            raise StoreError(message, path=self._path, hint=_hint(message)) from error


def _hint(message: str) -> str | None:
    if "locked" in message:
        return "another process has been writing for half a minute: try again when it is done"
    if "not a database" in message or "malformed" in message:
        return "restore a backup, or name another file in [database] url"
    if "full" in message:
        return "make room on the disk; nothing was half written"
    return None


def _create(path: Path) -> None:
    """An empty file of mode 0600, whatever the umask; SQLite gives -wal and -shm the same mode."""
    if path.is_dir():
        raise StoreError("a folder, not a database", path=path, code="store.url")
    if path.exists():
        return
    _create_folder(path.absolute().parent)
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was faster
        return
    os.close(file)


def _create_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return


def _refuse_if_public(path: Path) -> None:
    """Raises StoreError when everybody on this machine could read the list (deliverability 7.37).
    Windows has no such bits."""
    if os.name == "nt":
        return
    for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o007:
            raise StoreError(
                "everybody on this machine can read the subscribers",
                path=file,
                hint=f"chmod 600 {file}",
                code="store.public",
            )
