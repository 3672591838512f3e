"""An inbox that misbehaves on purpose: what it does, and what the ledger makes of it."""

from __future__ import annotations

import json
import signal
import smtplib
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import UsageError
from newsletter.model import Stage
from newsletter.smtp.announced import announced, open_port
from newsletter.smtp.chaos import Chaos, Fault, Wrong, parse_chaos
from newsletter.smtp.inbox import Inbox, received, unruly_inbox
from tests.conftest import ROOT
from tests.publication import Publication, publication
from tests.smtpd import letter

BAD_DAY = Chaos(defer=0.05, reject=0.01, drop=0.01)


def test_a_share_alone_is_mostly_deferrals() -> None:
    assert parse_chaos("0.05") == Chaos(defer=0.05, reject=0.01, drop=0.01)
    assert parse_chaos("5%") == parse_chaos("0.05")
    assert parse_chaos("0") == Chaos()


def test_a_rule_can_name_its_parts() -> None:
    rule = "defer=0.1, reject=2%,drop=0.03,slow=0.5,wait=0.25,seed=7"
    assert parse_chaos(rule) == Chaos(
        defer=0.1, reject=0.02, drop=0.03, slow=0.5, wait=0.25, seed=7
    )


@pytest.mark.parametrize(
    "rule", ["", "x", "-1", "2", "nan", "defer=2", "defer", "kill=0.1", "defer=0.9,drop=0.2", "=1"]
)
def test_a_rule_that_is_none_is_refused(rule: str) -> None:
    with pytest.raises(UsageError, match="--chaos"):
        parse_chaos(rule)


@given(st.text(max_size=30))
def test_any_text_is_a_rule_or_refused(rule: str) -> None:
    try:
        chaos = parse_chaos(rule)
    except UsageError:
        return
    assert 0 <= chaos.defer + chaos.reject + chaos.drop + chaos.slow <= 1.4


def test_the_shares_are_kept_and_the_same_for_the_same_seed() -> None:
    people = [f"p{number}@example.com" for number in range(20_000)]
    faults = [BAD_DAY.fault(person, 0) for person in people]
    counted = Counter(fault.wrong for fault in faults if fault)
    assert abs(counted[Wrong.DEFER] - 1000) < 150
    assert abs(counted[Wrong.REJECT] - 200) < 60
    assert abs(counted[Wrong.DROP] - 200) < 60
    assert faults == [BAD_DAY.fault(person.upper(), 0) for person in people]
    other = Chaos(defer=0.05, reject=0.01, drop=0.01, seed=1)
    assert faults != [other.fault(person, 0) for person in people]
    assert faults != [BAD_DAY.fault(person, 1) for person in people], "an offer throws again"
    filed = [fault.filed for fault in faults if fault and fault.wrong is Wrong.DROP]
    assert {True, False} == set(filed)


@pytest.mark.parametrize(
    ("local_part", "fault"),
    [
        ("defer", Fault(Wrong.DEFER, Stage.RCPT, "450 4.2.0 not now, says chaos")),
        ("Defer+421-4.7.0", Fault(Wrong.DEFER, Stage.RCPT, "421 4.7.0 says chaos")),
        ("reject+550-5.1.1", Fault(Wrong.REJECT, Stage.RCPT, "550 5.1.1 says chaos")),
        ("reject+554+dot", Fault(Wrong.REJECT, Stage.DOT, "554 says chaos")),
        ("drop", Fault(Wrong.DROP, Stage.DOT)),
        ("drop+rcpt", Fault(Wrong.DROP, Stage.RCPT)),
        ("slow+3s", Fault(Wrong.SLOW, Stage.DOT, wait_s=3.0)),
        ("defer+once", Fault(Wrong.DEFER, Stage.RCPT, "450 4.2.0 not now, says chaos")),
        ("deferred", None),
        ("ada+defer", None),
    ],
)
def test_an_address_asks_for_its_fault(local_part: str, fault: Fault | None) -> None:
    assert Chaos().fault(f"{local_part}@example.com", 0) == fault


def test_what_is_asked_for_once_goes_well_the_second_time() -> None:
    assert Chaos().fault("defer+once@example.com", 1) is None


def say(port: int, recipient: str) -> int:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as line:
        line.ehlo()
        line.mail("a@example.com")
        code, _ = line.rcpt(recipient)
        if code != 250:
            return code
        return line.data(letter().content)[0]


def test_the_inbox_does_as_asked(tmp_path: Path) -> None:
    with Inbox(tmp_path, Chaos()) as inbox:
        assert say(inbox.port, "ada@example.com") == 250
        assert say(inbox.port, "defer@example.com") == 450
        assert say(inbox.port, "reject+550-5.1.1@example.com") == 550
        assert say(inbox.port, "reject+554-5.7.1+dot@example.com") == 554
        assert say(inbox.port, "defer+once@example.com") == 450
        assert say(inbox.port, "defer+once@example.com") == 250
        assert say(inbox.port, "slow+0s@example.com") == 250
        for recipient in ("drop@example.com", "drop+rcpt@example.com"):
            with pytest.raises(smtplib.SMTPServerDisconnected):
                say(inbox.port, recipient)
    kept = [mail.rcpt_to for mail in received(tmp_path)]
    assert kept == ["ada@example.com", "defer+once@example.com", "slow+0s@example.com"]


