"""The journal of a sender: what its next one may believe, after a kill and after a power cut."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import StoreError
from newsletter.model import Delivery, DeliveryState, Offer, Reply, Stage
from newsletter.store import Store, journal, open_store, window
from newsletter.store.handover import DIED, POWER_CUT
from newsletter.store.journal import SIZE_BYTES, Journal
from tests.stores import NOW, readers, sending, states, taken

BEGUN = ((1, 2, 3), (4, 5))


def written(path: Path, *entries: journal.Entry) -> Path:
    made = Journal.open(path)
    for entry in entries:
        write(made, *entry)
    made.close()
    return path


def write(made: Journal, *entry: object) -> None:
    begun, *outcomes = map(journal.written, entry)
    made.write(begun, outcomes)


def entries(path: Path) -> list[list[object]]:
    found = journal.read(path)
    assert found is not None
    return [json.loads(json.dumps(entry)) for entry in found.entries]


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    path = written(tmp_path / "j", BEGUN, (None, (6,)))
    assert entries(path) == [[[1, 2, 3], [4, 5]], [None, [6]]]
    assert path.stat().st_size == SIZE_BYTES
    assert path.stat().st_mode & 0o077 == 0


def test_no_file_is_no_journal(tmp_path: Path) -> None:
    assert journal.read(tmp_path / "j") is None


@pytest.mark.parametrize("octets", [b"", bytes(100), bytes(SIZE_BYTES), b'["boo'])
def test_a_journal_killed_in_the_making_says_that_nothing_had_begun(
    tmp_path: Path, octets: bytes
) -> None:
    (tmp_path / "j").write_bytes(octets)
    assert journal.read(tmp_path / "j") is None


def test_a_journal_that_forgot_its_entries_still_knows_its_boot(tmp_path: Path) -> None:
    made = Journal.open(tmp_path / "j")
    write(made, *BEGUN)
    made.clear()
    assert journal.read(made.path) == ([], True)
    write(made, None)
    made.close()
    assert entries(made.path) == [[None]]


def test_more_than_there_was_room_for_makes_it_longer(tmp_path: Path) -> None:
    made = Journal.open(tmp_path / "j")
    for _ in range(3):
        write(made, None, ("x" * (SIZE_BYTES // 2),))
    assert [entry[0] for entry in entries(made.path)] == [None] * 3
    made.clear()
    assert entries(made.path) == []
    made.close()


def test_a_sender_that_was_given_up_does_not_die_of_the_next_ones_journal(tmp_path: Path) -> None:
    first = Journal.open(tmp_path / "j")
    write(first, *BEGUN)
    second = Journal.open(tmp_path / "j")
    write(first, None)
    write(second, None, (6,))
    assert entries(tmp_path / "j") == [[None, [6]]]
    first.close()
    second.close()


@given(st.sets(st.integers(0, 25), min_size=1))
def test_an_entry_that_was_not_wholly_copied_is_none(holes: set[int]) -> None:
    with TemporaryDirectory() as folder:
        path = written(Path(folder) / "j", BEGUN, (None, (6,)))
        octets = bytearray(path.read_bytes())
        first = octets.index(b"[[")
        for hole in holes:
            octets[first + hole] = 0
        path.write_bytes(octets)
        whole = octets[first : first + min(holes)].count(b"\n")
        assert entries(path) == [[[1, 2, 3], [4, 5]], [None, [6]]][:whole]


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_last_line_that_is_torn_is_no_entry(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path / "j", BEGUN)
    octets = path.read_bytes().rstrip(b"\0")
    path.write_bytes(octets[:-cut].ljust(SIZE_BYTES, b"\0"))
    assert entries(path) == []
    path.write_bytes(octets[:-cut])
    assert entries(path) == []


def test_another_boot_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "j", BEGUN)
    monkeypatch.setattr(journal, "boot_id", lambda: "another")
    assert journal.read(path) == ([([1, 2, 3], [4, 5])], False)


CUT_SHORT = """
import resource, sys
from pathlib import Path
from newsletter.errors import StoreError
from newsletter.model import DeliveryState
from newsletter.store.journal import SIZE_BYTES, Journal
path, limit, early = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "early"
try:
    if early:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    made = Journal.open(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    made.write("null", ["x" * SIZE_BYTES])
except StoreError as error:
    print(error.code, path.exists())
"""


@pytest.mark.parametrize(("when", "left"), [("early", "False"), ("late", "True")])
def test_a_write_that_is_cut_short_is_an_error(tmp_path: Path, when: str, left: str) -> None:
    command = [sys.executable, "-c", CUT_SHORT, str(tmp_path / "j"), "100", when]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["store.journal", left]


# what the next sender makes of it


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "newsletter.db"


def dead_sender(path: Path) -> Store:
    """A store that was left in the middle of a send: ada is answered, ben's content was on its way,
    cy was claimed."""
    store = open_store(f"sqlite:{path}")
    readers(store, "ada", "ben", "cy")
    send = sending(store)
    ada, ben, _ = store.claim(send.id, 3, NOW)
    store.begin(ada, NOW)
    store.begin(ben, NOW, [taken(ada)])
    return store


def in_doubt(path: Path) -> list[list[str]]:
    """To which relay and as what those in doubt were offered, as another process finds them."""
    script = (
        "import sys, json\n"
        "from newsletter.store import open_store\n"
        "from tests.stores import NOW\n"
        "with open_store(sys.argv[1]) as store, store.sender_lock(1):\n"
        "    store.recover(1, NOW)\n"
        "    rows = store.deliveries(1, 'unknown')\n"
        "    print(json.dumps([[row.relay, row.message_id] for row in rows]))\n"
    )
    command = [sys.executable, "-c", script, f"sqlite:{path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


def recovered(path: Path) -> tuple[dict[str, str], set[str]]:
    """The states that another process finds, and the reasons of those in doubt."""
    script = (
        "import sys, json\n"
        "from newsletter.store import open_store\n"
        "from tests.stores import NOW, states\n"
        "with open_store(sys.argv[1]) as store, store.sender_lock(1):\n"
        "    store.recover(1, NOW)\n"
        "    doubt = sorted({row.reason for row in store.deliveries(1, 'unknown')})\n"
        "    print(json.dumps([states(store, 1), doubt]))\n"
    )
    command = [sys.executable, "-c", script, f"sqlite:{path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found, doubt = json.loads(done.stdout)
    return found, set(doubt)


def test_after_a_kill_only_what_had_begun_is_in_doubt(path: Path) -> None:
    dead = dead_sender(path)
    found, doubt = recovered(path)
    assert found == {"ada": "accepted", "ben": "unknown", "cy": "pending"}
    assert doubt == {DIED}
    del dead


def test_a_row_in_doubt_names_the_relay_it_was_offered_to_and_its_message_id(path: Path) -> None:
    store = open_store(f"sqlite:{path}")
    readers(store, "ada", "ben")
    send = sending(store)
    ada, ben = store.claim(send.id, 2, NOW)
    store.begin(ada, NOW, offer=Offer("first"))
    store.begin(ben, NOW, [taken(ada)._replace(relay="first")], Offer("second", "b@example.com"))
    assert in_doubt(path) == [["second", "b@example.com"]]
    del store


def test_after_a_power_cut_nobody_tells_the_relay_of_a_mail_that_may_not_have_left(
    path: Path,
) -> None:
    store = open_store(f"sqlite:{path}")
    readers(store, "ada")
    send = sending(store)
    [ada] = store.claim(send.id, 1, NOW)
    store.record(ada._replace(state=DeliveryState.DEFERRED, reason="later", relay="earlier"), NOW)
    [ada] = store.claim(send.id, 1, NOW)
    assert ada.relay == "earlier"
    path.with_name(f"{path.name}-send-1.journal").write_bytes(b'["boot","earlier"]\n')
    assert in_doubt(path) == [["", ""]]
    del store


def test_the_journal_of_a_version_that_knew_no_relay_is_recovered(path: Path) -> None:
    store = open_store(f"sqlite:{path}")
    readers(store, "ada", "ben", "cy")
    send = sending(store)
    for row in store.claim(send.id, 3, NOW):
        assert row.attempts == 1
    at_us = 1_795_336_215_123_456
    made = Journal.open(path.with_name(f"{path.name}-send-1.journal"))
    write(made, (at_us, 1, 1, 1))
    yes = ("accepted", "", "a@example.com", "dot", 250, "2.0.0", "queued", None, 0, at_us, 1, 1, 1)
    write(made, (at_us, 1, 2, 1), yes)
    made.close()
    assert recovered(path) == ({"ada": "accepted", "ben": "unknown", "cy": "pending"}, {DIED})
    del store


@pytest.mark.parametrize("entry", [((1, 2, 3),), (None, (1, 2))])
def test_the_journal_of_any_other_version_is_refused_and_kept(
    path: Path, entry: journal.Entry
) -> None:
    store = open_store(f"sqlite:{path}")
    readers(store, "ada")
    send = sending(store)
    store.claim(send.id, 1, NOW)
    left = written(path.with_name(f"{path.name}-send-1.journal"), entry)
    with pytest.raises(StoreError, match="another version"):
        store.recover(send.id, NOW)
    assert left.exists()
    assert states(store, send.id) == {"ada": "claimed"}


def test_after_a_power_cut_all_that_was_claimed_and_not_recorded_is_in_doubt(path: Path) -> None:
    dead = dead_sender(path)
    left = path.with_name(f"{path.name}-send-1.journal")
    boot, _, rest = left.read_bytes().partition(b"\n")
    earlier = json.dumps(["boot", "0" * 36], separators=(",", ":")).encode()
    assert len(earlier) == len(boot)
    left.write_bytes(earlier + b"\n" + rest)
    found, doubt = recovered(path)
    assert found == {"ada": "accepted", "ben": "unknown", "cy": "unknown"}
    assert doubt == {POWER_CUT}
    del dead


def test_after_a_power_cut_with_an_empty_journal_of_that_boot_they_are_in_doubt_too(
    path: Path,
) -> None:
    dead = dead_sender(path)
    left = path.with_name(f"{path.name}-send-1.journal")
    left.write_bytes(b'["boot","earlier"]\n' + bytes(1000))
    found, _ = recovered(path)
    assert found == {"ada": "unknown", "ben": "unknown", "cy": "unknown"}
    del dead


def test_a_kill_while_the_journal_is_made_leaves_nobody_in_doubt(path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from newsletter.store import open_store\n"
        "from newsletter.store.journal import Journal\n"
        "from tests.stores import NOW, readers, sending\n"
        "store = open_store(sys.argv[1])\n"
        "readers(store, 'ada', 'ben')\n"
        "send = sending(store)\n"
        "ada, ben = store.claim(send.id, 2, NOW)\n"
        "Journal.__init__ = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "store.begin(ada, NOW)\n"
    )
    command = [sys.executable, "-c", script, f"sqlite:{path}"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert recovered(path) == ({"ada": "pending", "ben": "pending"}, set())


def test_a_journal_that_cannot_be_made_stops_the_mail_and_not_the_ledger(path: Path) -> None:
    store = open_store(f"sqlite:{path}")
    readers(store, "ada")
    send = sending(store)
    [ada] = store.claim(send.id, 1, NOW)
    os.mkdir(path.with_name(f"{path.name}-send-1.journal"))  # noqa: PTH102
    with pytest.raises(StoreError, match="journal"):
        store.begin(ada, NOW)
    assert states(store, send.id) == {"ada": "claimed"}


def test_a_begin_that_fails_keeps_the_answers_it_was_given(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(f"sqlite:{path}") as store:
        readers(store, "ada", "ben")
        send = sending(store)
        ada, ben = store.claim(send.id, 2, NOW)
        store.begin(ada, NOW)
        with monkeypatch.context() as broken:
            full = next(iter(vars(store)["_windows"].values())).journal
            broken.setattr(full, "used", SIZE_BYTES)
            broken.setattr(os, "pwrite", lambda *_: 0)
            with pytest.raises(StoreError, match="journal"):
                store.begin(ben, NOW, [taken(ada)])
        store.record_all([taken(ada)], NOW)
        assert states(store, send.id) == {"ada": "accepted", "ben": "claimed"}


TEXTS = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=40)


@given(TEXTS, st.sampled_from(Stage), st.sampled_from(DeliveryState), st.booleans())
def test_what_is_written_of_an_outcome_is_all_of_it_or_what_begin_has_not_said(
    text: str, stage: Stage, state: DeliveryState, begun: bool
) -> None:
    person = Delivery(1, 2, "p@example.com", "", state, {}, attempts=3, updated_at=NOW)
    row = person._replace(relay="main", message_id=text, reply=Reply(stage, 250, "2.0.0", text))
    for offer in ((text, text, 9, 1, 2, 3), ("main", text, 9, 1, 2, 3)):
        found = json.loads(window.entry_text(row, offer if begun else None, 17))
        short = begun and offer[0] == "main" and state == "accepted" and stage == "dot"
        whole = list(window.outcome_of(row, 17))
        assert found == ([250, "2.0.0", text, 17, 1, 2, 3] if short else whole)


def test_a_mail_taken_is_recovered_as_it_would_have_been_recorded(path: Path) -> None:
    store = open_store(f"sqlite:{path}")
    readers(store, "ada", "ben", "cy")
    send = sending(store)
    ada, ben, cy = store.claim(send.id, 3, NOW)
    offers = [Offer("main", f"{name}@example.org") for name in ("ada", "ben", "cy")]
    said = Reply(Stage.DOT, 250, "2.0.0", 'queued as "4F\\"')
    done = [
        row._replace(state=DeliveryState.ACCEPTED, relay=to, message_id=name, reply=said)
        for row, (to, name) in zip((ada, ben), offers, strict=False)
    ]
    store.begin(ada, NOW, (), offers[0])
    store.begin(ben, NOW, done[:1], offers[1])
    left = path.with_name(f"{path.name}-send-1.journal").read_bytes()
    assert left.count(b"ada@example.org") == 1
    store.record_all(done[1:], NOW)
    recorded = list(store.deliveries(send.id))
    with closing(sqlite3.connect(path)) as ledger, ledger:
        ledger.execute(
            "UPDATE delivery SET state = 'claimed', relay = '', message_id = '', "
            "reply_stage = NULL, reply_code = NULL, reply_status = NULL, reply_text = NULL "
            "WHERE subscriber_id = ?",
            (ada.subscriber_id,),
        )
    path.with_name(f"{path.name}-send-1.journal").write_bytes(left)
    assert recovered(path)[0] == {"ada": "accepted", "ben": "accepted", "cy": "pending"}
    with open_store(f"sqlite:{path}") as later:
        again = list(later.deliveries(send.id))
    assert again[:2] == recorded[:2]
    del store, cy
