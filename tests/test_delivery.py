"""Publishing and delivering, on a real database and against a real SMTP server."""

from __future__ import annotations

import quopri
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import islice, repeat
from pathlib import Path
from time import sleep
from zoneinfo import ZoneInfo

import pytest

from newsletter.audience.tokens import Keys, read_verp
from newsletter.delivery.deliver import deliver
from newsletter.delivery.lane import LEISURE_S
from newsletter.delivery.publish import Publication, publish
from newsletter.delivery.run import CLAIM, Office
from newsletter.delivery.way import GLANCE_S
from newsletter.errors import (
    AudienceError,
    LineLost,
    RelayRefused,
    RelayUnavailable,
    SendRefused,
    StoreError,
)
from newsletter.model import (
    Delivery,
    DeliveryState,
    Email,
    Hours,
    Letter,
    Limits,
    Mail,
    Mailbox,
    NewSubscriber,
    Origin,
    Send,
    SendState,
    Slot,
    SubscriberStatus,
)
from newsletter.smtp import open_transports
from newsletter.store import Audience, Store, open_store
from tests.sample import letter
from tests.signing import key, verifies
from tests.smtpd import ScriptedRelay, Transaction

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
UNSUBSCRIBE = Slot("unsubscribe_url")
FRIEND = Slot("first_name", "friend")
EMAIL = Email(
    slug="winter",
    subject="Winter",
    preheader="Short days",
    html=(
        "<!DOCTYPE html><html><body>"
        f'<p>Hello {FRIEND.token}</p><a href="{UNSUBSCRIBE.token}">Unsubscribe</a></body></html>'
    ),
    text=f"Hello {FRIEND.token}\n{UNSUBSCRIBE.token}\n",
    url="https://letters.example.org/winter/",
    slots=(FRIEND, UNSUBSCRIBE),
)


class World:
    """A store with people in it, a relay, and a clock that stands still unless it is told."""

    def __init__(self, store: Store, relay: ScriptedRelay, base: Letter) -> None:
        self.store, self.relay, self.letter = store, relay, base
        self.time = NOW
        self.slept: list[float] = []
        self.stop = False
        self.connections = 1

    def people(self, count: int) -> None:
        for number in range(count):
            person = NewSubscriber(address=f"p{number}@example.com", name=f"Person {number}")
            self.store.add(person, NOW)

    def publish(self, *, only_new: bool = False) -> Send:
        publication = Publication(
            email=EMAIL,
            origin=Origin(),
            letterhead=self.letter.letterhead,
            relay="main",
            audience=Audience(only_new=only_new),
        )
        return publish(self.store, publication, self.time)

    def office(self) -> Office:
        return Office(
            store=self.store,
            letter=self.letter,
            keys=Keys((b"k" * 32,)),
            now=lambda: self.time,
            sleep=self.slept.append,
            stopping=lambda: self.stop,
        )

    def rows(self, send: Send) -> Iterator[Delivery]:
        return deliver(
            send, open_transports(self.relay.relay(connections=self.connections)), self.office()
        )

    def deliver(self, send: Send) -> list[Delivery]:
        return list(self.rows(send))

    def states(self, send: Send) -> dict[str, str]:
        return {row.address: row.state.value for row in self.store.deliveries(send.id)}

    def state(self, send: Send) -> SendState:
        return next(row.state for row in self.store.sends() if row.id == send.id)

    def reached(self) -> list[str]:
        return [taken.rcpt_to for taken in self.relay.accepted]


def decoded(taken: Transaction) -> str:
    """The mail as text, its quoted-printable undone."""
    return quopri.decodestring(taken.content).decode()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = open_store(f"sqlite:{tmp_path / 'state' / 'newsletter.db'}")
    with store, ScriptedRelay() as relay:
        yield World(store, relay, letter(tmp_path))


