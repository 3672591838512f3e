"""pause, cancel, retry, --at, --canary, --limit, --undo, tick, worker: as people type them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from newsletter.model import DeliveryState, Origin, SendState
from newsletter.store import Audience, NewSend, Store, open_store
from tests.publication import Publication, publication
from tests.smtpd import ScriptedRelay
from tests.stores import EMAIL, LETTERHEAD, NOW


@pytest.fixture
def letter(tmp_path: Path) -> Publication:
    made = publication(tmp_path)
    made.people(3)
    return made


def opened(letter: Publication) -> Store:
    return open_store(f"sqlite:{letter.root / '.newsletter' / 'newsletter.db'}")


def state(letter: Publication) -> dict[str, object]:
    [send] = letter.ask("status", "latest")["sends"]
    return {key: send[key] for key in ("state", "accepted", "pending", "skipped", "unknown")}


def test_a_limit_sends_to_so_many_and_only_new_to_the_rest(letter: Publication) -> None:
    assert letter.ask("send", "latest", "--yes", "--limit", "2")["sent"] == 2
    assert letter.ask("send", "latest", "--yes", "--only-new", "--expect", "1")["sent"] == 1
    assert len(letter.inbox) == 3


def test_a_scheduled_send_waits_and_cancel_takes_it_back(letter: Publication) -> None:
    answer = letter.ask("send", "latest", "--yes", "--at", "+2h")
    assert answer["state"] == "preparing"
    assert letter.inbox == []
    [waiting] = letter.ask("tick")["sends"]
    assert waiting["until"] == answer["at"]
    assert "take it back" in letter.run("send", "latest", "--yes", code=6).stderr
    assert "still to come" in letter.run("resume", "latest", code=6).stderr
    listed = letter.ask("list")["issues"][0]
    assert (listed["state"], listed["at"]) == ("scheduled", answer["at"])
    assert "scheduled for 20" in letter.run("list").stdout.splitlines()[0]
    letter.run("cancel", "latest", "--yes")
    assert letter.ask("tick")["sends"] == []
    assert letter.ask("send", "latest", "--yes")["sent"] == 3


def test_a_scheduled_send_reaches_whoever_is_there_when_its_time_comes(letter: Publication) -> None:
    letter.run("send", "latest", "--yes", "--at", "+1s")
    letter.run("subscribers", "add", "late@example.com")
    letter.article(3, title="Changed since")
    time.sleep(1.1)
    letter.run("tick")
    assert len(letter.inbox) == 4
    assert all(b"Subject: Letter 3" in mail.read_bytes() for mail in letter.inbox)
    assert state(letter)["state"] == "done"


@pytest.mark.parametrize("when", ["yesterday", "25:00", "2020-01-01", "12"])
def test_a_time_that_is_none_or_over_is_refused(letter: Publication, when: str) -> None:
    letter.run("send", "latest", "--yes", "--at", when, code=2)
    assert letter.inbox == []


def test_a_canary_that_goes_well_is_followed_by_everybody(letter: Publication) -> None:
    letter.write("newsletter.toml", (letter.root / "newsletter.toml").read_text() + WATCH)
    result = letter.run("send", "latest", "--yes", "--canary", "1")
    assert "the canary is out to 1" in result.stderr
    assert state(letter) == {
        "state": "done", "accepted": 3, "pending": 0, "skipped": 0, "unknown": 0
    }  # fmt: skip


WATCH = "\n[send]\ncanary_watch_s = 0.1\n"


def relayed(letter: Publication, relay: ScriptedRelay) -> None:
    text = (
        (letter.root / "newsletter.toml")
        .read_text("utf-8")
        .replace(
            'preset = "inbox"',
            f'preset = "smtp"\nhost = "127.0.0.1"\nport = {relay.port}\ntls = "none"',
        )
    )
    text = text.replace("letters.example.org", "letters.stillpoint.test").replace(
        "1 Example Road, Exampleton", "14 Orchard Row, Lindenford"
    )
    letter.write("newsletter.toml", text + WATCH + '\n[check]\nignore = ["link-local"]\n')


def test_a_canary_that_goes_badly_holds_the_send_until_somebody_resumes_it(
    letter: Publication,
) -> None:
    with ScriptedRelay() as relay:
        relay.on("rcpt", say="550 5.1.1 no such user", times=1)
        relayed(letter, relay)
        result = letter.run("send", "latest", "--yes", "--canary", "1", code=5)
        assert "canary: 1 of 1 failed" in result.stderr
        assert letter.ask("tick")["sends"][0]["hold"].startswith("canary: 1 of 1")
        assert state(letter)["pending"] == 2
        letter.run("resume", "latest", code=4)
        assert state(letter)["accepted"] == 2


def test_pause_and_cancel_say_what_is_left(letter: Publication) -> None:
    interrupted(letter)
    assert "2 left" in letter.run("pause", "latest").stdout
    assert letter.ask("tick")["sends"][0]["hold"] == "paused by hand"
    said = letter.run("cancel", "latest", "--yes").stdout
    assert "1 person got it, 2 did not and will not" in said
    assert state(letter)["skipped"] == 2
    letter.run("resume", "latest", code=6)
    assert "--only-new" in letter.run("send", "latest", "--yes", code=6).stderr


def interrupted(letter: Publication) -> None:
    """A send of the latest issue with one row accepted, one in doubt on request, the rest open."""
    with opened(letter) as store:
        from dataclasses import replace

        email = replace(EMAIL, slug="letter-3")
        new = NewSend(email=email, origin=Origin(), letterhead=LETTERHEAD, relay="main",
                      audience=Audience(local=True))  # fmt: skip
        send = store.freeze(new, NOW)
        store.move(send.id, SendState.SENDING, NOW)
        (row,) = store.claim(send.id, 1, NOW)
        store.record(row._replace(state=DeliveryState.ACCEPTED), NOW)
        store.move(send.id, SendState.PAUSED, NOW)


def test_cancel_asks_unless_it_is_told_not_to(letter: Publication) -> None:
    interrupted(letter)
    assert "--yes" in letter.run("cancel", "latest", code=2).stderr
    assert state(letter)["state"] == "paused"


def test_tick_goes_on_with_a_send_that_was_interrupted(letter: Publication) -> None:
    interrupted(letter)
    letter.run("tick")
    assert state(letter)["accepted"] == 3
    assert len(letter.inbox) == 2


def test_retry_reaches_the_refused_again_and_never_the_suppressed(letter: Publication) -> None:
    with ScriptedRelay() as relay:
        relay.on("rcpt", to="p0@example.com", say="550 5.1.1 no such user", times=1)
        relay.on("rcpt", to="p1@example.com", say="552 5.2.2 mailbox full", times=1)
        relayed(letter, relay)
        letter.run("send", "latest", "--yes", code=4)
        assert state(letter)["accepted"] == 1
        letter.run("retry", "latest", "--failed")
        got = state(letter)
        assert (got["accepted"], got["skipped"]) == (2, 1)
        letter.run("retry", "latest", "--failed", code=6)
        assert "say whom" in letter.run("retry", "latest", code=2).stderr


def test_mails_in_doubt_are_named_left_or_sent_again_as_one_says(letter: Publication) -> None:
    with ScriptedRelay() as relay:
        relay.on("dot", drop=True, to="p0@example.com", times=1)
        relayed(letter, relay)
        letter.run("send", "latest", "--yes", code=4)
        assert state(letter)["unknown"] == 1
        [row] = letter.ask("resume", "latest", "--unknown", "list")["unknown"]
        assert row["address"] == "p0@example.com"
        letter.run("resume", "latest", "--unknown", "skip", code=6)
        letter.run("resume", "latest", "--unknown", "retry")
        assert state(letter)["accepted"] == 3


def command(letter: Publication, *arguments: str) -> subprocess.Popen[str]:
    return started("-m", "newsletter", "-C", str(letter.root), *arguments)


def started(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *words],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


WAKEFUL = """
from datetime import timedelta
from newsletter.cli import clockwork, main

