"""The store in one SQLite file: the embedded database of a publication on one machine.

The verbs are in `people`, `sends`, `ledger`, `handover`, `doubts`, `tallies` and `turns`; its file
in `database`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from newsletter.store.database import Database, path_of
from newsletter.store.doubts import Doubts
from newsletter.store.people import People
from newsletter.store.sends import Sends
from newsletter.store.tallies import Tallies
from newsletter.store.throttle import Throttle
from newsletter.store.turns import Turns


class SQLiteStore(People, Sends, Doubts, Tallies, Turns, Throttle):
    """Subscribers, sends and deliveries in one file. Threads may share it."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._windows = {}

    @classmethod
    def open(cls, url: str) -> Self:
        """The store behind `sqlite:PATH`, created and migrated when needed. Raises StoreError."""
        return cls(Database.open(path_of(url)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._close_windows()
        finally:
            self._db.close()

    def rehearsal(self) -> AbstractContextManager[None]:
        return self._db.rehearsal()
