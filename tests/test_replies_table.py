"""Every row of the table of replies, by a reply that providers and relays really give."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.verdicts import TABLE, Scope, Verdict, ruling
from newsletter.model import Reply, Stage
from newsletter.smtp.replies import parse_reply

CONNECT, AUTH, MAIL, RCPT, DATA, DOT = (
    Stage.CONNECT,
    Stage.AUTH,
    Stage.MAIL,
    Stage.RCPT,
    Stage.DATA,
    Stage.DOT,
)
R, D, A = Scope.RECIPIENT, Scope.DOMAIN, Scope.RUN
V = Verdict

REPLIES: list[tuple[Stage, str, Verdict, Scope]] = [
    (DOT, "250 2.0.0 Ok: queued as 4XYZ", V.ACCEPTED, R),
    (DOT, "250", V.ACCEPTED, R),
    # before MAIL
    (CONNECT, "421 4.3.2 too many connections", V.RETRY, A),
    (CONNECT, "554 5.3.2 no service for you", V.FATAL, A),
    (AUTH, "454 4.7.0 temporary authentication failure", V.RETRY, A),
    (AUTH, "535 5.7.8 credentials invalid", V.FATAL, A),
    # Gmail
    (DOT, "550 5.4.5 Daily user sending limit exceeded. For more information", V.QUOTA, A),
    (DOT, "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail", V.THROTTLE, D),
    (DOT, "421 4.7.28 our system has detected a lot of mail", V.THROTTLE, D),
    (DOT, "421 4.7.0 try again later", V.THROTTLE, D),
    (RCPT, "450 4.2.1 The user you are trying to contact gets mail too fast", V.THROTTLE, D),
    (DOT, "421 4.7.27 SPF check did not pass", V.POLICY, D),
    (DOT, "421 4.7.32 the From header is not aligned", V.POLICY, D),
    (DOT, "550 5.7.26 This mail is unauthenticated", V.POLICY, D),
    (DOT, "550 5.7.25 The sending IP has no PTR record", V.POLICY, D),
    (DOT, "550 5.7.1 Our system has detected that this message is likely spam", V.POLICY, D),
    (RCPT, "550 5.1.1 The email account that you tried to reach does not exist", V.HARD, R),
    (RCPT, "550 5.2.1 The account that you tried to reach is inactive", V.SOFT, R),
    (RCPT, "452 4.2.2 The recipient's inbox is out of storage space", V.SOFT, R),
    (RCPT, "552 5.2.2 The email account is over quota", V.SOFT, R),
    # Yahoo
    (DOT, "552 1 Requested mail action aborted, mailbox not found", V.HARD, R),
    (DOT, "554 30 Sorry, your message cannot be delivered. This mailbox is disabled", V.SOFT, R),
    (MAIL, "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", V.THROTTLE, D),
    (MAIL, "553 5.7.2 [TSS09] All messages from 192.0.2.1 will be deferred", V.POLICY, D),
    (MAIL, "553 5.7.1 [BL21] Connections will not be accepted", V.POLICY, D),
    (DOT, "554 5.7.9 [PH01] Message not accepted for policy reasons", V.POLICY, D),
    (MAIL, "421 Max message per connection reached, closing", V.RETRY, R),
    # Microsoft
    (DOT, "550 5.7.515 Access denied, sending domain does not meet the level", V.POLICY, D),
    (MAIL, "550 5.7.1 messages weren't sent. part of their network (S3150)", V.POLICY, D),
    (RCPT, "451 4.7.650 The mail server has been temporarily limited", V.THROTTLE, D),
    (RCPT, "451 4.7.500 Server busy", V.THROTTLE, D),
    (RCPT, "451 4.7.860 later", V.THROTTLE, D),
    (RCPT, "550 5.1.10 RESOLVER.ADR.RecipientNotFound", V.HARD, R),
    (RCPT, "550 5.5.0 Requested action not taken: mailbox unavailable", V.HARD, R),
    (DOT, "550 5.1.90 Your message can't be sent: you've reached your limit", V.QUOTA, A),
    (DOT, "550 5.7.708 Service unavailable. Access denied", V.QUOTA, A),
    (DOT, "550 5.4.316 Message expired", V.SOFT, R),
    # Apple
    (DOT, "554 5.7.1 [HME1] This message was blocked", V.POLICY, D),
    (DOT, "550 5.7.1 [CS01] Message rejected due to local policy", V.POLICY, D),
    (RCPT, "421 4.7.1 excessive volume from your IP", V.THROTTLE, D),
    (RCPT, "550 5.1.6 recipient no longer on server", V.HARD, R),
    # relays
    (DOT, "454 Throttling failure: Maximum sending rate exceeded", V.THROTTLE, D),
    (DOT, "454 Throttling failure: Daily message quota exceeded", V.QUOTA, A),
    (MAIL, "530 5.7.0 Authentication required", V.FATAL, A),
    (MAIL, "553 5.1.8 Sender address rejected: Domain not found", V.FATAL, A),
    (RCPT, "553 5.1.7 bad sender", V.FATAL, A),
    (RCPT, "454 4.7.1 <ada@example.com>: Relay access denied", V.FATAL, A),
    (RCPT, "450 4.1.8 <us@example.org>: Sender address rejected: Domain not found", V.RETRY, A),
    (RCPT, "550 Sender verify failed", V.FATAL, A),
    (RCPT, "550 5.1.0 Sender domain does not exist", V.FATAL, A),
    (RCPT, "550 Verification failed for <us@example.org>", V.FATAL, A),
    (RCPT, "550 Domain us.test has exceeded the max emails per hour (100/100) allowed", V.QUOTA, A),
    (DOT, "452 4.7.1 Hourly sending limit exceeded", V.QUOTA, A),
    (RCPT, "550 Too many messages, slow down", V.THROTTLE, D),
    (RCPT, "451 4.4.5 mail system congestion", V.RETRY, A),
    (MAIL, "550 we do not like you", V.FATAL, A),
    (MAIL, "552 5.3.4 message size exceeds fixed limit", V.FATAL, A),
    (DOT, "552 Message size exceeds maximum", V.FATAL, A),
    (DOT, "554 5.6.0 malformed", V.FATAL, A),
    (RCPT, "553 5.6.7 SMTPUTF8 needed", V.SOFT, R),
    (DOT, "550 5.6.0 improper use of 8-bit data in message header", V.SOFT, R),
    (DATA, "503 5.5.1 bad sequence of commands", V.FATAL, A),
    (RCPT, "501 bad address syntax", V.FATAL, A),
    (DATA, "554 no", V.FATAL, A),
    (RCPT, "554 5.7.1 relaying denied", V.FATAL, A),
    (RCPT, "550 relay not permitted", V.FATAL, A),
    (MAIL, "452 4.3.1 Insufficient system storage", V.RETRY, A),
    (MAIL, "451 internal error", V.RETRY, A),
    (MAIL, "450 4.7.1 not from there", V.THROTTLE, A),
    (MAIL, "421 too many messages", V.THROTTLE, A),
    # any server
    (RCPT, "550 5.1.1 <x> blocked using zen.spamhaus.org", V.POLICY, D),
    (RCPT, "451 listed at a DNSBL", V.POLICY, D),
    (RCPT, "450 4.7.1 Client host rejected: cannot find your hostname", V.POLICY, D),
    (RCPT, "554 Your access was denied by policy", V.POLICY, D),
    (DOT, "554 rejected as spam", V.POLICY, D),
    (DOT, "550 no thank you", V.POLICY, D),
    (RCPT, "550 user unknown; see our policy page", V.HARD, R),
    (RCPT, "550 5.0.0 no such user here", V.HARD, R),
    (DOT, "550 5.1.1 user unknown", V.HARD, R),
    (RCPT, "556 5.1.10 null MX", V.HARD, R),
    (RCPT, "550 5.4.4 host not found: NXDOMAIN", V.HARD, R),
    (RCPT, "550 5.4.1 Recipient address rejected: Access denied", V.SOFT, R),
    (RCPT, "550 5.7.17 mailbox owner has changed", V.SOFT, R),
    (RCPT, "550 Requested action not taken: mailbox unavailable", V.SOFT, R),
    (RCPT, "552 mailbox full", V.SOFT, R),
    (DOT, "552 5.2.2 mailbox size limit exceeded", V.SOFT, R),
    (RCPT, "450 4.2.0 Greylisted, see our policy", V.RETRY, R),
    (RCPT, "451 4.7.1 please come back", V.RETRY, R),
    (RCPT, "452 4.5.3 too few recipients", V.RETRY, R),
    (DOT, "451 4.4.1 later", V.RETRY, R),
    (RCPT, "421 service closing", V.THROTTLE, D),
]


def said(stage: Stage, line: str) -> Reply:
    return parse_reply(stage, [line.encode()])


@pytest.mark.parametrize(("stage", "line", "verdict", "scope"), REPLIES)
def test_a_reply_is_ruled_by_its_row(
    stage: Stage, line: str, verdict: Verdict, scope: Scope
) -> None:
    told = ruling(said(stage, line))
    assert (told.verdict, told.scope) == (verdict, scope), told.because


def test_every_row_of_the_table_decides_a_reply_of_this_list() -> None:
    deciding = {
        next(index for index, rule in enumerate(TABLE) if rule.matches(said(stage, line)))
        for stage, line, _, _ in REPLIES
    }
    idle = [str(rule) for index, rule in enumerate(TABLE) if index not in deciding]
    assert idle == []


@pytest.mark.parametrize("stage", list(Stage))
def test_a_permanent_reply_without_words_hurts_nobody_who_was_not_named(stage: Stage) -> None:
    told = ruling(Reply(stage, 550, "", ""))
    assert told.verdict is not Verdict.HARD
    assert (told.scope is Scope.RECIPIENT) is (stage is Stage.RCPT)


@given(
    st.sampled_from(list(Stage)),
    st.integers(200, 599),
    st.from_regex(r"([245]\.\d{1,3}\.\d{1,3})?", fullmatch=True),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
)
def test_promise_6_whatever_a_relay_says_only_a_5yz_can_be_hard(
    stage: Stage, code: int, status: str, text: str
) -> None:
    told = ruling(Reply(stage, code, status, text))
    if told.verdict is Verdict.HARD:
        assert code >= 500
    if code < 300 and stage is Stage.DOT:
        assert told.verdict is Verdict.ACCEPTED