def test_everybody_gets_one_mail_of_their_own(world: World) -> None:
    world.people(20)
    send = world.publish()
    world.deliver(send)
    assert world.reached() == [f"p{number}@example.com" for number in range(20)]
    assert set(world.states(send).values()) == {"accepted"}
    assert world.state(send) is SendState.DONE
    contents = [decoded(taken) for taken in world.relay.accepted]
    assert len({content.split("Message-ID: ")[1].split("\r\n")[0] for content in contents}) == 20
    assert "Hello Person" in contents[3]


def test_attack_33_every_mail_has_one_recipient_and_says_so(world: World) -> None:
    world.people(3)
    world.deliver(world.publish())
    for taken in world.relay.accepted:
        assert len(taken.rcpt_tos) == 1
        assert f"<{taken.rcpt_to}>" in taken.content.decode().split("\r\n\r\n")[0]


def test_attack_34_a_second_send_of_the_same_issue_is_refused(world: World) -> None:
    world.people(2)
    world.deliver(world.publish())
    with pytest.raises(SendRefused, match="--only-new"):
        world.publish()


def test_only_new_reaches_exactly_who_has_not_got_it(world: World) -> None:
    world.people(2)
    world.deliver(world.publish())
    world.store.add(NewSubscriber(address="late@example.com"), NOW)
    again = world.publish(only_new=True)
    world.deliver(again)
    assert world.reached() == ["p0@example.com", "p1@example.com", "late@example.com"]
    assert again.content_hash == EMAIL.content_hash


def test_promise_2_late_readers_get_the_commit_of_the_first_ones(world: World) -> None:
    world.people(1)
    first = Publication(
        email=EMAIL,
        origin=Origin(commit="a" * 40),
        letterhead=world.letter.letterhead,
        relay="main",
        audience=Audience(),
    )
    world.deliver(publish(world.store, first, NOW))
    world.store.add(NewSubscriber(address="late@example.com"), NOW)
    later = replace(
        first,
        email=replace(EMAIL, text="other"),
        origin=Origin(commit="b" * 40, dirty=True),
        audience=Audience(only_new=True),
    )
    again = publish(world.store, later, NOW)
    assert (again.email, again.origin) == (EMAIL, first.origin)


def test_an_audience_that_grew_while_the_person_was_asked_is_refused(world: World) -> None:
    world.people(3)
    agreed = Publication(
        email=EMAIL,
        origin=Origin(),
        letterhead=world.letter.letterhead,
        relay="main",
        audience=Audience(),
        agreed=2,
    )
    with pytest.raises(SendRefused, match="from 2 to 3"):
        publish(world.store, agreed, NOW)
    assert world.store.sends() == []


def test_nobody_left_is_a_refusal_not_an_empty_send(world: World) -> None:
    with pytest.raises(SendRefused, match="nobody"):
        world.publish()


def test_a_domain_whose_hour_is_used_up_waits_and_the_others_do_not(world: World) -> None:
    world.people(3)
    world.store.add(NewSubscriber(address="ada@example.net"), NOW)
    send = world.publish()
    relay = replace(world.relay.relay(), domains={"example.com": Limits(per_hour=1)})
    list(deliver(send, open_transports(relay), world.office(), relay))
    assert world.reached() == ["p0@example.com", "ada@example.net"]
    waiting = list(world.store.deliveries(send.id, DeliveryState.DEFERRED))
    assert {row.reason for row in waiting} == {"the limit for example.com is used up"}
    assert all(row.next_at and row.next_at > NOW for row in waiting)
    assert world.state(send) is SendState.PAUSED


def test_a_domain_whose_hour_has_passed_gets_its_mail_in_the_same_run(world: World) -> None:
    world.people(2)
    for number in range(2 * CLAIM):
        world.store.add(NewSubscriber(address=f"n{number}@example.net"), NOW)
    send = world.publish()
    relay = replace(world.relay.relay(), domains={"example.com": Limits(per_hour=1)})
    late = NOW + timedelta(hours=2)
    office = replace(world.office(), now=lambda: late if len(world.reached()) > CLAIM else NOW)
    rows = islice(deliver(send, open_transports(relay), office, relay), 3 * CLAIM)
    states = Counter(row.state.value for row in rows)
    assert states == {"accepted": 2 * CLAIM + 2, "deferred": 1}
    assert world.state(send) is SendState.DONE


