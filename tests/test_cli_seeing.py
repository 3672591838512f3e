"""A send as it goes: the screen of a terminal, lines of a log, events of a program, --watch."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from newsletter.cli.faces import line
from newsletter.cli.screen import parts
from newsletter.cli.sight import Count, Sight, Speed
from newsletter.model import DeliveryState, Limits, SendState, TurnKind
from newsletter.report.words import duration, rate
from tests.publication import Publication, publication
from tests.sent import NOW, by_relay, crowd, in_terminal, opened, sent_on_a_mixed_day
from tests.smtpd import ScriptedRelay
from tests.test_cli_steering import interrupted

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="a pty is POSIX")
ACCEPTED, DEFERRED = DeliveryState.ACCEPTED, DeliveryState.DEFERRED
FAILED, UNKNOWN = DeliveryState.FAILED, DeliveryState.UNKNOWN


@pytest.fixture
def letter(tmp_path: Path) -> Publication:
    return publication(tmp_path)


# --- events --------------------------------------------------------------------------------------


def test_with_json_every_line_is_an_event_and_the_last_one_the_answer(letter: Publication) -> None:
    with ScriptedRelay() as relay:
        gone, *_ = crowd(letter, 40)
        relay.on("rcpt", to=gone, say=f"550 5.1.1 <{gone}>: no such user")
        by_relay(letter, relay)
        events = letter.events("send", "latest", "--yes", code=4)
    assert {event["v"] for event in events} == {1}
    names = [event["event"] for event in events]
    assert (names[0], names[-1]) == ("started", "done")
    assert "progress" in names
    assert events[0]["recipients"] == 40
    [refused] = [e for e in events if e["event"] == "replies" and e["state"] == "failed"]
    assert (refused["count"], refused["code"], refused["status"]) == (1, 550, "5.1.1")
    assert refused["todo"]
    last = events[-1]
    assert (last["command"], last["sent"], last["failed"], last["exit"]) == ("send", 39, 1, 4)
    assert gone not in json.dumps(events)


def test_progress_adds_up_to_what_the_ledger_says(letter: Publication) -> None:
    crowd(letter, 30)
    events = letter.events("send", "latest", "--yes")
    *_, last = [event for event in events if event["event"] == "progress"]
    assert (last["done"], last["total"], last["accepted"]) == (30, 30, 30)
    assert sum(last["domains"].values()) <= 30


def test_a_slower_pace_is_an_event_and_resuming_is_one(letter: Publication) -> None:
    with ScriptedRelay() as relay:
        first, *_ = crowd(letter, 5)
        relay.on("rcpt", to=first, say="450 4.7.28 too fast, rate limited", times=1)
        by_relay(letter, relay)
        events = letter.events("send", "latest", "--yes", code=4)
        [slower] = [event for event in events if event["event"] == "throttled"]
        assert slower["why"] == f"domain:{first.partition('@')[2]}"
        assert slower["number"] > 0
        assert "paused" in [event["event"] for event in events]
        events = letter.events("retry", "latest", "--deferred")
        assert "sending" in [event["event"] for event in events]
        assert events[-1]["state"] == "done"


# --- a terminal ----------------------------------------------------------------------------------


@needs_posix
def test_a_terminal_is_shown_how_it_goes_and_who_says_what(letter: Publication) -> None:
    with ScriptedRelay() as relay:
        addresses = crowd(letter, 120)
        relay.on("rcpt", to=addresses[3], say=f"550 5.1.1 <{addresses[3]}>: unknown")
        by_relay(letter, relay, "per_second = 80\n")
        shown, code = in_terminal(letter, "send", "latest", "--yes")
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert code == 4
    assert re.search(r"sending .*█.*\d+ % +\d+/120", plain)
    assert re.search(r"/s of 80 +.* left, done about \d\d:\d\d:\d\d", plain)
    assert "mail.example.com" in plain
    assert "250 2.0.0 taken" in plain
    assert "sent 119   deferred 0   failed 1" in plain
    assert "\x1b[?25h" in shown, "the cursor is back"
    assert not any(address in plain for address in addresses)


@needs_posix
def test_a_terminal_that_can_do_nothing_gets_lines(letter: Publication) -> None:
    crowd(letter, 5)
    shown, _ = in_terminal(letter, "--no-color", "send", "latest", "--yes")
    assert "sent 5" in shown


def test_a_log_line_says_the_same_in_words() -> None:
    sight = seen({ACCEPTED: 60, FAILED: 2}, total=100, per_second=13.94)
    assert line(sight) == "sending 62/100   13.9/s   2.7 s left   failed 2"


def seen(counts: dict[DeliveryState, int], total: int, per_second: float | None = None) -> Sight:
    return Sight(
        slug="s", state=SendState.SENDING, total=total, counts=counts, per_second=per_second
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (5, "5 s"), (0.42, "0.4 s"), (59.6, "1 m"), (155, "2 m 35 s"), (3600, "1 h"),
     (11520, "3 h 12 m"), (360000, "4 d 4 h")],
)  # fmt: skip
def test_how_long_it_takes_is_said_in_two_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_rate_has_the_digits_that_mean_something() -> None:
    assert [rate(r) for r in (0.2, 7.04, 14, 139.96, 12345)] == [
        "0.20", "7.0", "14", "140", "12,345"
    ]  # fmt: skip


def test_the_bar_is_full_only_when_nobody_waits_and_shows_a_single_failure() -> None:
    almost = parts(seen({ACCEPTED: 99_998, FAILED: 1}, total=100_000), 40)
    assert (sum(almost.values()), almost[FAILED]) == (40, 1) or sum(almost.values()) < 40
    assert sum(parts(seen({ACCEPTED: 7}, total=7), 40).values()) == 40


def test_the_speed_is_that_of_the_last_moments() -> None:
    speed = Speed()
    assert speed.at(0.0, 0) is None
    assert speed.at(10.0, 100) == 10
    speed.at(20.0, 100)
    assert speed.at(40.0, 100) == 0


# --- logs ----------------------------------------------------------------------------------------


def test_what_is_said_while_sending_names_nobody(tmp_path: Path) -> None:
    letter = publication(tmp_path)
    with ScriptedRelay() as relay:
        addresses = crowd(letter, 30)
        for who in addresses[:12]:
            relay.on("rcpt", to=who, say=f"550 5.1.1 <{who}>: no such user here, {who}")
        relay.on("dot", to=addresses[12], drop=True, times=1)
        by_relay(letter, relay)
        for command in (("send", "--yes"), ("resume",), ("resume",), ("retry", "--failed")):
            result = letter.run(command[0], "latest", *command[1:], code=None)
            said = result.stdout + result.stderr
            assert said
            assert not [address for address in addresses if address in said], said


def test_the_turns_of_a_send_name_nobody(tmp_path: Path) -> None:
    letter, addresses = sent_on_a_mixed_day(tmp_path, 20)
    with opened(letter) as store:
        turns = store.turns(store.entries()[-1].id)
    assert [turn.kind for turn in turns] == [TurnKind.FROZEN, TurnKind.SENDING, TurnKind.PAUSED]
    assert not [a for a in addresses for turn in turns if a in turn.why]


# --- counting ------------------------------------------------------------------------------------


def test_who_is_answered_after_a_later_is_counted_once(letter: Publication) -> None:
    letter.people(3)
    interrupted(letter)
    with opened(letter) as store:
        count = Count(store, store.sends()[-1], Limits())
        row = next(store.deliveries(count.send.id, DeliveryState.PENDING))
        for state in (DEFERRED, DEFERRED, ACCEPTED):
            count.take(row._replace(state=state))
        sight = count.sight(NOW)
    assert (sight.counts[DEFERRED], sight.counts[ACCEPTED], sight.done) == (0, 2, 2)


# --- from another process ------------------------------------------------------------------------


def test_watch_follows_from_another_process_until_it_is_over(letter: Publication) -> None:
    with ScriptedRelay() as relay:
        last = crowd(letter, 60)[-1]
        relay.on("dot", to=last, delay_s=5)  # a process takes seconds to start on a busy machine
        by_relay(letter, relay, "per_second = 30\n")
        words = [sys.executable, "-m", "newsletter", "-C", str(letter.root)]
        sender = subprocess.Popen([*words, "send", "latest", "--yes"], stderr=subprocess.PIPE)
        while not (letter.root / ".newsletter" / "newsletter.db").exists() or not frozen(letter):
            assert sender.poll() is None
            time.sleep(0.05)
        watched = subprocess.run(
            [*words, "status", "latest", "--watch", "--json"],
            check=False,
            capture_output=True,
            timeout=60,
        )
        assert sender.wait(30) == 0
    assert watched.returncode == 0, watched.stderr
    events = [json.loads(row) for row in watched.stdout.splitlines()]
    assert events[0]["event"] == "started"
    seen_done = [event["done"] for event in events if event["event"] == "progress"]
    assert seen_done == sorted(seen_done)
    assert seen_done[-1] == 60
    assert events[-1]["sends"][0]["state"] == "done"


def frozen(letter: Publication) -> bool:
    with opened(letter) as store:
        return bool(store.entries())


def test_watching_when_nothing_is_sent_says_what_was(letter: Publication) -> None:
    crowd(letter, 2)
    assert "nothing was sent yet" in letter.run("status", "--watch").stdout
    letter.run("send", "latest", "--yes")
    assert "accepted 2" in letter.run("status", "latest", "--watch").stdout
    letter.run("status", "latest", "--watch", "--csv", code=2)
