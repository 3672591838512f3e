"""The SQLite file: who may read it, what it refuses to open, what survives."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from newsletter.errors import AudienceError, StoreError
from newsletter.store import Merge, open_store
from newsletter.store.database import Database, path_of
from newsletter.store.migrate import Migration, migrate, shipped, statements
from tests.stores import NEW, NOW, SUPPRESSED, reader, readers, sending, states

# --- the file ------------------------------------------------------------------------------------


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def database(tmp_path: Path) -> Path:
    return tmp_path / "state" / "letter.db"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_attack_37_files_are_0600_in_a_folder_of_0700_whatever_the_umask(
    tmp_path: Path, umask: int
) -> None:
    path = database(tmp_path)
    before = os.umask(umask)
    try:
        with open_store(f"sqlite:{path}") as store:
            readers(store, "ada")
            with store.sender_lock(store.freeze(NEW, NOW).id):
                files = {file.name: mode(file) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert set(files) == {
        "letter.db",
        "letter.db-wal",
        "letter.db-shm",
        "letter.db-send-1.lock",
    }
    assert set(files.values()) == {0o600}
    assert mode(path.parent) == 0o700


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
def test_attack_37_a_database_everybody_can_read_is_refused(tmp_path: Path) -> None:
    path = database(tmp_path)
    open_store(f"sqlite:{path}").__exit__(None, None, None)
    path.chmod(0o644)
    with pytest.raises(StoreError, match="everybody on this machine") as refused:
        open_store(f"sqlite:{path}")
    assert refused.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:letter.db", "letter.db"),
        ("sqlite:.newsletter/letter.db", ".newsletter/letter.db"),
        ("sqlite:/srv/letter.db", "/srv/letter.db"),
        ("sqlite:///srv/letter.db", "/srv/letter.db"),
    ],
)
def test_a_url_names_a_file(url: str, path: str) -> None:
    assert path_of(url) == Path(path)


@pytest.mark.parametrize(
    "url", ["", "sqlite:", "sqlite://", "letter.db", "mysql://me:secret@host/x", "sqlite::memory:"]
)
def test_any_other_url_is_refused_and_its_password_not_repeated(url: str) -> None:
    with pytest.raises(StoreError, match="supported: sqlite:PATH") as refused:
        open_store(url)
    assert "secret" not in str(refused.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_bytes(b"This is a letter, not a database.\n" * 50)
    path.chmod(0o600)
    with pytest.raises(StoreError, match="not a database") as refused:
        open_store(f"sqlite:{path}")
    assert refused.value.hint is not None


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="a folder, not a database"):
        open_store(f"sqlite:{tmp_path}")


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the way")
    with pytest.raises(StoreError):
        open_store(f"sqlite:{database(tmp_path)}")


def test_the_database_of_another_program_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmark (url TEXT)")
    path.chmod(0o600)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        open_store(f"sqlite:{path}")
    assert path.read_bytes() == before


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    path = database(tmp_path)
    open_store(f"sqlite:{path}").__exit__(None, None, None)
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("INSERT INTO schema_version VALUES (9999, 'of_the_future')")
    with pytest.raises(StoreError, match="schema 9999"):
        open_store(f"sqlite:{path}")


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as raw:
        good = Migration(1, "good", "CREATE TABLE a (b TEXT);")
        bad = Migration(2, "bad", "CREATE TABLE c (d TEXT); INSERT INTO nowhere VALUES (1);")
        with pytest.raises(sqlite3.Error):
            migrate(raw, [good, bad])
        assert raw.execute("SELECT version, name FROM schema_version").fetchall() == [(1, "good")]
        names = {name for (name,) in raw.execute("SELECT name FROM sqlite_master")}
        assert names == {"a", "schema_version"}
        assert migrate(raw, [good]) == 0


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [step.version for step in shipped()] == list(range(1, len(shipped()) + 1))


def test_a_script_is_split_at_its_statements() -> None:
    sql = "CREATE TABLE a (b TEXT); -- one; two\nCREATE TRIGGER t BEFORE UPDATE ON a BEGIN\n"
    sql += "SELECT ';'; SELECT 2; END;\nSELECT 3;\n-- the end"
    assert len(list(statements(sql))) == 3


def test_processes_that_start_at_once_share_one_migration(tmp_path: Path) -> None:
    script = "import sys; from newsletter.store import open_store; open_store(sys.argv[1])"
    command = [sys.executable, "-c", script, f"sqlite:{database(tmp_path)}"]
    starters = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    assert [(one.communicate()[1], one.returncode) for one in starters] == [(b"", 0)] * 4


def test_a_commit_that_fails_leaves_no_transaction_for_others_to_join(tmp_path: Path) -> None:
    def tag_a_stranger(store: Database) -> None:
        with store.transaction():
            store.write("PRAGMA defer_foreign_keys = ON")
            store.write("INSERT INTO tag (subscriber_id, tag) VALUES (99, 'vip')")

    with closing(Database.open(database(tmp_path))) as opened:
        with pytest.raises(StoreError, match="FOREIGN KEY"):
            tag_a_stranger(opened)
        opened.write("INSERT INTO suppression VALUES (zeroblob(32), 'manual', 0)")
        with closing(Database.open(database(tmp_path))) as other:
            assert other.rows("SELECT reason FROM suppression") == [("manual",)]


def test_the_consent_log_is_append_only(tmp_path: Path) -> None:
    path = database(tmp_path)
    with open_store(f"sqlite:{path}") as store:
        readers(store, "ada")
    with closing(sqlite3.connect(path)) as raw:
        for sql in ("DELETE FROM event", "UPDATE event SET at = 0"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                raw.execute(sql)


def test_a_suppression_outlives_the_person(tmp_path: Path) -> None:
    path = database(tmp_path)
    with open_store(f"sqlite:{path}") as store:
        store.add(reader("ada", SUPPRESSED, "complaint"), NOW)
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("PRAGMA foreign_keys = ON")
        raw.execute("DELETE FROM subscriber")
        assert b"ada" not in b"".join(
            raw.execute("SELECT address_hash FROM suppression").fetchone()
        )
    with open_store(f"sqlite:{path}") as store:
        assert store.merge(reader("ADA"), NOW) is Merge.KEPT
        with pytest.raises(AudienceError, match="suppressed: complaint"):
            store.add(reader("ada"), NOW)
        assert not list(store.subscribers())


def test_an_erased_person_is_skipped_at_the_claim(tmp_path: Path) -> None:
    path = database(tmp_path)
    with open_store(f"sqlite:{path}") as store:
        readers(store, "ada")
        send = sending(store)
        with closing(sqlite3.connect(path)) as raw, raw:
            raw.execute("DELETE FROM subscriber")
        assert store.claim(send.id, 1, NOW) == []
        assert store.reasons(send.id) == {"erased": 1}


def test_a_tampered_email_is_noticed(tmp_path: Path) -> None:
    path = database(tmp_path)
    with open_store(f"sqlite:{path}") as store:
        store.freeze(NEW, NOW)
        with closing(sqlite3.connect(path)) as raw, raw:
            raw.execute("UPDATE send SET email = replace(email, 'Sleep', 'Sheep')")
        with pytest.raises(StoreError, match="does not match its content hash"):
            store.sends()


def test_claims_records_and_refusals_search_by_key(tmp_path: Path) -> None:
    from newsletter.store.handover import BEGIN, CLAIM, DUE, RECORD, TAKEN, WAITING
    from newsletter.store.people import SKIP_QUEUED

    path = database(tmp_path)
    open_store(f"sqlite:{path}").__exit__(None, None, None)
    with closing(sqlite3.connect(path)) as raw:
        for sql in (BEGIN, CLAIM, DUE, RECORD, SKIP_QUEUED, TAKEN, WAITING):
            asked = dict.fromkeys(("send", "subscriber", "now", "limit", "who"), 1)
            bound = asked if ":" in sql else (1,) * sql.count("?")
            plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}", bound)]
            assert not any("SCAN delivery" in step or "SCAN subscriber" in step for step in plan)
            assert not any("TEMP B-TREE" in step for step in plan)


def test_what_was_committed_survives_kill_9(tmp_path: Path) -> None:
    path = database(tmp_path)
    with open_store(f"sqlite:{path}") as store:
        readers(store, "ada", "ben")
        send = sending(store)
    script = (
        "import os, sys\n"
        "from datetime import datetime, UTC\n"
        "from newsletter.store import open_store\n"
        "store = open_store(sys.argv[1])\n"
        "with store.sender_lock(1):\n"
        "    ada, ben = store.claim(1, 2, datetime.now(UTC))\n"
        "    store.begin(ada, datetime.now(UTC))\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    dead = subprocess.run([sys.executable, "-c", script, f"sqlite:{path}"], check=False)
    assert dead.returncode == -9
    with open_store(f"sqlite:{path}") as store, store.sender_lock(send.id):
        assert store.recover(send.id, NOW) == 1
        assert states(store, send.id) == {"ada": "unknown", "ben": "pending"}