def test_a_relay_whose_day_is_used_up_pauses_the_send_until_it_goes_on(world: World) -> None:
    world.people(3)
    send = world.publish()
    relay = replace(world.relay.relay(), limits=Limits(per_day=2))
    list(deliver(send, open_transports(relay), world.office(), relay))
    left = world.store.send(send.id)
    assert (left.state, left.hold) == (SendState.PAUSED, "")
    assert left.not_before is not None
    assert left.not_before > NOW + timedelta(hours=23)
    assert len(world.reached()) == 2


def test_nothing_leaves_in_quiet_hours_and_the_send_says_when_it_goes_on(world: World) -> None:
    world.people(2)
    send = world.publish()
    hours = Hours(zone=ZoneInfo("UTC"), quiet_from=time(11), quiet_until=time(14))
    office = replace(world.office(), hours=hours)
    list(deliver(send, open_transports(world.relay.relay()), office))
    assert world.reached() == []
    assert world.store.send(send.id).not_before == NOW.replace(hour=14)


def test_an_unfinished_send_must_be_resumed_not_started_again(world: World) -> None:
    world.people(1)
    world.publish()
    with pytest.raises(SendRefused, match="newsletter resume winter"):
        world.publish(only_new=True)


def test_exclusions_are_rows_with_reasons(world: World) -> None:
    world.people(2)
    world.store.unsubscribe("p0@example.com", "asked", NOW)
    send = world.publish()
    assert (send.candidates, send.recipients) == (2, 1)
    assert dict(world.store.reasons(send.id)) == {"unsubscribed": 1}


def test_promise_4_an_unsubscribe_in_the_middle_of_a_send_takes_effect(world: World) -> None:
    world.people(5)
    send = world.publish()
    for row in world.rows(send):
        if row.address == "p1@example.com":
            world.store.unsubscribe("p3@example.com", "asked", NOW)
            sleep(2 * GLANCE_S)
    assert "p3@example.com" not in world.reached()
    assert world.states(send)["p3@example.com"] == "skipped"
    assert world.state(send) is SendState.DONE


def test_a_refused_recipient_does_not_stop_the_others(world: World) -> None:
    world.people(3)
    world.relay.on("rcpt", to="p1@example.com", say="550 5.1.1 no such user")
    send = world.publish()
    world.deliver(send)
    assert world.states(send) == {
        "p0@example.com": "accepted",
        "p1@example.com": "failed",
        "p2@example.com": "accepted",
    }
    [failed] = world.store.deliveries(send.id, DeliveryState.FAILED)
    assert failed.reply is not None
    assert (failed.reply.code, failed.reply.status) == (550, "5.1.1")


def test_a_deferred_recipient_is_tried_again_when_due_with_the_same_bytes(world: World) -> None:
    world.people(2)
    world.relay.on("dot", to="p1@example.com", say="451 4.3.0 try later", times=1)
    send = world.publish()
    world.deliver(send)
    assert world.state(send) is SendState.PAUSED
    world.deliver(send)
    assert world.states(send)["p1@example.com"] == "deferred", "not due yet"
    world.time += timedelta(minutes=6)
    world.deliver(send)
    assert world.state(send) is SendState.DONE
    first, second = [
        seen for seen in world.relay.transactions if seen.rcpt_tos == ["p1@example.com"]
    ]
    assert first.content == second.content


def test_a_line_that_was_lost_often_is_not_held_against_the_reader(world: World) -> None:
    world.people(1)
    world.relay.on("rcpt", drop=True, times=8)
    world.relay.on("rcpt", say="451 4.7.1 greylisted", times=1)
    send = world.publish()
    for _ in range(2):
        with pytest.raises(LineLost):
            world.deliver(send)
    world.deliver(send)
    assert set(world.states(send).values()) == {"deferred"}
    world.time += timedelta(minutes=6)
    world.deliver(send)
    assert world.reached() == ["p0@example.com"]


