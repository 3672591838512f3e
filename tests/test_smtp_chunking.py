"""Several mails on the way at once (RFC 3030), and everything that can cut them apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from newsletter.errors import LineLost
from newsletter.model import Mail
from newsletter.smtp.client import SMTPTransport
from newsletter.smtp.replies import Limits
from tests.smtpd import ScriptedRelay, letter

OFFERED = ("PIPELINING", "CHUNKING", "ENHANCEDSTATUSCODES")


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay(extensions=OFFERED) as running:
        yield running


def people(number: int) -> list[Mail]:
    return [
        letter(f"reader{index}@example.com", body=".a line\n.\nmore") for index in range(number)
    ]


class Delivered:
    """What came of some mails on one transport, as far as it went."""

    def __init__(self, relay: ScriptedRelay, count: int, **changes: object) -> None:
        self.begun: list[str] = []
        self.answers: list[tuple[str, int]] = []
        self.error: LineLost | None = None
        options = {"depth": 4, **changes}
        with SMTPTransport(relay.relay(**options), Limits(dot_s=0.6, quit_s=0.4)) as transport:
            try:
                for mail, reply in transport.deliver(iter(people(count)), self._begin):
                    self.answers.append((mail.rcpt_to.partition("@")[0], reply.code))
            except LineLost as error:
                self.error = error

    def _begin(self, mail: Mail) -> None:
        self.begun.append(mail.rcpt_to.partition("@")[0])

    @property
    def not_left(self) -> set[str]:
        assert self.error is not None
        return {name.partition(".")[2].partition(".")[0] for name in self.error.not_left}


def test_as_many_mails_are_under_way_as_are_allowed_and_no_more(relay: ScriptedRelay) -> None:
    begun: list[Mail] = []
    ahead = []
    with SMTPTransport(relay.relay(depth=4)) as transport:
        for number, _ in enumerate(transport.deliver(iter(people(12)), begun.append)):
            ahead.append(len(begun) - number)
    assert ahead == [4] * 9 + [3, 2, 1]


def test_content_arrives_as_it_is_without_dot_stuffing(relay: ScriptedRelay) -> None:
    done = Delivered(relay, 6)
    assert [code for _, code in done.answers] == [250] * 6
    assert [taken.content for taken in relay.accepted] == [mail.content for mail in people(6)]
    assert "DATA" not in relay.verbs()


@pytest.mark.parametrize("extensions", [("PIPELINING",), ("CHUNKING",), ()])
def test_without_both_extensions_data_is_used(extensions: tuple[str, ...]) -> None:
    with ScriptedRelay(extensions=extensions) as relay:
        assert len(Delivered(relay, 3).answers) == 3
        assert "BDAT" not in relay.verbs()


def test_depth_one_uses_data_so_that_one_mail_is_in_doubt(relay: ScriptedRelay) -> None:
    Delivered(relay, 3, depth=1)
    assert "BDAT" not in relay.verbs()


def test_a_refused_recipient_costs_nobody_else(relay: ScriptedRelay) -> None:
    relay.on("rcpt", to="reader1@example.com", say="550 5.1.1 gone")
    relay.on("mail", say="250 2.1.0 fine", times=3)
    relay.on("mail", say="451 4.3.0 not now", times=1)
    done = Delivered(relay, 6)
    assert [code for _, code in done.answers] == [250, 550, 250, 451, 250, 250]
    assert len(relay.accepted) == 4
    assert relay.connections == 1


def test_a_line_lost_leaves_exactly_what_had_left_in_doubt(relay: ScriptedRelay) -> None:
    relay.on("dot", to="reader1@example.com", drop=True)
    done = Delivered(relay, 9)
    assert done.answers == [("reader0", 250)]
    assert done.error is not None
    assert done.error.in_doubt
    doubtful = set(done.begun) - {"reader0"} - done.not_left
    assert "reader1" in doubtful
    assert doubtful <= {"reader1", "reader2", "reader3", "reader4"}
    assert len(done.begun) <= 1 + 4


def test_a_refusal_that_was_heard_stays_true_when_the_line_dies(relay: ScriptedRelay) -> None:
    relay.on("rcpt", to="reader0@example.com", say="550 5.1.1 gone", drop=True)
    done = Delivered(relay, 1)
    assert done.answers == [("reader0", 550)]


def test_after_421_and_a_hang_up_what_was_under_way_is_not_in_doubt(relay: ScriptedRelay) -> None:
    relay.on("mail", say="250 2.1.0 fine", times=2)
    relay.on("mail", say="421 4.3.2 closing", drop=True, times=1)
    done = Delivered(relay, 6)
    assert [code for _, code in done.answers] == [250, 250, 421]
    assert done.error is not None
    assert not done.error.in_doubt
    assert {taken.rcpt_to for taken in relay.accepted} == {
        "reader0@example.com",
        "reader1@example.com",
    }


def test_no_more_mails_on_a_line_than_the_relay_likes(relay: ScriptedRelay) -> None:
    done = Delivered(relay, 10, mails_per_connection=4)
    assert [code for _, code in done.answers] == [250] * 10
    assert relay.connections == 3


def test_a_silent_relay_leaves_all_that_left_in_doubt(relay: ScriptedRelay) -> None:
    relay.on("dot", delay_s=4)
    done = Delivered(relay, 3, timeout_s=1.0)
    assert done.error is not None
    assert done.error.in_doubt
    assert len(done.begun) == 3
