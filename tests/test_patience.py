"""A mailbox that refuses issue after issue is suppressed in the end, and no other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.delivery.patience import is_gone
from newsletter.model import NewSubscriber, Refusal
from tests.publication import Publication, publication
from tests.smtpd import ScriptedRelay
from tests.test_cli_steering import opened, relayed

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def refused(reason: str, *days: float) -> list[Refusal]:
    return [Refusal(f"letter-{n}", reason, NOW + DAY * day) for n, day in enumerate(days)]


@pytest.mark.parametrize(
    ("reason", "days", "gone"),
    [
        ("the mailbox is disabled", (0, 1.1), True),
        ("the mailbox is disabled", (0, 0.9), False),
        ("the mailbox is disabled", (0,), False),
        ("refused", (0, 7, 14), True),
        ("refused", (0, 14), False),
        ("refused", (0, 1, 2), False),
        ("the mailbox is full", (0, 30, 60, 90), False),
        ("", (), False),
    ],
)
def test_the_same_again_and_again_is_a_mailbox_nobody_reads(
    reason: str, days: tuple[float, ...], gone: bool
) -> None:
    assert is_gone(refused(reason, *days)) is gone


def test_one_issue_tried_again_is_one_refusal() -> None:
    assert not is_gone(
        [Refusal("letter-1", "the mailbox is disabled", NOW + DAY * n) for n in (0, 9)]
    )


@pytest.mark.parametrize(("taken", "status"), [(False, "suppressed"), (True, "active")])
def test_a_disabled_mailbox_is_suppressed_at_its_second_issue(
    tmp_path: Path, taken: bool, status: str
) -> None:
    """Unless it took one in between."""
    letter = publication(tmp_path)
    letter.people(3)
    with ScriptedRelay() as relay:
        relayed(letter, relay)
        disabled = {"to": "p1@example.com", "say": "550 5.2.1 mailbox disabled", "times": 1}
        relay.on("rcpt", **disabled)  # type: ignore[arg-type]
        letter.run("send", "letter-1", "--yes", code=4)
        _days_ago(letter, 3)
        assert _status(letter) == "active"
        if taken:
            letter.run("send", "letter-2", "--yes")
        relay.on("rcpt", **disabled)  # type: ignore[arg-type]
        letter.run("send", "letter-3", "--yes", code=4)
    assert _status(letter) == status


def test_promise_6_a_relay_that_took_nothing_is_not_believed(tmp_path: Path) -> None:
    letter = publication(tmp_path)
    letter.people(2)
    with ScriptedRelay() as relay:
        relayed(letter, relay)
        relay.on("rcpt", say="550 5.2.1 mailbox disabled")
        for issue in ("letter-1", "letter-2", "letter-3"):
            letter.run("send", issue, "--yes", code=4)
            _days_ago(letter, 10)
    assert _status(letter) == "active"


def test_promise_6_a_domain_that_refuses_all_of_its_people_suppresses_nobody(
    tmp_path: Path,
) -> None:
    """In words that no table knows, issue after issue; others are taken meanwhile."""
    letter = publication(tmp_path)
    letter.people(4)
    with opened(letter) as store:
        store.add(NewSubscriber(address="friend@example.net", name=""), NOW)
    with ScriptedRelay() as relay:
        relayed(letter, relay)
        for number in range(4):
            relay.on("rcpt", to=f"p{number}@example.com", say="550 Denied by administrator")
        for issue in ("letter-1", "letter-2", "letter-3"):
            _days_ago(letter, 10)
            letter.run("send", issue, "--yes", code=4)
    assert _status(letter) == "active"


def _status(letter: Publication) -> str:
    with opened(letter) as store:
        person = store.subscriber("p1@example.com")
        assert person is not None
        return person.status.value


def _days_ago(letter: Publication, days: int) -> None:
    """As if everything in the ledger had happened some days earlier."""
    import sqlite3

    with sqlite3.connect(letter.root / ".newsletter" / "newsletter.db") as database:
        database.execute(
            "UPDATE delivery SET updated_at = updated_at - ?", (days * 86_400 * 1_000_000,)
        )