def test_promise_6_a_domain_that_refuses_us_is_paused_and_nobody_fails(world: World) -> None:
    world.people(10)
    world.store.add(NewSubscriber(address="zoe@example.org"), NOW)
    for number in range(10):
        world.relay.on("dot", to=f"p{number}@example.com", say="550 5.7.26 unauthenticated")
    send = world.publish()
    world.deliver(send)
    states = world.states(send)
    assert states.pop("zoe@example.org") == "accepted"
    assert set(states.values()) == {"deferred"}
    assert len(world.relay.transactions) == 4, "three tries, then the domain is left alone"
    rows = list(world.store.deliveries(send.id))
    assert "example.com is paused in this run" in rows[5].reason
    assert rows[5].next_at == NOW + timedelta(hours=1)
    assert world.store.census()[SubscriberStatus.ACTIVE] == 11


def test_who_is_left_alone_is_not_waited_for(world: World) -> None:
    def rest(seconds: float) -> None:
        world.time += timedelta(seconds=seconds)

    world.people(200)
    world.relay.on("dot", say="421 4.7.0 too fast, slow down", drop=True)
    send = world.publish()
    office = replace(world.office(), rest=rest)
    list(deliver(send, open_transports(world.relay.relay()), office))
    assert set(world.states(send).values()) == {"deferred"}
    assert world.time - NOW < timedelta(minutes=1), "200 mails at the slowest pace take an hour"


def test_who_was_answered_is_recorded_before_a_long_wait(world: World) -> None:
    seen: list[tuple[int, int]] = []

    def rest(seconds: float) -> None:
        world.time += timedelta(seconds=seconds)
        if len(world.reached()) > len(seen):
            states = world.store.progress(send.id)
            seen.append((len(world.reached()), states[DeliveryState.ACCEPTED]))
            sleep(2 * LEISURE_S)

    world.people(3)
    send = world.publish()
    office = replace(world.office(), rest=rest)
    slow = world.relay.relay(limits=Limits(per_second=1))
    list(deliver(send, open_transports(slow), office, slow))
    assert seen == [(1, 1), (2, 2)]


def test_promise_6_refusals_from_three_domains_stop_the_run(world: World) -> None:
    for number in range(9):
        world.store.add(NewSubscriber(address=f"p@d{number}.example.com"), NOW)
    world.relay.on("dot", say="550 5.7.1 blocked by our list")
    send = world.publish()
    with pytest.raises(RelayRefused, match=r"5\.7\.1") as caught:
        world.deliver(send)
    assert "newsletter resume winter" in str(caught.value)
    assert Counter(world.states(send).values()) == {"deferred": 3, "pending": 6}
    assert world.state(send) is SendState.PAUSED


def test_our_daily_quota_stops_the_run_at_once_and_resume_goes_on(world: World) -> None:
    world.people(5)
    world.relay.on("dot", say="550 5.4.5 Daily user sending limit exceeded", times=1)
    send = world.publish()
    with pytest.raises(RelayRefused, match="allowance"):
        world.deliver(send)
    assert Counter(world.states(send).values()) == {"deferred": 1, "pending": 4}
    world.deliver(send)
    assert set(world.states(send).values()) == {"accepted"}


def test_a_relay_that_is_full_stops_the_run_after_three_and_fails_nobody(world: World) -> None:
    world.people(6)
    world.relay.on("mail", say="452 4.3.1 insufficient system storage")
    send = world.publish()
    for _ in range(7):
        with pytest.raises(RelayUnavailable, match=r"4\.3\.1"):
            world.deliver(send)
        world.time += timedelta(hours=2)
    assert set(world.states(send).values()) == {"deferred", "pending"}


