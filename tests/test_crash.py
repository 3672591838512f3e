"""kill -9 in the middle of a send: nobody lost, nobody twice, the one in doubt named."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.model import NewSubscriber
from newsletter.store import open_store
from tests.publication import Publication, publication
from tests.smtpd import ScriptedRelay

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PEOPLE = 1000


def crowd(folder: Path, relay: ScriptedRelay, count: int, *, connections: int = 4) -> Publication:
    """A publication with `count` readers whose relay is the scripted one."""
    made = publication(folder, months=2)
    config = folder / "newsletter.toml"
    smtp = f'preset = "smtp"\nhost = "127.0.0.1"\nport = {relay.port}\ntls = "none"'
    smtp += f"\nconnections = {connections}"
    config.write_text(config.read_text().replace('preset = "inbox"', smtp))
    with open_store(f"sqlite:{folder / '.newsletter' / 'newsletter.db'}") as store:
        for number in range(count):
            store.add(NewSubscriber(address=f"p{number}@example.com"), NOW)
    return made


def start(letter: Publication, *arguments: str) -> subprocess.Popen[str]:
    """The command line in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "newsletter", "-C", str(letter.root), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )


def wait_for(relay: ScriptedRelay, mails: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while len(relay.accepted) < mails and process.poll() is None:
        assert time.monotonic() < deadline, "the send does not get on"
        time.sleep(0.001)


def unknown(letter: Publication) -> set[str]:
    people = letter.ask("status", "latest", "--who", "unknown")["people"]
    assert all(row["relay"] == "main" and row["message_id"] for row in people)
    return {row["address"] for row in people}


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)], ids=["lock-step", "pipelined"])
@pytest.mark.parametrize(("seed", "connections"), [(0, 1), (1, 4), (2, 4)])
def test_promise_1_after_kill_9_each_address_is_reached_once_or_named(
    tmp_path: Path, seed: int, connections: int, extensions: tuple[str, ...]
) -> None:
    dice = random.Random(seed)
    with ScriptedRelay(extensions=extensions) as relay:
        letter = crowd(tmp_path, relay, PEOPLE, connections=connections)
        sending = start(letter, "send", "latest", "--yes", "--expect", str(PEOPLE))
        wait_for(relay, dice.randrange(50, 900), sending)
        time.sleep(dice.random() / 200)
        os.kill(sending.pid, signal.SIGKILL)
        sending.communicate()
        assert len(relay.accepted) < PEOPLE, "killed too late to prove anything"
        letter.run("resume", "latest", code=None)
        reached = Counter(taken.rcpt_to for taken in relay.transactions if taken.taken)
        doubtful = unknown(letter)
    everybody = {f"p{number}@example.com" for number in range(PEOPLE)}
    assert len(doubtful) <= connections, "at most one mail in doubt for each connection"
    assert [address for address, count in reached.items() if count > 1] == []
    assert everybody - set(reached) <= doubtful


def test_what_a_kill_left_in_doubt_is_named_and_sent_again_by_the_next_command(
    tmp_path: Path,
) -> None:
    with ScriptedRelay() as relay:
        relay.on("dot", to="p20@example.com", delay_s=60, times=1)
        letter = crowd(tmp_path, relay, 40, connections=1)
        sending = start(letter, "send", "latest", "--yes")
        wait_for(relay, 20, sending)
        while len(relay.accepted) == 20:
            time.sleep(0.01)
        os.kill(sending.pid, signal.SIGKILL)
        sending.communicate()
        named = letter.ask("resume", "latest", "--unknown", "list")["unknown"]
        assert [row["address"] for row in named] == ["p20@example.com"]
        letter.run("resume", "latest", "--unknown", "retry")
        reached = Counter(taken.rcpt_to for taken in relay.transactions if taken.taken)
    assert reached.pop("p20@example.com") == 2
    assert set(reached.values()) == {1}
    assert len(reached) == 39


def test_a_second_ctrl_c_drops_the_connections_and_names_the_mails_in_doubt(
    tmp_path: Path,
) -> None:
    with ScriptedRelay() as relay:
        relay.on("dot", to="p120@example.com", delay_s=30)
        letter = crowd(tmp_path, relay, 300)
        sending = start(letter, "send", "latest", "--yes")
        wait_for(relay, 200, sending)
        sending.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert sending.poll() is None, "the mail in flight is waited for"
        sending.send_signal(signal.SIGINT)
        sending.communicate(timeout=10)
        assert unknown(letter) == {"p120@example.com"}


def test_ctrl_c_finishes_the_mails_in_flight_and_resume_goes_on(tmp_path: Path) -> None:
    with ScriptedRelay() as relay:
        letter = crowd(tmp_path, relay, 300)
        sending = start(letter, "send", "latest", "--yes")
        wait_for(relay, 40, sending)
        sending.send_signal(signal.SIGINT)
        out, err = sending.communicate(timeout=30)
        assert sending.returncode == 5, err
        assert "newsletter resume letter-2" in out
        assert unknown(letter) == set()
        letter.run("resume", "latest")
        reached = Counter(taken.rcpt_to for taken in relay.accepted)
    assert sum(reached.values()) == len(reached) == 300


def test_two_processes_cannot_send_the_same_issue(tmp_path: Path) -> None:
    with ScriptedRelay() as relay:
        relay.on("dot", to="p5@example.com", delay_s=60)
        letter = crowd(tmp_path, relay, 20)
        sending = start(letter, "send", "latest", "--yes")
        wait_for(relay, 5, sending)
        second = start(letter, "resume", "latest")
        _, err = second.communicate(timeout=50)
        assert sending.poll() is None, "the first one was too fast to prove anything"
        assert second.returncode == 6
        assert "another process" in err
        sending.kill()
        sending.communicate(timeout=30)


def test_ctrl_c_twice_drops_the_line_and_names_the_mail_in_doubt(tmp_path: Path) -> None:
    with ScriptedRelay() as relay:
        letter = crowd(tmp_path, relay, 20)
        relay.on("dot", to="p5@example.com", delay_s=20)
        sending = start(letter, "send", "latest", "--yes", "--json")
        wait_for(relay, 5, sending)
        time.sleep(0.3)
        sending.send_signal(signal.SIGINT)
        time.sleep(0.3)
        sending.send_signal(signal.SIGINT)
        out, err = sending.communicate(timeout=10)
        assert (sending.returncode, "Traceback" in err) == (5, False), err
        facts = json.loads(out.splitlines()[-1])
        assert (facts["state"], facts["unknown"], facts["claimed"]) == ("paused", 1, 0)
        assert unknown(letter) == {"p5@example.com"}


def test_ctrl_c_ends_the_wait_for_a_relay_that_is_gone(tmp_path: Path) -> None:
    with ScriptedRelay() as relay:
        letter = crowd(tmp_path, relay, 3)
        relay.on("mail", drop=True)
        sending = start(letter, "send", "latest", "--yes")
        while relay.connections < 2 and sending.poll() is None:  # the second wait is 5 s long
            time.sleep(0.01)
        time.sleep(0.3)
        asked_at = time.monotonic()
        sending.send_signal(signal.SIGINT)
        out, err = sending.communicate(timeout=30)
    assert time.monotonic() - asked_at < 3
    assert (sending.returncode, out) == (75, "")
    assert "newsletter resume letter-2" in err