clockwork.LONGEST_NAP = timedelta(seconds=1)
main()
"""


def wakeful_worker(letter: Publication) -> subprocess.Popen[str]:
    """A worker that looks again each second, not four times a minute."""
    return started("-c", WAKEFUL, "-C", str(letter.root), "worker")


def until_it_says(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"it never said {words!r}")


def assert_it_sends_and_stops(letter: Publication, process: subprocess.Popen[str]) -> None:
    """The worker mails all three readers, and stops on SIGTERM in good order."""
    until = time.monotonic() + 40
    while len(letter.inbox) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert len(letter.inbox) == 3


def test_within_the_undo_window_ctrl_c_takes_the_send_back(letter: Publication) -> None:
    process = command(letter, "send", "latest", "--yes", "--undo", "60s")
    until_it_says(process, "Ctrl-C takes it back")
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=20)[1]
    assert process.returncode == 0, said
    assert letter.inbox == []
    assert letter.ask("send", "latest", "--yes")["sent"] == 3


def test_the_worker_sends_what_is_due_and_stops_on_sigterm(letter: Publication) -> None:
    letter.run("send", "latest", "--yes", "--at", "+1s")
    process = command(letter, "worker")
    until_it_says(process, "sending")
    assert_it_sends_and_stops(letter, process)


def test_the_worker_waits_for_a_database_that_cannot_be_had(letter: Publication) -> None:
    letter.run("send", "latest", "--yes", "--at", "+1s")
    database = letter.root / ".newsletter" / "newsletter.db"
    database.chmod(0o644)  # refused: everybody could read the subscribers
    process = wakeful_worker(letter)
    until_it_says(process, "waiting: ")
    database.chmod(0o600)
    assert_it_sends_and_stops(letter, process)


def test_a_try_into_the_inbox_does_not_use_the_issue_up(letter: Publication) -> None:
    tried = letter.run("send", "latest", "--yes")
    assert "it stayed on this machine: nobody else has got it" in tried.stdout
    assert "on this machine only" in letter.run("status", "latest").stdout
    letter.run("subscribers", "add", "late@example.com")
    with ScriptedRelay() as relay:
        relayed(letter, relay)
        assert letter.ask("send", "latest", "--yes")["sent"] == 4
        assert len(relay.accepted) == 4
        letter.run("send", "latest", "--yes", code=6)


def test_a_dry_run_says_that_the_inbox_is_on_this_machine(letter: Publication) -> None:
    shown = letter.run("send", "latest", "--dry-run").stdout
    assert "the inbox on this machine, nobody else gets it" in shown


def test_a_send_to_people_does_not_go_on_into_a_folder_here(letter: Publication) -> None:
    with ScriptedRelay() as relay:
        inbox = (letter.root / "newsletter.toml").read_text("utf-8")
        relayed(letter, relay)
        relay.on("mail", say="421 4.3.2 closing for the night")
        letter.run("send", "latest", "--yes", code=75)
        letter.write("newsletter.toml", inbox + WATCH)
        assert "began with a relay to people" in letter.run("resume", "latest", code=6).stderr
    assert letter.inbox == []


def test_a_scheduled_send_that_was_paused_waits_for_resume(letter: Publication) -> None:
    letter.run("send", "latest", "--yes", "--at", "+1s")
    letter.run("pause", "latest")
    time.sleep(1.1)
    letter.run("tick")
    assert letter.inbox == []
    assert "held: paused by hand" in letter.run("status", "latest").stdout
    letter.run("resume", "latest")
    assert len(letter.inbox) == 3


def test_a_scheduled_send_resumed_before_its_time_waits_for_it(letter: Publication) -> None:
    letter.run("send", "latest", "--yes", "--at", "+2h")
    letter.run("pause", "latest")
    assert "when its time comes" in letter.run("resume", "latest").stdout
    assert "scheduled for" in letter.run("status", "latest").stdout
    assert "still to come" in letter.run("resume", "latest", code=6).stderr


def test_what_is_over_is_given_no_advice_to_go_on(letter: Publication) -> None:
    letter.run("send", "latest", "--yes", "--at", "+2h")
    letter.run("cancel", "latest", "--yes")
    assert "resume" not in letter.run("status", "latest").stdout
    assert "nothing to cancel" in letter.run("cancel", "latest", "--yes", code=6).stderr


def test_who_had_left_comes_back_by_their_own_wish_only(letter: Publication) -> None:
    letter.run("subscribers", "unsubscribe", "p0@example.com")
    assert "resubscribe" in letter.run("subscribers", "add", "p0@example.com", code=None).stderr
    letter.run("subscribers", "resubscribe", "p0@example.com", code=2)
    back = letter.ask("subscribers", "resubscribe", "p0@example.com", "--consent", "by phone")
    assert back["subscriber"]["status"] == "active"
    assert letter.ask("send", "latest", "--yes")["sent"] == 3