def test_a_mailbox_that_does_not_exist_is_suppressed_and_others_are_not(world: World) -> None:
    world.people(4)
    world.relay.on("rcpt", to="p1@example.com", say="550 5.1.1 no such user")
    world.relay.on("rcpt", to="p2@example.com", say="552 5.2.2 mailbox full")
    send = world.publish()
    world.deliver(send)
    gone = world.store.subscriber("p1@example.com")
    assert gone is not None
    assert (gone.status, gone.reason) == (SubscriberStatus.SUPPRESSED, "bounce")
    assert world.store.history("p1@example.com")[-1].what == "suppressed"
    assert world.states(send)["p2@example.com"] == "failed"
    assert world.store.census() == {SubscriberStatus.ACTIVE: 3, SubscriberStatus.SUPPRESSED: 1}


def test_promise_6_a_relay_that_knows_nobody_suppresses_nobody(world: World) -> None:
    world.people(30)
    world.relay.on("rcpt", say="550 5.1.1 user unknown in local recipient table")
    send = world.publish()
    with pytest.raises(RelayRefused, match="none of the last 10"):
        world.deliver(send)
    assert world.store.census() == {SubscriberStatus.ACTIVE: 30}


def test_promise_6_a_relay_that_has_the_same_no_for_everybody_is_not_believed(world: World) -> None:
    """Exim's word for a relay that is set up wrong says nothing of the reader."""
    for number in range(40):
        address = f"p{number}@d{number % 5}.example"
        world.store.add(NewSubscriber(address=address), NOW)
    world.relay.on("rcpt", say="550 Administrative prohibition")
    send = world.publish()
    with pytest.raises(RelayRefused, match="the same no for everybody"):
        world.deliver(send)
    assert Counter(world.states(send).values()) == {"failed": 10, "pending": 30}


def test_a_no_to_many_of_one_domain_is_about_them(world: World) -> None:
    world.people(30)
    world.relay.on("rcpt", say="550 5.2.1 mailbox disabled")
    send = world.publish()
    world.deliver(send)
    assert Counter(world.states(send).values()) == {"failed": 30}


def test_the_only_reader_may_be_gone(world: World) -> None:
    world.people(1)
    world.relay.on("rcpt", say="550 5.1.1 no such user")
    send = world.publish()
    world.deliver(send)
    assert world.store.census() == {SubscriberStatus.SUPPRESSED: 1}
    assert world.state(send) is SendState.DONE


def test_suppress_is_idempotent_and_keeps_the_first_reason(world: World) -> None:
    world.people(2)
    send = world.publish()
    world.store.suppress("p0@example.com", "bounce", NOW)
    again = world.store.suppress("P0@example.com", "complaint", NOW)
    assert (again.status, again.reason) == (SubscriberStatus.SUPPRESSED, "bounce")
    assert [event.what for event in world.store.history("p0@example.com")][-1] == "suppressed"
    assert len(world.store.history("p0@example.com")) == 2
    world.deliver(send)
    assert world.states(send) == {"p0@example.com": "skipped", "p1@example.com": "accepted"}
    assert world.store.reasons(send.id) == {"suppressed: bounce": 1}
    with pytest.raises(AudienceError):
        world.store.suppress("nobody@example.com", "bounce", NOW)


def test_a_refused_sender_stops_the_run_at_once(world: World) -> None:
    world.people(5)
    world.relay.on("mail", say="553 5.1.8 who are you")
    send = world.publish()
    with pytest.raises(RelayRefused):
        world.deliver(send)
    assert "failed" not in world.states(send).values()
    assert world.reached() == []


def test_a_line_lost_before_the_dot_is_tried_again_by_itself(world: World) -> None:
    world.people(3)
    world.relay.on("rcpt", to="p1@example.com", drop=True, times=1)
    send = world.publish()
    world.deliver(send)
    assert set(world.states(send).values()) == {"accepted"}
    assert sorted(world.reached()) == [f"p{n}@example.com" for n in range(3)]
    assert len(world.slept) == 1