def test_an_open_inbox_is_found_and_a_closed_one_is_not(tmp_path: Path) -> None:
    assert open_port(tmp_path) is None
    with unruly_inbox(tmp_path, Chaos()) as inbox:
        assert open_port(tmp_path) == inbox.port
        assert (tmp_path / "open.json").stat().st_mode & 0o077 == 0
    assert open_port(tmp_path) is None
    assert not (tmp_path / "open.json").exists()


def test_promise_3_a_stranger_on_the_port_is_not_taken_for_the_inbox(tmp_path: Path) -> None:
    with Inbox(tmp_path / "other") as stranger, announced(tmp_path, stranger.port, "password"):
        assert open_port(tmp_path) is None
    with socket.create_server(("127.0.0.1", 0)) as dead:
        port = dead.getsockname()[1]
    (tmp_path / "open.json").write_text(json.dumps({"port": port, "password": "x"}))
    assert open_port(tmp_path) is None
    (tmp_path / "open.json").write_text("{")
    assert open_port(tmp_path) is None


@pytest.fixture
def letter_to_trouble(tmp_path: Path) -> Publication:
    made = publication(tmp_path)
    for local_part in ("ada", "defer", "reject", "reject+550-5.1.1", "drop", "drop+rcpt"):
        made.run("subscribers", "add", f"{local_part}@{local_part.replace('+', '-')}.example.com")
    return made


def ledger(made: Publication) -> dict[str, str]:
    from newsletter.config import load_config
    from newsletter.store import open_store

    config = load_config(made.root)
    with open_store(config.database_url) as store:
        [send] = store.sends()
        return {row.address.partition("@")[0]: str(row.state) for row in store.deliveries(send.id)}


@pytest.mark.usefixtures("relay_soon_back")
def test_the_ledger_says_what_the_bad_day_did(letter_to_trouble: Publication) -> None:
    made = letter_to_trouble
    with unruly_inbox(made.root / ".newsletter" / "inbox", Chaos()):
        made.run("send", "latest", "--yes", code=None)
    states = ledger(made)
    assert states["ada"] == "accepted"
    assert states["defer"] == "deferred"
    assert states["reject"] == "failed"
    assert states["reject+550-5.1.1"] == "failed"
    assert states["drop"] == "unknown"
    assert states["drop+rcpt"] == "pending", "the line died before the mail could leave"
    assert [path.name for path in made.inbox] == ["000001-ada-ada-example-com.eml"]
    people = {
        row["address"]: row["status"] for row in made.ask("subscribers", "list")["subscribers"]
    }
    assert people["reject+550-5.1.1@reject-550-5.1.1.example.com"] == "suppressed"
    assert people["reject@reject.example.com"] == "active", "chaos by itself suppresses nobody"


@pytest.mark.usefixtures("relay_soon_back")
def test_a_send_through_a_bad_day_ends_as_the_dice_say(tmp_path: Path) -> None:
    made = publication(tmp_path)
    people = [f"p{number}@example.com" for number in range(400)]
    made.write("people.csv", "\n".join(["email", *people]))
    made.run("subscribers", "import", str(tmp_path / "people.csv"))
    chaos = parse_chaos("defer=0.1,reject=0.05,drop=0.02,seed=3")
    with unruly_inbox(made.root / ".newsletter" / "inbox", chaos):
        made.run("send", "latest", "--yes", code=4)
    outcome = {Wrong.DEFER: "deferred", Wrong.REJECT: "failed", Wrong.DROP: "unknown"}
    thrown = {person: chaos.fault(person, 0) for person in people}
    expected = {
        person.partition("@")[0]: outcome[fault.wrong] if fault else "accepted"
        for person, fault in thrown.items()
    }
    assert ledger(made) == expected
    assert {"accepted", "deferred", "failed", "unknown"} == set(expected.values())
    filed = [p for p, fault in thrown.items() if fault is None or fault.filed]
    assert len(made.inbox) == len(filed)


def test_preview_with_chaos_spoils_what_another_terminal_sends(tmp_path: Path) -> None:
    made = publication(tmp_path)
    made.run("subscribers", "add", "reject+550-5.1.1@example.com")
    made.run("preview", "--no-open", "--chaos", "much", code=2)
    assert "reject+550-5.1.1@" in made.run("preview", "--help").output
    command = [sys.executable, "-m", "newsletter", "-C", str(made.root), "preview", "--no-open"]
    desk = subprocess.Popen([*command, "--chaos", "0"], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert desk.stdout is not None
    try:
        while not desk.stdout.readline().startswith("chaos"):
            assert desk.poll() is None
        made.run("send", "latest", "--yes", code=4)
    finally:
        desk.send_signal(signal.SIGINT)
        desk.communicate(timeout=10)
    assert ledger(made) == {"reject+550-5.1.1": "failed"}
    assert open_port(made.root / ".newsletter" / "inbox") is None
