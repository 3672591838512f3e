"""The schema, brought up to date.

Enters a connection in autocommit mode; leaves it with every `migrations/NNNN_name.sql` applied,
each file in one transaction together with its record in `schema_version`. Refuses a database that
is newer than this code, or another program's. Knows nothing of what the tables mean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

from newsletter.errors import StoreError

SCHEMA_VERSION = """
CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER PRIMARY KEY,
    name    TEXT NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file of SQL."""

    version: int
    name: str
    sql: str


def shipped() -> list[Migration]:
    """The migrations that travel with the package, in order."""
    folder = resources.files("newsletter.store") / "migrations"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    return [_migration(file.name, file.read_text(encoding="utf-8")) for file in files]


def _migration(file_name: str, sql: str) -> Migration:
    number, _, name = file_name.removesuffix(".sql").partition("_")
    return Migration(int(number), name, sql)


def migrate(connection: sqlite3.Connection, migrations: list[Migration]) -> int:
    """How many migrations were applied. Safe when several processes start at once: each step
    looks again once it holds the write lock."""
    known = max((migration.version for migration in migrations), default=0)
    found = _version(connection)
    if found > known:
        raise StoreError(
            f"the database has schema {found}, this newsletter knows {known}",
            hint="use the newer newsletter that wrote it, or restore a backup",
            code="store.newer",
        )
    pending = [migration for migration in migrations if migration.version > found]
    return sum(_apply(connection, migration) for migration in pending)


def _version(connection: sqlite3.Connection) -> int:
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if "schema_version" in names:
        row = connection.execute("SELECT max(version) FROM schema_version").fetchone()
        return int(row[0] or 0)
    if names:
        raise StoreError(
            "this SQLite database belongs to another program",
            hint="name another file in [database] url",
            code="store.foreign",
        )
    return 0


def _apply(connection: sqlite3.Connection, migration: Migration) -> bool:
    """False when another process was faster."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(SCHEMA_VERSION)
        done = _version(connection) >= migration.version
        if not done:
            for statement in statements(migration.sql):
                connection.execute(statement)
            connection.execute(
                "INSERT INTO schema_version (version, name) VALUES (?, ?)",
                (migration.version, migration.name),
            )
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
    return not done


def statements(sql: str) -> Iterator[str]:
    """The statements of a script, one by one: `executescript` would commit before it starts."""
    start = 0
    while (end := sql.find(";", start)) >= 0:
        while not sqlite3.complete_statement(sql[start : end + 1]):
            end = sql.find(";", end + 1)
            if end < 0:
                raise StoreError("a migration ends in the middle of a statement")
        yield sql[start : end + 1].strip()
        start = end + 1