def test_a_line_lost_after_the_dot_is_unknown_and_never_sent_again(world: World) -> None:
    world.people(3)
    world.relay.on("dot", to="p1@example.com", drop=True, times=1)
    send = world.publish()
    world.deliver(send)
    assert world.states(send)["p1@example.com"] == "unknown"
    assert world.reached().count("p1@example.com") == 1
    assert world.states(send)["p2@example.com"] == "accepted"
    assert world.state(send) is SendState.DONE


def test_a_relay_that_keeps_dying_stops_the_run_after_three_tries(world: World) -> None:
    world.people(3)
    world.relay.on("mail", drop=True)
    send = world.publish()
    with pytest.raises((LineLost, RelayUnavailable)):
        world.deliver(send)
    assert len(world.slept) == 3
    assert set(world.states(send).values()) == {"pending"}
    assert world.state(send) is SendState.PAUSED


def test_a_mail_that_kills_the_line_lets_everybody_else_pass(world: World) -> None:
    world.people(5)
    world.relay.on("rcpt", to="p1@example.com", drop=True)
    send = world.publish()
    with pytest.raises(LineLost):
        world.deliver(send)
    states = world.states(send)
    assert states.pop("p1@example.com") == "pending"
    assert set(states.values()) == {"accepted"}


def test_asked_to_stop_while_it_waits_for_the_relay_it_does_not_connect_again(
    world: World,
) -> None:
    world.people(2)
    world.relay.on("mail", drop=True)
    office = replace(world.office(), sleep=lambda _: setattr(world, "stop", True))
    send = world.publish()
    with pytest.raises(LineLost):
        list(deliver(send, open_transports(world.relay.relay()), office))
    assert world.relay.connections == 1
    assert world.state(send) is SendState.PAUSED


def test_asked_to_stop_it_finishes_the_mail_in_flight_and_gives_back_the_rest(
    world: World,
) -> None:
    world.people(10)
    send = world.publish()
    for number, _row in enumerate(world.rows(send)):
        world.stop = number == 3
    states = list(world.states(send).values())
    assert states.count("accepted") == len(world.reached())
    assert states.count("accepted") + states.count("pending") == 10
    assert 4 <= states.count("accepted") <= 5
    world.stop = False
    world.deliver(send)
    assert sorted(world.reached()) == sorted(f"p{number}@example.com" for number in range(10))


def test_attack_6_a_name_that_looks_like_a_template_arrives_literally(world: World) -> None:
    world.store.add(NewSubscriber(address="eve@example.com", name="{{7*7}}"), NOW)
    world.deliver(world.publish())
    content = decoded(world.relay.accepted[0])
    assert content.count("Hello {{7*7}}") == 2
    assert "To: {{7*7}} <eve@example.com>" in content


def test_attack_35_a_mail_holds_nothing_of_another_reader(world: World) -> None:
    world.people(6)
    world.deliver(world.publish())
    mails: list[Mail | str] = [taken.content.decode() for taken in world.relay.accepted]
    for number, text in enumerate(mails):
        others = {f"p{other}@example.com" for other in range(6)} - {f"p{number}@example.com"}
        assert not any(other in str(text) for other in others)


def test_promise_2_a_resumed_send_keeps_the_letterhead_it_was_frozen_with(world: World) -> None:
    world.people(2)
    send = world.publish()
    rows = world.rows(send)
    next(rows)
    world.stop = True
    list(rows)
    world.stop = False
    moved = replace(world.letter, base_url="https://elsewhere.example.net", name="Another Name")
    world.letter = replace(moved, sender=Mailbox("Other", "other@elsewhere.example.net"))
    world.deliver(world.store.sends()[0])
    for taken in world.relay.accepted:
        assert taken.mail_from == "notes@letters.example.org"
        assert b"elsewhere" not in taken.content


# several connections


def test_several_connections_share_a_send(world: World) -> None:
    world.connections = 4
    world.relay.on("dot", delay_s=0.005)  # or one may do the work of two, and begin a second line
    world.people(200)
    send = world.publish()
    rows = world.deliver(send)
    assert sorted(world.reached()) == sorted(f"p{number}@example.com" for number in range(200))
    assert {row.address for row in rows} == set(world.reached())
    assert len({taken.connection for taken in world.relay.accepted}) == 4
    assert set(world.states(send).values()) == {"accepted"}
    assert world.state(send) is SendState.DONE


def test_a_handful_of_mails_is_not_worth_a_second_login(world: World) -> None:
    world.connections = 4
    world.people(5)
    world.deliver(world.publish())
    assert world.relay.connections == 1


def test_a_line_lost_in_doubt_names_its_own_mail_and_the_other_lines_go_on(world: World) -> None:
    world.connections = 4
    world.people(200)
    for number in (7, 60, 150):
        world.relay.on("dot", to=f"p{number}@example.com", drop=True)
    send = world.publish()
    world.deliver(send)
    states = world.states(send)
    unknown = {address for address, state in states.items() if state == "unknown"}
    assert unknown == {"p7@example.com", "p60@example.com", "p150@example.com"}
    assert Counter(states.values())["accepted"] == 197
    assert len(world.reached()) == len(set(world.reached())) == 200


def test_a_relay_that_takes_fewer_connections_gets_fewer(world: World) -> None:
    world.connections = 4
    world.people(200)
    world.relay.on("greeting", times=2)
    world.relay.on("greeting", say="421 4.7.0 too many connections", drop=True)
    world.relay.on("dot", delay_s=0.005)
    send = world.publish()
    world.deliver(send)
    assert set(world.states(send).values()) == {"accepted"}
    assert len({taken.connection for taken in world.relay.accepted}) == 2


def test_a_relay_that_goes_away_ends_all_lanes_and_loses_nobody(world: World) -> None:
    world.connections = 4
    world.people(200)
    world.relay.on("mail", times=40)
    world.relay.on("mail", drop=True)
    send = world.publish()
    with pytest.raises((LineLost, RelayUnavailable)):
        world.deliver(send)
    assert Counter(world.states(send).values()) == {"accepted": 40, "pending": 160}


def test_asked_to_stop_every_lane_finishes_its_mail(world: World) -> None:
    world.connections = 4
    world.people(200)
    world.relay.on("dot", delay_s=0.002)
    send = world.publish()
    for number, _row in enumerate(world.rows(send)):
        world.stop = world.stop or number == 20
    states = Counter(world.states(send).values())
    assert set(states) == {"accepted", "pending"}
    assert states["accepted"] == len(world.reached())
    world.stop = False
    world.deliver(send)
    assert len(world.reached()) == len(set(world.reached())) == 200


def test_left_early_nothing_more_leaves_and_what_had_begun_is_unknown(world: World) -> None:
    world.connections = 4
    world.people(200)
    world.relay.on("dot", to="p50@example.com", delay_s=30)
    send = world.publish()
    for row in world.rows(send):
        if row.address == "p120@example.com":
            break
    reached = len(world.reached())
    states = Counter(world.states(send).values())
    assert states["accepted"] + states["unknown"] >= reached >= states["accepted"]
    assert 1 <= states["unknown"] <= 4
    assert not states["claimed"]
    assert world.states(send)["p50@example.com"] == "unknown"


def test_promise_6_a_policy_refusal_on_every_line_stops_them_all(world: World) -> None:
    world.connections = 4
    for number in range(200):
        world.store.add(NewSubscriber(address=f"p@d{number}.example.com"), NOW)
    world.relay.on("dot", say="550 5.7.1 blocked by our list")
    send = world.publish()
    with pytest.raises(RelayRefused):
        world.deliver(send)
    states = Counter(world.states(send).values())
    assert set(states) == {"deferred", "pending"}
    assert states["deferred"] <= 3 + 4


