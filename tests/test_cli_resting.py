"""What a send does while nobody looks: it rests for as long as its relay said, waits out a canary
and an undo window whoever else is awake, and never lets one bad send stop the others."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.delivery.steps import rest_after
from newsletter.errors import RelayUnavailable
from newsletter.model import DeliveryState, Relay, SendState, Turn, TurnKind
from newsletter.smtp.client import SMTPTransport
from newsletter.store import Store
from tests.publication import Publication, publication
from tests.smtpd import ScriptedRelay
from tests.stores import NOW, readers, sending
from tests.test_cli_steering import (
    assert_it_sends_and_stops,
    command,
    relayed,
    state,
    until_it_says,
    wakeful_worker,
)
from tests.test_cli_steering import opened as ledger_of

pytest_plugins = ("tests.store_fixtures",)


@pytest.fixture
def letter(tmp_path: Path) -> Publication:
    made = publication(tmp_path)
    made.people(3)
    return made


def configured(letter: Publication, more: str) -> None:
    letter.write("newsletter.toml", (letter.root / "newsletter.toml").read_text("utf-8") + more)


# a relay that broke it off


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("mail", "550 5.1.8 sender refused"),
        ("greeting", "554 5.3.2 no service for you"),
        ("ehlo", "550 go away"),
    ],
)
def test_a_relay_that_refuses_us_is_not_asked_again_until_somebody_resumes(
    letter: Publication, at: str, says: str
) -> None:
    """The same password again and again locks an account."""
    with ScriptedRelay() as relay:
        relayed(letter, relay)
        relay.on(at, say=says, times=1)
        letter.run("send", "latest", "--yes", code=75)
        before = relay.connections
        assert "5.1.8" in letter.ask("tick")["sends"][0]["hold"] or at != "mail"
        letter.run("tick")
        assert relay.connections == before
        assert "held: " in letter.run("status", "latest").stdout
        letter.run("resume", "latest", code=None)
        letter.run("retry", "latest", "--deferred", code=None)
        assert state(letter)["accepted"] == 3


@pytest.mark.parametrize(
    ("says", "hours"),
    [
        ("550 5.4.5 Daily user sending quota exceeded", 24),
        ("550 Domain us.test has exceeded the max emails per hour (100/100) allowed", 1),
    ],
)
def test_an_allowance_that_is_used_up_is_waited_for(
    letter: Publication, says: str, hours: int
) -> None:
    with ScriptedRelay() as relay:
        relayed(letter, relay)
        relay.on("rcpt", say=says, times=1)
        assert "goes on " in letter.run("send", "latest", "--yes", code=75).stderr
        before = relay.connections
        letter.run("tick")
        assert relay.connections == before
        with ledger_of(letter) as store:
            [send] = store.sends()
            told = store.turns(send.id)[-1]
            assert told.kind is TurnKind.WAITING
            assert told.until == send.not_before
            assert send.not_before is not None
            assert round((send.not_before - told.at).total_seconds() / 3600) == hours
        letter.run("resume", "latest")
        assert state(letter)["accepted"] == 3, "who resumes knows better"


def test_a_relay_that_is_not_there_is_asked_again_later_and_later(store: Store) -> None:
    readers(store, "ada")
    send, now, waits = sending(store), NOW, []
    for _ in range(8):
        store.tell(send.id, Turn(kind=TurnKind.BROKEN_OFF, at=now))
        rested = rest_after(store, send.id, RelayUnavailable("nobody there"), now)
        assert rested.not_before is not None
        assert rested.hold == ""
        waits.append((rested.not_before - now).total_seconds() / 60)
        now = rested.not_before
    assert waits == [1, 2, 4, 8, 10, 10, 10, 10]
    later = now + timedelta(hours=2)
    store.tell(send.id, Turn(kind=TurnKind.BROKEN_OFF, at=later))
    rested = rest_after(store, send.id, RelayUnavailable("nobody there"), later)
    assert rested.not_before == later + timedelta(minutes=1), "what was long ago is forgotten"


# one send and the others


def test_a_send_that_cannot_go_on_does_not_stop_the_others(letter: Publication) -> None:
    configured(letter, "\n[relay.other]\npreset = 'inbox'\n")
    letter.run("send", "letter-1", "--yes", "--at", "+1s")
    letter.run("send", "letter-2", "--yes", "--at", "+1s", "--relay", "other")
    text = (letter.root / "newsletter.toml").read_text("utf-8")
    letter.write("newsletter.toml", text.replace("[relay.main]", "[relay.renamed]"))
    time.sleep(1.1)
    result = letter.run("tick", code=2)
    assert "no relay is called `main`" in result.stderr
    assert "letter-2: done" in result.stdout
    assert len(letter.inbox) == 3


def test_the_worker_reads_the_configuration_anew_and_outlives_a_slip(letter: Publication) -> None:
    good = (letter.root / "newsletter.toml").read_text("utf-8")
    letter.run("send", "latest", "--yes", "--at", "+1s")
    letter.write("newsletter.toml", good + "\n[relay.main\n")
    process = wakeful_worker(letter)
    until_it_says(process, "waiting: ")
    letter.write("newsletter.toml", good)
    until_it_says(process, "sending")
    assert_it_sends_and_stops(letter, process)


def test_a_tick_for_programs_has_the_events_of_each_send(letter: Publication) -> None:
    letter.run("send", "latest", "--yes", "--at", "+1s")
    time.sleep(1.1)
    events = letter.events("tick")
    kinds = [event.get("event") for event in events]
    assert (kinds[0], kinds[-2]) == ("started", "done")
    assert events[-2]["sent"] == 3
    assert events[-1]["sends"][0]["state"] == "done"


# the canary and the undo window


def test_ctrl_c_while_a_canary_is_watched_keeps_it_from_everybody(letter: Publication) -> None:
    configured(letter, "\n[send]\ncanary_watch_s = 2\n")
    process = command(letter, "send", "latest", "--yes", "--canary", "1")
    until_it_says(process, "the canary is out to 1")
    process.send_signal(signal.SIGINT)
    until_it_says(process, "nobody but the canary has got it")
    assert process.wait(20) == 5
    time.sleep(2.1)
    assert letter.ask("tick")["sends"][0]["hold"] == "stopped by hand"
    assert len(letter.inbox) == 1
    letter.run("resume", "latest")
    assert len(letter.inbox) == 3


@pytest.mark.usefixtures("relay_soon_back")
def test_a_canary_that_was_paused_goes_on_as_a_canary(letter: Publication) -> None:
    """Only who resumes one that went badly has decided about everybody."""
    with ScriptedRelay() as relay:
        relayed(letter, relay)
        relay.on("greeting", say="421 4.3.2 later", times=4)
        letter.run("send", "latest", "--yes", "--canary", "1", code=75)
        letter.run("pause", "latest")
        relay.on("rcpt", say="550 5.7.1 policy", times=1)
        result = letter.run("resume", "latest", code=5)
        assert "canary: 1 of 1" in result.stderr
        assert len(relay.accepted) == 0


def test_who_resumes_while_a_canary_is_watched_watches_the_rest(letter: Publication) -> None:
    configured(letter, "\n[send]\ncanary_watch_s = 3\n")
    process = command(letter, "send", "latest", "--yes", "--canary", "1")
    until_it_says(process, "the canary is out to 1")
    process.kill()
    process.wait(20)
    result = letter.run("resume", "latest")
    assert "the canary is out to 1; watching it" in result.stderr
    assert len(letter.inbox) == 3


def test_a_canary_stopped_by_quiet_hours_is_watched_all_the_same(letter: Publication) -> None:
    configured(letter, '\n[send]\ncanary_watch_s = 0.1\nquiet_hours = "00:00-23:59"\n')
    letter.run("send", "latest", "--yes", "--canary", "1", code=5)
    text = (letter.root / "newsletter.toml").read_text("utf-8")
    letter.write("newsletter.toml", text.replace('quiet_hours = "00:00-23:59"\n', ""))
    assert "the canary is out to 1; watching it" in letter.run("resume", "latest").stderr


def test_a_worker_leaves_a_send_alone_within_its_undo_window(letter: Publication) -> None:
    process = command(letter, "send", "latest", "--yes", "--undo", "60s")
    until_it_says(process, "Ctrl-C takes it back")
    until = time.monotonic() + 10
    while state(letter)["state"] != "paused" and time.monotonic() < until:
        time.sleep(0.05)
    letter.run("tick")
    assert letter.inbox == []
    process.send_signal(signal.SIGINT)
    until_it_says(process, "taking it back")
    assert process.wait(20) == 0
    assert state(letter)["state"] == "cancelled"


@pytest.mark.parametrize(("stop", "state_then"), [("pause", "paused"), ("cancel", "cancelled")])
def test_who_stops_a_send_within_its_undo_window_is_heeded(
    letter: Publication, stop: str, state_then: str
) -> None:
    process = command(letter, "send", "latest", "--yes", "--undo", "4s")
    until_it_says(process, "Ctrl-C takes it back")
    letter.run(stop, "latest", *(["--yes"] if stop == "cancel" else []))
    assert process.wait(20) == 5
    assert letter.inbox == []
    assert state(letter)["state"] == state_then


def test_an_undo_window_of_a_scheduled_send_is_refused(letter: Publication) -> None:
    result = letter.run("send", "latest", "--yes", "--at", "+1h", "--undo", "10s", code=2)
    assert "newsletter cancel" in result.stderr
    assert letter.ask("status")["sends"] == []


# what is said


def test_quiet_hours_are_named_with_the_moment_they_end(letter: Publication) -> None:
    configured(letter, '\n[send]\nquiet_hours = "00:00-23:59"\n')
    result = letter.run("send", "latest", "--yes", code=5)
    assert "quiet hours" in result.stderr
    assert "23:59 UTC:  newsletter worker or tick" in result.stdout


def test_a_dry_run_repeats_how_it_was_asked(letter: Publication) -> None:
    text = letter.run("send", "latest", "--dry-run", "--canary", "1").stdout
    assert text.rstrip().endswith("newsletter send letter-3 --canary 1")
    later = letter.run("send", "latest", "--dry-run", "--at", "2031-05-01 08:00").stdout
    assert later.rstrip().endswith("newsletter send letter-3 --at 2031-05-01T08:00")


def test_a_cancelled_send_is_not_retried_and_says_what_is(letter: Publication) -> None:
    letter.run("send", "latest", "--yes", "--at", "+2h")
    letter.run("cancel", "latest", "--yes")
    assert "--only-new" in letter.run("retry", "latest", "--failed", code=6).stderr


def test_a_retry_of_a_send_to_people_does_not_end_in_a_folder_here(letter: Publication) -> None:
    with ScriptedRelay() as relay:
        relayed(letter, relay)
        relay.on("rcpt", to="p1@example.com", say="451 4.2.0 later", times=1)
        configured(letter, "\n[relay.box]\npreset = 'inbox'\n")
        letter.run("send", "latest", "--yes", code=4)
        letter.run("retry", "latest", "--deferred", "--relay", "box", code=6)
        assert state(letter)["accepted"] == 2
    assert letter.inbox == []


def waiting_for_the_dot(letter: Publication, relay: ScriptedRelay) -> subprocess.Popen[str]:
    """A sender whose first mail the relay has and does not answer."""
    relay.on("dot", delay_s=60)
    process = command(letter, "send", "latest", "--yes")
    until = time.monotonic() + 20
    while not any(one.content for one in relay.transactions) and time.monotonic() < until:
        time.sleep(0.05)
    return process


def test_status_knows_who_is_in_doubt_after_a_kill(letter: Publication) -> None:
    """Nobody has resumed: the journal of the dead sender is read by whoever asks."""
    with ScriptedRelay() as relay:
        relayed(letter, relay)
        process = waiting_for_the_dot(letter, relay)
        process.kill()
        process.wait(20)
        [row] = letter.ask("status", "latest", "--who", "unknown")["people"]
        assert row["message_id"]
        assert f"<{row['message_id']}>" in letter.run("status", "latest", "--who", "unknown").stdout
        assert state(letter) == {
            "state": "sending", "accepted": 0, "pending": 2, "skipped": 0, "unknown": 1
        }  # fmt: skip
        with ledger_of(letter) as store:
            [send] = store.sends()
            assert send.state is SendState.SENDING
            assert store.progress(send.id)[DeliveryState.CLAIMED] == 0


def test_status_tells_a_sender_at_work_from_one_that_died(letter: Publication) -> None:
    with ScriptedRelay() as relay:
        relayed(letter, relay)
        process = waiting_for_the_dot(letter, relay)
        assert "somebody is sending it" in letter.run("status", "latest").stdout
        process.kill()
        process.wait(20)
        assert "its sender died" in letter.run("status", "latest").stdout


def test_a_send_cancelled_from_elsewhere_says_so_in_the_end(letter: Publication) -> None:
    with ScriptedRelay() as relay:
        relayed(letter, relay)
        relay.on("dot", delay_s=2, times=1)
        process = command(letter, "send", "latest", "--yes", "--json")
        until = time.monotonic() + 20
        while not relay.transactions and time.monotonic() < until:
            time.sleep(0.05)
        letter.run("cancel", "latest", "--yes")
        assert process.wait(20) == 5
        assert len(relay.accepted) == 1
        assert state(letter)["skipped"] == 2


def test_a_socket_that_is_not_there_is_named_as_one(letter: Publication) -> None:
    path = letter.root / "lmtp.sock"
    relay = Relay(name="main", kind="lmtp", host=str(path), port=24)
    with pytest.raises(RelayUnavailable) as raised, SMTPTransport(relay):
        pass
    assert f"{path}: No such file" in str(raised.value)
    assert "socket" in (raised.value.hint or "")


def test_a_send_paused_from_elsewhere_while_it_waits_for_its_turn_sends_no_more(
    letter: Publication,
) -> None:
    with ScriptedRelay() as relay:
        relayed(letter, relay)
        text = (letter.root / "newsletter.toml").read_text("utf-8")
        limited = text.replace('tls = "none"', 'tls = "none"\nper_minute = 1')
        letter.write("newsletter.toml", limited)
        process = command(letter, "send", "latest", "--yes")
        until = time.monotonic() + 20
        while not relay.accepted and time.monotonic() < until:
            time.sleep(0.05)
        letter.run("pause", "latest")
        assert process.wait(20) == 5
        assert len(relay.accepted) == 1
        assert state(letter)["pending"] == 2


def test_a_ledger_that_takes_no_more_says_how_to_go_on(letter: Publication) -> None:
    blocked = letter.root / ".newsletter" / "newsletter.db-send-1.journal"
    blocked.mkdir(parents=True)
    result = letter.run("send", "latest", "--yes", code=1)
    assert "nobody gets it twice: newsletter resume letter-3" in result.stderr
    assert letter.inbox == []
    blocked.rmdir()
    assert letter.ask("resume", "latest")["sent"] == 3


def test_status_says_why_a_run_was_broken_off(letter: Publication) -> None:
    with ScriptedRelay() as relay:
        relayed(letter, relay)
        relay.on("mail", say="421 4.3.2 shutting down")
        letter.run("send", "latest", "--yes", code=75)
        told = letter.run("status", "latest").stdout
    assert "broken off: " in told
    assert "4.3.2" in told


def test_ctrl_c_in_the_middle_of_a_line_stops_as_any_other() -> None:
    """A signal is answered within the write that it interrupts, where stderr takes no other."""
    script = (
        "import io, os, signal, sys\n"
        "from newsletter.cli.delivering import Brake\n"
        "class Raw(io.RawIOBase):\n"
        "    def writable(self): return True\n"
        "    def fileno(self): return 2\n"
        "    def write(self, octets):\n"
        "        if not brake.pulled: signal.raise_signal(signal.SIGINT)\n"
        "        return os.write(2, octets)\n"
        "brake = Brake()\n"
        "sys.stderr = io.TextIOWrapper(io.BufferedWriter(Raw()), line_buffering=True)\n"
        "with brake.held():\n"
        "    sys.stderr.write('sending\\n')\n"
        "print(brake.pulled)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr
