"""A reply decides what the ledger says; who is at fault decides which."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.delivery.outcome import MAX_ATTEMPTS, MOST_OFFERS, outcome, wait
from newsletter.model import Delivery, DeliveryState, Reply, Stage

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def row(deferrals: int = 0) -> Delivery:
    return Delivery(
        send_id=1,
        subscriber_id=1,
        address="ada@example.com",
        name="",
        state=DeliveryState.CLAIMED,
        attempts=9,
        deferrals=deferrals,
    )


def test_a_250_to_the_dot_is_accepted_and_keeps_the_queue_id() -> None:
    reply = Reply(Stage.DOT, 250, "2.0.0", "Ok: queued as 4XYZ")
    done = outcome(row(), reply, NOW)
    assert (done.state, done.reply) == (DeliveryState.ACCEPTED, reply)


def test_a_550_at_rcpt_fails_that_recipient_only() -> None:
    reply = Reply(Stage.RCPT, 550, "5.1.1", "no such user")
    assert outcome(row(), reply, NOW).state is DeliveryState.FAILED


def test_a_451_is_deferred_with_a_growing_wait() -> None:
    reply = Reply(Stage.RCPT, 451, "4.7.1", "greylisted")
    first, second = outcome(row(), reply, NOW), outcome(row(1), reply, NOW)
    assert first.state is second.state is DeliveryState.DEFERRED
    assert first.next_at == NOW + timedelta(minutes=5)
    assert second.next_at == NOW + timedelta(minutes=10)
    assert wait(40) == timedelta(hours=1)


def test_a_recipient_who_stays_deferred_fails_in_the_end() -> None:
    done = outcome(row(MAX_ATTEMPTS - 1), Reply(Stage.RCPT, 450, "4.7.1", "later"), NOW)
    assert (done.state, done.reason) == (
        DeliveryState.FAILED,
        "gave up after 5 attempts: greylisted",
    )


@pytest.mark.parametrize(
    "reply",
    [
        Reply(Stage.MAIL, 553, "5.1.8", "sender rejected"),
        Reply(Stage.RCPT, 550, "5.7.1", "relaying denied"),
        Reply(Stage.RCPT, 554, "", "Your IP is on our blocklist"),
        Reply(Stage.DOT, 550, "5.7.515", "does not meet the required authentication level"),
        Reply(Stage.DOT, 554, "5.6.0", "malformed"),
        Reply(Stage.DOT, 552, "5.3.4", "message too big"),
        Reply(Stage.DATA, 503, "5.5.1", "bad sequence"),
        Reply(Stage.DOT, 554, "", "spam message rejected"),
        Reply(Stage.DOT, 421, "4.7.0", "[TSS04] Messages temporarily deferred"),
        Reply(Stage.RCPT, 450, "4.7.1", "Client host rejected: cannot find your hostname"),
        Reply(Stage.MAIL, 452, "4.3.1", "Insufficient system storage"),
        Reply(Stage.DOT, 550, "5.4.5", "Daily user sending limit exceeded"),
        Reply(Stage.DOT, 999, "", "?"),
    ],
)
@pytest.mark.parametrize("attempts", [1, MAX_ATTEMPTS, 40])
def test_promise_6_a_refusal_of_us_never_fails_a_recipient(reply: Reply, attempts: int) -> None:
    done = outcome(row(attempts), reply, NOW)
    assert done.state is DeliveryState.DEFERRED
    assert done.reason


def test_what_passes_when_it_is_mended_is_due_at_once() -> None:
    done = outcome(row(3), Reply(Stage.MAIL, 553, "5.1.8", "who are you"), NOW)
    assert done.next_at == NOW


def test_a_throttle_waits_a_minute_and_never_more_than_an_hour() -> None:
    reply = Reply(Stage.DOT, 421, "4.7.28", "unusual rate of mail")
    waits = [outcome(row(n), reply, NOW).next_at for n in (1, 2, 3, 30)]
    minutes = [(due - NOW).total_seconds() / 60 for due in waits if due]
    assert minutes == [1, 2, 4, 60]


def test_jitter_lengthens_a_wait_by_a_quarter_at_most() -> None:
    reply = Reply(Stage.RCPT, 451, "4.7.1", "greylisted")
    assert outcome(row(), reply, NOW, 1.0).next_at == NOW + timedelta(minutes=6.25)


def test_a_mailbox_that_stays_full_is_given_up_for_this_issue() -> None:
    full = Reply(Stage.RCPT, 452, "4.2.2", "mailbox full")
    assert outcome(row(), full, NOW).state is DeliveryState.DEFERRED
    assert outcome(row(MAX_ATTEMPTS), full, NOW).state is DeliveryState.FAILED


def test_a_domain_that_refuses_us_for_days_is_given_up_and_a_relay_never() -> None:
    """Else a send with one such reader is never over, and their server is asked each hour."""
    offered = row()._replace(attempts=MOST_OFFERS)
    done = outcome(offered, Reply(Stage.RCPT, 550, "5.7.1", "blocked by policy"), NOW)
    assert (done.state, done.reason) == (
        DeliveryState.FAILED,
        "gave up after 100 attempts: they refuse us",
    )
    busy = outcome(offered, Reply(Stage.MAIL, 452, "4.3.1", "disk full"), NOW)
    assert busy.state is DeliveryState.DEFERRED
