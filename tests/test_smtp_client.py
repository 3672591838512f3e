"""The transaction, in lock step and pipelined, against a relay that keeps to a script."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import LineLost, MailRefused, RelayUnavailable
from newsletter.model import Mail, Reply, Stage
from newsletter.smtp.client import SMTPTransport
from newsletter.smtp.gate import dot_stuffed, refuse_unsafe
from newsletter.smtp.replies import Limits
from tests.smtpd import ScriptedRelay, letter

TAKEN = Reply(Stage.DOT, 250, "2.0.0", "taken")
REFUSALS = [
    ("mail", Stage.MAIL, 530),
    ("mail", Stage.MAIL, 451),
    ("rcpt", Stage.RCPT, 550),
    ("rcpt", Stage.RCPT, 450),
    ("data", Stage.DATA, 554),
    ("data", Stage.DATA, 451),
    ("dot", Stage.DOT, 554),
    ("dot", Stage.DOT, 452),
]


EXTENSIONS = {
    "lock-step": ("SIZE 10485760", "ENHANCEDSTATUSCODES"),
    "pipelined": ("SIZE 10485760", "ENHANCEDSTATUSCODES", "PIPELINING"),
}


@pytest.fixture(scope="module", params=EXTENSIONS)
def standing(request: pytest.FixtureRequest) -> Iterator[tuple[ScriptedRelay, SMTPTransport]]:
    """One relay and one transport for all examples of a property."""
    with (
        ScriptedRelay(extensions=EXTENSIONS[request.param]) as running,
        SMTPTransport(running.relay()) as transport,
    ):
        yield running, transport


class Begun:
    """What `begin` was called for, and what the relay had heard by then."""

    def __init__(self, relay: ScriptedRelay) -> None:
        self.relay = relay
        self.mails: list[Mail] = []
        self.last_verbs: list[str] = []

    def __call__(self, mail: Mail) -> None:
        self.mails.append(mail)
        self.last_verbs.append(self.relay.verbs()[-1])


@pytest.fixture(params=EXTENSIONS)
def relay(request: pytest.FixtureRequest) -> Iterator[ScriptedRelay]:
    with ScriptedRelay(extensions=EXTENSIONS[request.param]) as running:
        yield running


def replies(transport: SMTPTransport, mails: Iterable[Mail]) -> list[Reply]:
    return [reply for _, reply in transport.deliver(iter(mails), lambda _: None)]


def ahead(relay: ScriptedRelay) -> int:
    """How many mails may be pulled before the one in front has its answer."""
    return int("PIPELINING" in relay.extensions)


def people(number: int) -> list[Mail]:
    return [letter(f"reader{index}@example.com") for index in range(number)]


@contextmanager
def connected(relay: ScriptedRelay, **changes: object) -> Iterator[SMTPTransport]:
    limits = Limits(dot_s=0.4, quit_s=0.4)
    with SMTPTransport(relay.relay(**changes), limits) as transport:
        yield transport


def test_a_mail_is_taken_word_for_word(relay: ScriptedRelay) -> None:
    mail = letter("ada@example.com", "Dear Ada,\n\nsleep well.")
    with connected(relay) as transport:
        assert list(transport.deliver(iter([mail]), lambda _: None)) == [(mail, TAKEN)]
    (taken,) = relay.accepted
    assert (taken.mail_from, taken.rcpt_tos) == (mail.mail_from, [mail.rcpt_to])
    assert taken.content == mail.content
    assert [line for _, line in relay.commands] == [
        "ehlo [127.0.0.1]",
        f"MAIL FROM:<{mail.mail_from}> SIZE={len(mail.content)}",
        "RCPT TO:<ada@example.com>",
        "DATA",
        "QUIT",
    ]


def test_size_is_not_announced_to_a_relay_that_does_not_ask() -> None:
    with ScriptedRelay(extensions=()) as relay, connected(relay) as transport:
        replies(transport, [letter()])
        assert "SIZE" not in relay.commands[1][1]


def test_a_null_sender_is_an_empty_path(relay: ScriptedRelay) -> None:
    bounce = Mail("", "ada@example.com", "id", (b"Subject: x\r\n\r\nx\r\n",))
    with connected(relay) as transport:
        assert replies(transport, [bounce]) == [TAKEN]
    assert relay.accepted[0].mail_from == ""


@pytest.mark.parametrize(("at", "stage", "code"), REFUSALS)
def test_a_refusal_is_a_value_and_leaves_the_connection_usable(
    relay: ScriptedRelay, at: str, stage: Stage, code: int
) -> None:
    relay.on(at, say=f"{code} {code // 100}.7.9 not this one", times=1)
    with connected(relay) as transport:
        first, second = replies(transport, people(2))
    assert first == Reply(stage, code, f"{code // 100}.7.9", "not this one")
    assert second == TAKEN
    assert [taken.rcpt_to for taken in relay.accepted] == ["reader1@example.com"]
    assert relay.connections == 1


def test_every_mail_has_its_own_reply_in_order(relay: ScriptedRelay) -> None:
    relay.on("rcpt", to="reader1@example.com", say="550 5.1.1 gone")
    relay.on("dot", to="reader3@example.com", say="451 4.7.1 later")
    with connected(relay) as transport:
        outcome = list(transport.deliver(iter(people(5)), lambda _: None))
    assert [mail.rcpt_to for mail, _ in outcome] == [mail.rcpt_to for mail in people(5)]
    assert [reply.code for _, reply in outcome] == [250, 550, 250, 451, 250]
    assert [taken.rcpt_to for taken in relay.accepted] == [
        "reader0@example.com",
        "reader2@example.com",
        "reader4@example.com",
    ]


def test_reset_is_said_after_a_refusal_and_only_then(relay: ScriptedRelay) -> None:
    relay.on("rcpt", to="reader0@example.com", say="550 5.1.1 gone")
    with connected(relay) as transport:
        replies(transport, people(3))
    said = [verb for verb in relay.verbs() if verb != "DATA"]
    assert said == ["EHLO", "MAIL", "RCPT", "RSET", "MAIL", "RCPT", "MAIL", "RCPT", "QUIT"]


def test_a_relay_that_cannot_reset_gets_a_new_connection(relay: ScriptedRelay) -> None:
    relay.on("rcpt", say="550 5.1.1 gone", times=1).on("rset", say="502 what?", times=1)
    with connected(relay) as transport:
        assert [reply.code for reply in replies(transport, people(2))] == [550, 250]
    assert relay.connections == 2


def test_begin_is_called_after_354_and_before_the_content(relay: ScriptedRelay) -> None:
    begun = Begun(relay)
    relay.on("rcpt", to="reader1@example.com", say="550 5.1.1 gone")
    relay.on("data", to="reader2@example.com", say="451 4.3.0 later")
    with connected(relay) as transport:
        list(transport.deliver(iter(people(4)), begun))
    assert [mail.rcpt_to for mail in begun.mails] == ["reader0@example.com", "reader3@example.com"]
    assert begun.last_verbs == ["DATA", "DATA"]


def test_a_mail_whose_begin_fails_never_leaves(relay: ScriptedRelay) -> None:
    def full(mail: Mail) -> None:
        raise OSError("disk full")

    with connected(relay) as transport:
        with pytest.raises(OSError, match="disk full"):
            list(transport.deliver(iter([letter()]), full))
        assert replies(transport, [letter("bob@example.com")]) == [TAKEN]
    assert [taken.rcpt_to for taken in relay.accepted] == ["bob@example.com"]
    assert relay.transactions[0].content == b""


def test_mails_are_pulled_one_by_one_as_late_as_possible(relay: ScriptedRelay) -> None:
    pulled: list[int] = []

    def mails() -> Iterator[Mail]:
        for index, mail in enumerate(people(3)):
            pulled.append(index)
            yield mail

    with connected(relay) as transport:
        outcome = transport.deliver(mails(), lambda _: None)
        assert pulled == []
        for index in range(3):
            next(outcome)
            assert pulled == list(range(min(index + 1 + ahead(relay), 3)))


def test_a_new_connection_after_so_many_mails(relay: ScriptedRelay) -> None:
    with connected(relay, mails_per_connection=2) as transport:
        assert replies(transport, people(5)) == [TAKEN] * 5
    assert [taken.connection for taken in relay.accepted] == [1, 1, 2, 2, 3]
    assert relay.verbs(1)[-1] == "QUIT"


def test_a_relay_may_ask_for_fewer_mails_per_connection() -> None:
    with ScriptedRelay(extensions=("LIMITS RCPTMAX=5 MAILMAX=1",)) as relay:
        with connected(relay) as transport:
            replies(transport, people(2))
        assert [taken.connection for taken in relay.accepted] == [1, 2]


@pytest.mark.parametrize("at", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("drop", [True, False])
def test_421_is_a_reply_and_the_next_mail_goes_over_a_new_connection(
    relay: ScriptedRelay, at: str, *, drop: bool
) -> None:
    relay.on(at, say="421 4.3.2 closing", times=1, drop=drop)
    with connected(relay) as transport:
        first, second = replies(transport, people(2))
    assert (first.stage, first.code, first.status) == (Stage(at), 421, "4.3.2")
    assert second == TAKEN
    assert relay.connections == 2


def test_a_relay_that_hung_up_between_mails_is_dialled_again(relay: ScriptedRelay) -> None:
    relay.on("after-dot", drop=True, times=1)
    with connected(relay) as transport:
        first, second = people(2)
        assert replies(transport, [first]) == [TAKEN]
        time.sleep(0.05)
        assert replies(transport, [second]) == [TAKEN]
    assert [taken.connection for taken in relay.accepted] == [1, 2]


def test_a_relay_that_says_421_unasked_is_dialled_again(relay: ScriptedRelay) -> None:
    relay.on("after-dot", say="421 4.4.2 idle too long", drop=True, times=1)
    with connected(relay) as transport:
        assert replies(transport, [letter()]) == [TAKEN]
        time.sleep(0.05)
        assert replies(transport, [letter()]) == [TAKEN]
    assert relay.connections == 2


@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("reset", [False, True])
def test_a_line_lost_before_the_content_is_not_in_doubt(
    relay: ScriptedRelay, at: str, *, reset: bool
) -> None:
    begun = Begun(relay)
    relay.on(at, drop=True, reset=reset, times=1)
    with connected(relay) as transport:
        with pytest.raises(LineLost) as caught:
            list(transport.deliver(iter([letter()]), begun))
        assert not caught.value.in_doubt
        assert begun.mails == []
        assert replies(transport, [letter()]) == [TAKEN]
    assert len(relay.accepted) == 1


def test_a_line_lost_within_the_content_is_not_in_doubt(relay: ScriptedRelay) -> None:
    relay.on("content", drop=True, reset=True, after=100_000)
    begun = Begun(relay)
    long = letter(body="Sleep is a habit of the body.\n" * 1_000_000)
    with connected(relay) as transport, pytest.raises(LineLost) as caught:
        list(transport.deliver(iter([long]), begun))
    assert not caught.value.in_doubt
    assert begun.mails == [long]
    assert relay.accepted == []


@pytest.mark.parametrize("reset", [False, True])
def test_a_line_lost_after_the_dot_is_in_doubt(relay: ScriptedRelay, *, reset: bool) -> None:
    relay.on("dot", drop=True, reset=reset, times=1)
    with connected(relay) as transport:
        with pytest.raises(LineLost) as caught:
            replies(transport, [letter()])
        assert caught.value.in_doubt
        assert replies(transport, [letter("bob@example.com")]) == [TAKEN]
    assert len(relay.accepted) == 2


def test_no_answer_to_the_dot_is_in_doubt_after_its_own_time(relay: ScriptedRelay) -> None:
    relay.on("dot", delay_s=1.0)
    with connected(relay) as transport, pytest.raises(LineLost, match="in time") as caught:
        replies(transport, [letter()])
    assert caught.value.in_doubt


def test_the_dot_has_more_time_than_a_command(relay: ScriptedRelay) -> None:
    relay.on("dot", delay_s=1.5)
    with SMTPTransport(relay.relay(timeout_s=1.0), Limits(dot_s=30)) as transport:
        assert replies(transport, [letter()]) == [TAKEN]


def test_a_command_without_an_answer_is_not_waited_for_for_ever(relay: ScriptedRelay) -> None:
    relay.on("rcpt", delay_s=4.0)
    with connected(relay, timeout_s=1.0) as transport, pytest.raises(LineLost) as caught:
        replies(transport, [letter()])
    assert not caught.value.in_doubt


@pytest.mark.parametrize("say", ["354 more?", "999 ok", "taken", "150 ok", b"250-a\r\n550 b\r\n"])
def test_attack_30_an_answer_to_the_dot_that_is_none_is_in_doubt(
    relay: ScriptedRelay, say: str | bytes
) -> None:
    relay.on("dot", say=say)
    with connected(relay) as transport, pytest.raises(LineLost) as caught:
        replies(transport, [letter()])
    assert caught.value.in_doubt


@pytest.mark.parametrize(
    ("at", "say"),
    [("mail", "354 go on"), ("rcpt", "334 x"), ("data", "250 ok"), ("mail", "999 ok")],
)
def test_attack_30_an_answer_that_does_not_fit_loses_the_line(
    relay: ScriptedRelay, at: str, say: str
) -> None:
    relay.on(at, say=say)
    with connected(relay) as transport, pytest.raises(LineLost) as caught:
        replies(transport, [letter()])
    assert not caught.value.in_doubt


def test_attack_30_an_answer_too_many_is_never_taken_for_the_next(relay: ScriptedRelay) -> None:
    relay.on("mail", say=b"250 fine\r\n250 fine\r\n354 go on\r\n250 taken\r\n")
    begun = Begun(relay)
    with connected(relay) as transport, pytest.raises(LineLost, match="before it was asked"):
        list(transport.deliver(iter([letter()]), begun))
    assert begun.mails == []


def test_a_refusal_in_the_middle_of_the_content_is_heard(relay: ScriptedRelay) -> None:
    relay.on("content", say="552 5.3.4 too big", drop=True, after=50_000, times=1)
    long = letter(body="Sleep is a habit of the body.\n" * 1_000_000)
    with connected(relay) as transport:
        try:
            first, second = replies(transport, [long, letter()])
        except LineLost as lost:  # the reset may overtake the reply; never in doubt
            assert not lost.in_doubt
            return
    assert (first.stage, first.code) == (Stage.DOT, 552)
    assert second == TAKEN


def test_no_relay_for_the_next_connection_is_unavailable(relay: ScriptedRelay) -> None:
    relay.on("dot", say="421 4.3.2 closing", drop=True)
    pulled: list[str] = []

    def mails() -> Iterator[Mail]:
        for mail in people(2):
            pulled.append(mail.rcpt_to)
            yield mail

    with connected(relay) as transport:
        outcome = transport.deliver(mails(), lambda _: None)
        assert next(outcome)[1].code == 421
        relay.on("greeting", say="421 4.3.2 closed", drop=True)
        with pytest.raises(RelayUnavailable, match="421"):
            next(outcome)
    assert len(pulled) == 1 + ahead(relay)


def test_leaving_after_a_failure_elsewhere_does_not_say_quit(relay: ScriptedRelay) -> None:
    with pytest.raises(KeyError), connected(relay):
        raise KeyError
    time.sleep(0.05)
    assert relay.verbs() == ["EHLO"]


def test_a_relay_that_will_not_say_goodbye_is_left_in_time(relay: ScriptedRelay) -> None:
    relay.on("quit", delay_s=6.0)
    began = time.monotonic()
    with connected(relay) as transport:
        replies(transport, [letter()])
    assert time.monotonic() - began < 5


# the gate


HOSTILE = [
    "a@b.example>\r\nRCPT TO:<c@d.example",
    "a@b.example\r\nDATA",
    "a@b.example\nx",
    "a@b.example\rx",
    "a b@c.example",
    "a@b.example>",
    "<a@b.example",
    "a\0@b.example",
    "a@b.example\x7f",
    "é>@b.example",
    "é\u2028@b.example",
    "é@é.example",
    "nobody",
    "@b.example",
    "a@",
    "",
    "a" * 65 + "@b.example",
    "a@" + "b" * 254,
    "a@b.example\n",
]


@pytest.mark.parametrize("address", HOSTILE)
def test_attack_4_an_address_that_ends_the_command_never_leaves(
    relay: ScriptedRelay, address: str
) -> None:
    content = letter().content
    with connected(relay) as transport:
        with pytest.raises(MailRefused) as caught:
            replies(transport, [Mail("news@letters.example.org", address, "id", (content,))])
        assert "\r" not in str(caught.value)
        assert replies(transport, [letter()]) == [TAKEN]
    assert [taken.rcpt_to for taken in relay.accepted] == ["ada@example.com"]
    assert len(relay.transactions) == 1


@pytest.mark.parametrize("address", [address for address in HOSTILE if address])
def test_attack_4_neither_does_a_sender(address: str) -> None:
    with pytest.raises(MailRefused):
        refuse_unsafe(Mail(address, "ada@example.com", "id", (letter().content,)))


@pytest.mark.parametrize("address", ["a@b.example", "o'hara+x=y@sub.b.example", '"a"@b.example'])
def test_ordinary_addresses_pass_the_gate(address: str) -> None:
    refuse_unsafe(Mail(address, address, "id", (letter().content,)))


SMUGGLED = b"MAIL FROM:<x@evil.example>\r\nRCPT TO:<y@evil.example>\r\nDATA\r\nSubject: x\r\n\r\nx"


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\n\n.\r\n"]
)
def test_attack_5_a_bare_line_end_is_refused_before_anything_leaves(
    relay: ScriptedRelay, end: bytes
) -> None:
    content = b"Subject: a\r\n\r\nfirst" + end + SMUGGLED + b"\r\n"
    with connected(relay) as transport:
        with pytest.raises(MailRefused, match="bare CR or LF"):
            replies(transport, [Mail("n@example.org", "ada@example.com", "id", (content,))])
        assert replies(transport, [letter()]) == [TAKEN]
    assert len(relay.accepted) == 1


def test_attack_5_a_dot_line_in_the_body_arrives_as_one_mail(relay: ScriptedRelay) -> None:
    content = b"Subject: a\r\n\r\nfirst\r\n.\r\n" + SMUGGLED + b"\r\n.\r\nQUIT\r\n"
    with connected(relay) as transport:
        assert replies(transport, [Mail("n@example.org", "ada@example.com", "id", (content,))]) == [
            TAKEN
        ]
    (taken,) = relay.accepted
    assert taken.content == content
    assert relay.verbs() == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


@pytest.mark.parametrize("content", [b"", b"x", b"x\r\n\r\nx", b"caf\xc3\xa9\r\n", b"a\0b\r\n"])
def test_what_is_not_7_bit_text_is_refused(content: bytes) -> None:
    with pytest.raises(MailRefused):
        refuse_unsafe(Mail("n@example.org", "ada@example.com", "id", (content,)))


LINES = st.lists(
    st.one_of(
        st.sampled_from([b"", b".", b"..", b".x", b"x.", b". ", b"...."]),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.encode),
    ),
    min_size=1,
    max_size=12,
)


@given(LINES)
def test_dots_are_stuffed_and_no_line_is_a_dot(lines: list[bytes]) -> None:
    content = b"\r\n".join(lines) + b"\r\n"
    sent = dot_stuffed(content).split(b"\r\n")
    assert sent[-1] == b""
    assert b"." not in sent
    assert [line.removeprefix(b".") for line in sent[:-1]] == content.split(b"\r\n")[:-1]


@settings(max_examples=40, deadline=None)
@given(LINES)
def test_any_lines_arrive_as_they_were(
    standing: tuple[ScriptedRelay, SMTPTransport], lines: list[bytes]
) -> None:
    content = b"\r\n".join(lines) + b"\r\n"
    relay, transport = standing
    mail = Mail("n@example.org", "ada@example.com", "id", (content,))
    assert replies(transport, [mail]) == [TAKEN]
    assert relay.accepted[-1].content == content
