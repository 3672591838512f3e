"""A reply decides what the ledger says; who is at fault decides which."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.delivery.outcome import MAX_ATTEMPTS, ours, outcome, wait
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
    assert not ours(reply)


def test_a_451_is_deferred_with_a_growing_wait() -> None:
    reply = Reply(Stage.RCPT, 451, "4.7.1", "greylisted")
    first, second = outcome(row(), reply, NOW), outcome(row(1), reply, NOW)
    assert first.state is second.state is DeliveryState.DEFERRED
    assert first.next_at == NOW + timedelta(minutes=5)
    assert second.next_at == NOW + timedelta(minutes=10)
    assert wait(40) == timedelta(hours=1)


def test_a_recipient_who_stays_deferred_fails_in_the_end() -> None:
    done = outcome(row(MAX_ATTEMPTS - 1), Reply(Stage.RCPT, 450, "4.2.1", "later"), NOW)
    assert (done.state, done.reason) == (DeliveryState.FAILED, "gave up after 5 attempts")


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
    ],
)
def test_promise_6_a_refusal_of_us_never_fails_a_recipient(reply: Reply) -> None:
    assert ours(reply)
    assert outcome(row(), reply, NOW).state is DeliveryState.DEFERRED


def test_a_dot_refused_for_the_recipient_fails_the_recipient() -> None:
    reply = Reply(Stage.DOT, 550, "5.1.1", "user unknown")
    assert outcome(row(), reply, NOW).state is DeliveryState.FAILED


@pytest.mark.parametrize(
    "reply",
    [
        Reply(Stage.RCPT, 552, "5.2.2", "mailbox full"),
        Reply(Stage.RCPT, 550, "", "Requested action not taken: mailbox unavailable"),
        Reply(Stage.RCPT, 550, "", "user unknown; see our policy page"),
        Reply(Stage.RCPT, 550, "5.2.1", "account blocked"),
        Reply(Stage.DOT, 554, "", "mailbox not found"),
    ],
)
def test_a_refusal_of_the_recipient_is_not_ours(reply: Reply) -> None:
    assert not ours(reply)
