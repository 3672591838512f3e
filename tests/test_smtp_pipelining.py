"""Content and the next envelope in one write (RFC 2920), and everything that can cut them apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from newsletter.errors import LineLost, MailRefused
from newsletter.model import Mail, Stage
from newsletter.smtp.client import SMTPTransport
from newsletter.smtp.replies import Limits
from tests.bench.sink import Sink
from tests.smtpd import ScriptedRelay, letter


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay(extensions=("PIPELINING", "ENHANCEDSTATUSCODES")) as running:
        yield running


def people(number: int) -> list[Mail]:
    return [letter(f"reader{index}@example.com") for index in range(number)]


def addresses(mails: list[Mail]) -> list[str]:
    return [mail.rcpt_to.partition("@")[0] for mail in mails]


class Delivered:
    """What came of some mails on one transport, as far as it went."""

    def __init__(self, relay: ScriptedRelay, mails: Iterator[Mail], **changes: object) -> None:
        self.begun: list[Mail] = []
        self.codes: list[int] = []
        self.error: Exception | None = None
        limits = Limits(dot_s=0.4, quit_s=0.4)
        with SMTPTransport(relay.relay(**changes), limits) as transport:
            try:
                for _, reply in transport.deliver(mails, self.begun.append):
                    self.codes.append(reply.code)
            except (LineLost, MailRefused, KeyError) as error:
                self.error = error


@pytest.mark.parametrize(("pipelining", "rounds"), [(True, 1), (False, 4)])
def test_a_mail_costs_one_round_trip_where_groups_are_taken(
    *, pipelining: bool, rounds: int
) -> None:
    with Sink(pipelining=pipelining) as sink:
        with SMTPTransport(sink.relay()) as transport:
            list(transport.deliver(iter(people(50)), lambda _: None))
        assert sink.mails == 50
        greetings = 3  # EHLO, the first envelope, QUIT
        assert 50 * rounds <= sink.rounds <= 50 * rounds + greetings


def test_data_taken_for_nobody_gets_a_lone_dot(relay: ScriptedRelay) -> None:
    relay.on("rcpt", to="reader1@example.com", say="550 5.1.1 gone")
    relay.on("no-recipients", say="354 go on")
    done = Delivered(relay, iter(people(3)))
    assert done.codes == [250, 550, 250]
    assert [line for _, line in relay.commands if "content" in line] == ["(content) b''"]
    assert addresses(done.begun) == ["reader0", "reader2"]
    assert relay.connections == 1


def test_content_waits_until_all_three_have_agreed(relay: ScriptedRelay) -> None:
    relay.on("mail", say="451 4.3.0 not now", times=1)
    done = Delivered(relay, iter(people(2)))
    assert done.codes == [451, 250]
    assert addresses(done.begun) == ["reader1"]


def test_a_line_lost_after_the_dot_leaves_one_mail_in_doubt_and_not_the_next(
    relay: ScriptedRelay,
) -> None:
    relay.on("dot", to="reader1@example.com", drop=True)
    done = Delivered(relay, iter(people(4)))
    assert isinstance(done.error, LineLost)
    assert done.error.in_doubt
    assert done.codes == [250]
    assert addresses(done.begun) == ["reader0", "reader1"]
    assert len(relay.accepted) == 2


def test_a_line_lost_in_the_next_envelope_is_not_in_doubt(relay: ScriptedRelay) -> None:
    relay.on("rcpt", to="reader1@example.com", drop=True)
    done = Delivered(relay, iter(people(3)))
    assert isinstance(done.error, LineLost)
    assert not done.error.in_doubt
    assert (done.codes, addresses(done.begun)) == ([250], ["reader0"])


@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
def test_a_421_after_a_mail_was_taken_sends_the_next_over_a_new_line(
    relay: ScriptedRelay, at: str
) -> None:
    to = None if at == "mail" else "reader1@example.com"
    relay.on("mail", times=1)  # the first is fine
    relay.on(at, to=to, say="421 4.7.0 max messages per connection", drop=True, times=1)
    done = Delivered(relay, iter(people(3)))
    assert (done.codes, done.error) == ([250, 250, 250], None)
    assert addresses(done.begun) == ["reader0", "reader1", "reader2"]
    assert relay.connections == 2


def test_a_line_closed_after_a_mail_was_taken_is_dialled_again(relay: ScriptedRelay) -> None:
    relay.on("after-dot", drop=True, times=2)
    done = Delivered(relay, iter(people(3)))
    assert (done.codes, done.error) == ([250, 250, 250], None)
    assert [taken.connection for taken in relay.accepted] == [1, 2, 3]


def test_a_421_to_the_dot_sends_the_envelope_behind_it_again(relay: ScriptedRelay) -> None:
    relay.on("dot", to="reader1@example.com", say="421 4.3.2 closing", drop=True)
    done = Delivered(relay, iter(people(3)))
    assert done.codes == [250, 421, 250]
    assert relay.connections == 2


def test_a_refused_dot_does_not_disturb_the_envelope_behind_it(relay: ScriptedRelay) -> None:
    relay.on("dot", to="reader1@example.com", say="554 5.6.0 malformed")
    done = Delivered(relay, iter(people(3)))
    assert done.codes == [250, 554, 250]
    assert "RSET" not in relay.verbs()
    assert relay.connections == 1


def test_a_refusal_once_heard_stays_true_when_the_line_dies(relay: ScriptedRelay) -> None:
    relay.on("rcpt", to="reader1@example.com", say="550 5.1.1 gone", drop=True)
    done = Delivered(relay, iter(people(3)))
    assert (done.codes, done.error) == ([250, 550, 250], None)


def test_an_unsafe_mail_looked_ahead_at_does_not_cost_the_one_before(
    relay: ScriptedRelay,
) -> None:
    unsafe = Mail("n@example.org", "a@b.example>\r\nDATA", "id", (letter().content,))
    done = Delivered(relay, iter([letter(), unsafe]))
    assert isinstance(done.error, MailRefused)
    assert done.codes == [250]
    assert relay.verbs().count("MAIL") == 1


def test_a_mail_that_cannot_be_made_does_not_cost_the_one_before(relay: ScriptedRelay) -> None:
    def mails() -> Iterator[Mail]:
        yield letter()
        raise KeyError("first_name")

    done = Delivered(relay, mails())
    assert isinstance(done.error, KeyError)
    assert done.codes == [250]


def test_no_envelope_is_sent_on_a_line_that_has_had_its_mails(relay: ScriptedRelay) -> None:
    done = Delivered(relay, iter(people(5)), mails_per_connection=2)
    assert done.codes == [250] * 5
    assert [relay.verbs(number).count("MAIL") for number in (1, 2, 3)] == [2, 2, 1]
    assert relay.verbs(1)[-1] == "QUIT"


def test_leaving_in_the_middle_sends_no_content_and_no_quit(relay: ScriptedRelay) -> None:
    begun: list[Mail] = []
    with SMTPTransport(relay.relay()) as transport:
        outcome = transport.deliver(iter(people(3)), begun.append)
        mail, reply = next(outcome)
        assert (mail.rcpt_to, reply.stage) == ("reader0@example.com", Stage.DOT)
        outcome.close()  # type: ignore[attr-defined]
        assert [taken.rcpt_to for taken in relay.accepted] == ["reader0@example.com"]
        assert addresses(begun) == ["reader0"]
        again = list(transport.deliver(iter(people(1)), begun.append))
    assert [reply.code for _, reply in again] == [250]
    assert relay.verbs(1)[-1] != "QUIT"


def test_answers_that_were_heard_before_are_known_only_when_they_are_whole(
    relay: ScriptedRelay,
) -> None:
    """The usual words in pieces, with another in the middle, and then the usual ones again."""
    relay.on("rcpt", to="reader2@example.com", say="450 4.2.1 later")
    relay.on("rcpt", to="reader5@example.com", say="250 2.1.5 yes", drip_s=0.001)
    out = Delivered(relay, iter(people(8)))
    assert out.codes == [250, 250, 450, *[250] * 5]
