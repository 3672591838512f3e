"""newsletter.delivery.replies: the same words are one group, and nobody's address is told."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.advice import BY_REASON, BY_VERDICT, advice
from newsletter.delivery.replies import LONGEST, fold, groups
from newsletter.delivery.verdicts import TABLE, Verdict
from newsletter.model import DeliveryState, Reply, ReplyTally, Stage

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FAILED = DeliveryState.FAILED

# Each has what differs from one recipient to the next in braces.
SAID = [
    "<{address}>: Recipient address rejected: User unknown in local recipient table",
    "The email account does not exist. https://support.google.com/?p=NoSuchUser {id}-{id}.{number}",
    "Service unavailable; client [{ip}] blocked using zen.spamhaus.org, see /query/ip/{ip}",
    "[TSS04] Messages from {ip} temporarily deferred due to unexpected volume",
    "Please try again later (S3150). [{id}.eurprd04.prod.outlook.com {time} {id}]",
    "{address} mailbox full, {number} bytes over; retry in {number} seconds",
    "queued as {id}",
]
addresses = st.from_regex(r"[a-z0-9.+_-]{1,20}@[a-z0-9]{1,12}\.example", fullmatch=True)
ips = st.ip_addresses().map(str)
ids = st.from_regex(r"[0-9A-F]{3}[0-9][0-9A-F]{4}[0-9][0-9A-F]{0,6}", fullmatch=True)
numbers = st.integers(0, 10**12).map(str)
times = st.datetimes().map(lambda moment: f"{moment:%H:%M:%S}").map(lambda t: f"2026-11-23T{t}Z")
own = st.fixed_dictionaries(
    {"address": addresses, "ip": ips, "id": ids, "number": numbers, "time": times}
)


@pytest.mark.parametrize("said", SAID)
@given(one=own, other=own)
def test_what_differs_between_recipients_is_folded(
    said: str, one: dict[str, str], other: dict[str, str]
) -> None:
    assert fold(said.format(**one)) == fold(said.format(**other))


@given(st.text(max_size=400))
def test_folding_is_idempotent_and_bounded(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert len(once) <= LONGEST


@given(st.text(max_size=60), addresses, st.text(max_size=60))
def test_no_address_is_left(before: str, address: str, after: str) -> None:
    assert address not in fold(f"{before} {address} {after}")
    assert address not in fold(f"{before}<{address}>{after}")
    assert "@" not in fold(f"{before} <{address}>: {after}").replace(" @", "").replace(
        "@ ", ""
    ) or ("@" in before + after)


@given(
    st.lists(
        st.tuples(st.sampled_from(SAID), own, st.integers(1, 1000), st.integers(0, 9)), max_size=30
    )
)
def test_every_row_is_in_one_group_and_the_biggest_comes_first(
    said: list[tuple[str, dict[str, str], int, int]],
) -> None:
    tallies = [
        tally(text.format(**parts), count, NOW + timedelta(minutes=minutes))
        for text, parts, count, minutes in said
    ]
    found = groups(tallies)
    assert sum(group.count for group in found) == sum(row.count for row in tallies)
    assert [group.count for group in found] == sorted((g.count for g in found), reverse=True)
    assert len({(g.state, g.reason, g.reply) for g in found}) == len(found)
    for group in found:
        assert group.first_at <= group.last_at


def tally(text: str, count: int = 1, at: datetime = NOW) -> ReplyTally:
    return ReplyTally(FAILED, "refused", Reply(Stage.RCPT, 550, "5.1.1", text), count, at, at)


def test_a_port_is_no_part_of_an_address() -> None:
    assert fold("main: 192.0.2.7:2599: Connection refused") == "main: <ip>:…: Connection refused"
    assert fold("from 2001:db8::7 and ::1") == "from <ip> and <ip>"


def test_a_code_a_status_and_a_providers_code_are_not_folded() -> None:
    assert fold("550 5.7.606 S3150 [TSS04]") == "550 5.7.606 S3150 [TSS04]"
    assert fold("the relay refuses us: 550 account 77 gone") == (
        "the relay refuses us: 550 account … gone"
    )
    assert fold("main answered 535 go away") == "main answered 535 go away"
    answers = [Reply(Stage.RCPT, code, "", "no") for code in (550, 551)]
    tallies = [ReplyTally(FAILED, "refused", reply, 1, NOW, NOW) for reply in answers]
    assert len(groups(tallies)) == 2


def test_an_old_answer_does_not_explain_a_mail_in_doubt() -> None:
    reply = Reply(Stage.RCPT, 450, "4.7.1", "greylisted")
    [group] = groups([ReplyTally(DeliveryState.UNKNOWN, "the line died", reply, 2, NOW, NOW)])
    assert group.reply is None
    assert "may have it, or not" in group.advice.means


def test_every_reason_of_the_table_has_its_advice() -> None:
    reasons = {rule.because for rule in TABLE} - {""}
    assert set(BY_REASON) <= reasons, "advice on a reason that is never given"
    assert set(BY_VERDICT) == set(Verdict)
    personal = {
        rule.because
        for rule in TABLE
        if rule.verdict in (Verdict.HARD, Verdict.SOFT, Verdict.POLICY)
    }
    assert personal <= set(BY_REASON)


@pytest.mark.parametrize("state", list(DeliveryState))
def test_whatever_happened_something_is_said_about_it(state: DeliveryState) -> None:
    for reply in (None, Reply(Stage.CONNECT, 999, "", ""), Reply(Stage.RCPT, 550, "5.1.1", "gone")):
        told = advice(state, "because", reply)
        assert told.means
        assert told.todo


def test_a_relays_answer_that_ends_the_run_names_nobody() -> None:
    from newsletter.delivery.breaker import Breaker

    breaker = Breaker("sleep")
    for number in range(10):
        who = f"reader{number}@example.com"
        breaker.hear(who, Reply(Stage.RCPT, 550, "5.1.1", f"<{who}>: no such user"))
    assert breaker.error is not None
    assert "@" not in str(breaker.error)
    assert Counter(str(breaker.error))["<"] == 1