def test_a_fault_of_our_own_ends_the_run_and_keeps_its_name(world: World) -> None:
    world.connections = 4
    world.people(200)
    send = world.publish()
    broken = iter([*repeat(False, 100), True])
    office = replace(world.office(), now=lambda: {False: NOW}[next(broken, False)])
    transports = open_transports(world.relay.relay(connections=4))
    with pytest.raises(KeyError, match="True"):
        list(deliver(send, transports, office))
    states = Counter(world.states(send).values())
    assert not states["claimed"]
    assert states["unknown"] <= 4


def test_a_begin_out_of_turn_writes_nothing_of_what_it_brought(world: World) -> None:
    world.people(2)
    send = world.publish()
    world.store.move(send.id, SendState.SENDING, NOW)
    first, second = world.store.claim(send.id, 2, NOW)
    world.store.begin(first, NOW)
    taken = first._replace(state=DeliveryState.ACCEPTED)
    with pytest.raises(StoreError, match="cannot begin"):
        world.store.begin(second._replace(attempts=9), NOW, [taken])
    assert world.states(send)["p0@example.com"] == "claimed"
    with pytest.raises(StoreError, match="cannot record"):
        world.store.begin(second, NOW, [taken._replace(attempts=9)])
    world.store.begin(second, NOW, [taken])
    assert world.states(send)["p0@example.com"] == "accepted"
    assert world.store.recover(send.id, NOW) == 1


def test_a_mail_comes_back_to_an_address_of_its_own(world: World) -> None:
    world.letter = replace(world.letter, bounce_domain="bounce.letters.example.org")
    world.people(3)
    send = world.publish()
    world.deliver(send)
    keys = Keys((b"k" * 32,))
    senders = [taken.mail_from for taken in world.relay.accepted]
    assert len(set(senders)) == 3
    for taken, row in zip(world.relay.accepted, world.store.deliveries(send.id), strict=True):
        local_part, _, domain = taken.mail_from.partition("@")
        assert domain == "bounce.letters.example.org"
        assert read_verp(keys, local_part) == (row.subscriber_id, send.id)
        assert taken.mail_from not in taken.content.decode()


def test_attack_18_another_key_does_not_read_the_address(world: World) -> None:
    world.letter = replace(world.letter, bounce_domain="bounce.letters.example.org")
    world.people(1)
    world.deliver(world.publish())
    local_part = world.relay.accepted[0].mail_from.partition("@")[0]
    assert read_verp(Keys((b"x" * 32,)), local_part) is None
    flipped = local_part[:-1] + ("a" if local_part[-1] != "a" else "b")
    assert read_verp(Keys((b"k" * 32,)), flipped) is None


def test_without_a_bounce_domain_mails_come_back_to_the_sender(world: World) -> None:
    world.people(1)
    world.deliver(world.publish())
    assert world.relay.accepted[0].mail_from == world.letter.sender.address


def test_a_mail_is_signed_alike_when_it_is_tried_again(world: World) -> None:
    relay = world.relay.relay(dkim=(key(), key("s1e", ed25519=True)))
    world.relay.on("dot", say="451 4.3.0 later", times=1)
    world.people(1)
    send = world.publish()
    list(deliver(send, open_transports(relay), world.office(), relay))
    world.time += timedelta(hours=2)
    list(deliver(send, open_transports(relay), world.office(), relay))
    first, second = (taken.content for taken in world.relay.transactions)
    assert first == second
    assert verifies(first, 0, key(), key("s1e", ed25519=True))


def test_a_send_held_since_it_was_looked_at_stays_held(world: World) -> None:
    world.people(2)
    send = world.publish()
    world.store.hold(send.id, "paused by hand", NOW)
    with pytest.raises(SendRefused, match="paused by hand"):
        world.deliver(send)
    assert world.reached() == []
    assert world.store.send(send.id).hold == "paused by hand"
    world.deliver(world.store.hold(send.id, "", NOW))
    assert len(world.reached()) == 2
