"""Mails in doubt with a relay that takes a mail only once: offered again to it, and to no other."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from newsletter.audience.tokens import Keys, message_id
from newsletter.delivery.again import MARGIN
from newsletter.delivery.deliver import deliver_by
from newsletter.delivery.steps import Step, next_step
from newsletter.delivery.way import WayOut
from newsletter.errors import RelayRefused
from newsletter.model import (
    Delivery,
    DeliveryState,
    Limits,
    Offer,
    Relay,
    Send,
    SendState,
    Tls,
    TurnKind,
)
from newsletter.smtp import open_transports
from newsletter.store import open_store
from tests.sample import letter
from tests.smtpd import ScriptedRelay
from tests.test_crash import crowd, start
from tests.test_delivery import NOW, World

KEY = b"Resend-Idempotency-Key: "
DAY_H = 24
RESEND = 'preset = "resend"\npassword_env = "KEY"'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = open_store(f"sqlite:{tmp_path / 'state' / 'newsletter.db'}")
    with store, ScriptedRelay() as relay:
        yield World(store, relay, letter(tmp_path))


def once(relay: ScriptedRelay, **changes: object) -> Relay:
    """The relay, as one that takes a mail only once."""
    named = {"name": "main", "once": "Resend-Idempotency-Key", "once_for_h": DAY_H}
    return relay.relay(**{**named, **changes})


def out(relay: Relay) -> WayOut:
    return WayOut(relay, open_transports(relay))


def delivered(world: World, send: Send, *relays: Relay) -> list[Delivery]:
    outs = [out(relay) for relay in relays or (once(world.relay),)]
    return list(deliver_by(send, outs, world.office()))


def the_row(world: World, send: Send) -> Delivery:
    [row] = world.store.deliveries(send.id)
    return row


def left_in_doubt(world: World) -> Send:
    """A send to one person whose relay took the mail, and was gone before it said so."""
    world.people(1)
    world.relay.on("dot", drop=True, times=1).on("greeting", times=1)
    world.relay.on("greeting", say="421 4.3.2 closed", times=3)
    send = world.publish()
    delivered(world, send)
    assert the_row(world, send).state == "unknown"
    return send


def key_of(content: bytes) -> bytes:
    [line] = [line for line in content.split(b"\r\n") if line.startswith(KEY)]
    return line


def test_it_gets_the_same_bytes_and_the_same_key_again_and_its_yes_ends_the_doubt(
    world: World,
) -> None:
    world.people(3)
    world.relay.on("dot", to="p1@example.com", drop=True, times=1)
    send = world.publish()
    delivered(world, send)
    assert set(world.states(send).values()) == {"accepted"}
    assert world.state(send) is SendState.DONE
    assert sorted(world.reached()) == [f"p{n}@example.com" for n in (0, 1, 1, 2)]
    first, second = (one.content for one in world.relay.accepted if one.rcpt_to[:2] == "p1")
    assert first == second
    [row] = [row for row in world.store.deliveries(send.id) if row.address[:2] == "p1"]
    assert (row.relay, row.attempts) == ("main", 2)
    assert key_of(first) == KEY + row.message_id.encode()
    [turn] = [t for t in world.store.turns(send.id) if t.kind is TurnKind.OFFERED_AGAIN]
    assert (turn.relay, turn.number) == ("main", 1)


def test_a_relay_that_may_take_it_twice_is_not_asked_again(world: World) -> None:
    world.people(1)
    world.relay.on("dot", drop=True, times=1)
    send = world.publish()
    delivered(world, send, world.relay.relay(name="main"))
    assert len(world.reached()) == 1
    assert the_row(world, send).state == "unknown"
    assert world.state(send) is SendState.DONE


def test_while_it_is_not_there_the_send_waits_for_it(world: World) -> None:
    send = left_in_doubt(world)
    assert world.state(send) is SendState.PAUSED
    world.relay.on("greeting", say="421 4.3.2 closed", times=4)
    delivered(world, send)
    assert world.state(send) is SendState.PAUSED
    waits = next_step(world.store, world.store.send(send.id), world.time)
    assert (waits.step, waits.until) == (Step.WAIT, the_row(world, send).next_at)
    assert waits.until == NOW + timedelta(minutes=10)
    world.time += timedelta(minutes=10)
    assert next_step(world.store, world.store.send(send.id), world.time).step is Step.DELIVER
    [row] = delivered(world, send)
    assert (row.state, row.next_at) == ("accepted", None)
    assert world.reached() == ["p0@example.com"] * 2
    assert world.state(send) is SendState.DONE


def test_no_other_relay_is_asked_whatever_becomes_of_the_first(world: World) -> None:
    world.people(40)
    world.relay.on("dot", to="p0@example.com", drop=True, times=1).on("greeting", times=1)
    world.relay.on("greeting", say="421 4.3.2 closed")
    with ScriptedRelay() as other:
        second = once(other, name="second", weight=0)
        send = world.publish()
        for _ in range(3):
            delivered(world, send, once(world.relay, weight=1), second)
            world.time += timedelta(hours=2)
        took = [taken.rcpt_to for taken in other.accepted]
        assert len(took) + len(world.reached()) == 40
        assert not set(took) & set(world.reached())
        [row] = [row for row in world.store.deliveries(send.id) if row.state == "unknown"]
        assert (row.relay, row.address in world.reached()) == ("main", True)
        assert world.state(send) is SendState.PAUSED
        world.time = NOW + timedelta(days=2)
        delivered(world, send, once(world.relay, weight=1), second)
        assert world.state(send) is SendState.DONE
        assert len(other.accepted) == len(took)


@pytest.mark.parametrize(("early", "offers"), [(timedelta(0), 2), (timedelta(microseconds=1), 1)])
def test_it_is_offered_as_long_as_the_relay_remembers(
    world: World, early: timedelta, offers: int
) -> None:
    send = left_in_doubt(world)
    world.time = NOW + timedelta(hours=DAY_H) - MARGIN + early
    delivered(world, send)
    assert len(world.reached()) == offers
    assert world.state(send) is SendState.DONE
    assert the_row(world, send).next_at is None


@pytest.mark.parametrize(
    ("at", "say"),
    [
        ("dot", "451 4.3.0 later"),
        ("dot", "550 5.7.1 no"),
        ("rcpt", "550 5.1.1 no such user"),
        ("mail", "451 4.7.1 slower"),
    ],
)
def test_whatever_is_not_a_yes_leaves_it_in_doubt(world: World, at: str, say: str) -> None:
    send = left_in_doubt(world)
    world.relay.on(at, say=say, times=1)
    world.time += timedelta(minutes=10)
    assert delivered(world, send) == []
    row = the_row(world, send)
    assert (row.state, row.relay) == ("unknown", "main")
    assert row.reply is not None
    assert row.reply.code == int(say[:3])
    assert row.next_at is not None
    assert row.next_at > world.time
    world.time = row.next_at
    delivered(world, send)
    assert the_row(world, send).state == "accepted"


def test_a_relay_that_refuses_our_login_leaves_it_in_doubt(world: World) -> None:
    send = left_in_doubt(world)
    world.relay.on("ehlo", say="550 5.7.1 go away", times=1)
    world.time += timedelta(minutes=10)
    with pytest.raises(RelayRefused):
        delivered(world, send)
    assert the_row(world, send).state == "unknown"


def test_asked_for_by_hand_it_is_still_left_to_its_relay(world: World) -> None:
    send = left_in_doubt(world)
    assert world.store.reopen(send.id, DeliveryState.UNKNOWN, NOW) == 0
    world.store.plan_again(send.id, {}, NOW)
    assert world.store.reopen(send.id, DeliveryState.UNKNOWN, NOW) == 1


def test_who_has_unsubscribed_since_is_not_asked_about(world: World) -> None:
    send = left_in_doubt(world)
    world.store.unsubscribe("p0@example.com", "wish", NOW)
    world.time += timedelta(minutes=10)
    delivered(world, send)
    assert len(world.reached()) == 1
    assert the_row(world, send).state == "unknown"
    assert world.state(send) is SendState.DONE


def many_in_doubt(world: World, count: int) -> Send:
    """A send to so many people whose mails a relay may have, and was gone before it said so."""
    world.people(count)
    send = world.publish()
    store = world.store
    with store.sender_lock(send.id):
        store.move(send.id, SendState.SENDING, world.time)
        rows = store.claim(send.id, count, world.time)
        for row in rows:
            domain = world.letter.sender.domain
            name = message_id(world.office().keys, send.slug, row.subscriber_id, domain)
            offer = Offer("main", name)
            store.begin(row, world.time, offer=offer)
        store.recover(send.id, world.time)
    return send


def test_a_cap_of_their_domain_is_kept_then_too(world: World) -> None:
    send = many_in_doubt(world, 5)
    capped = once(world.relay, domains={"example.com": Limits(per_hour=2)})
    delivered(world, send, capped)
    assert len(world.reached()) == 2
    assert Counter(world.states(send).values()) == {"accepted": 2, "unknown": 3}


def test_a_send_that_is_held_meanwhile_offers_nobody_the_rest(world: World) -> None:
    send = many_in_doubt(world, 5)
    outs = [out(once(world.relay))]
    for row in deliver_by(send, outs, world.office()):
        assert row.state == "accepted"
        world.store.hold(send.id, "paused by hand", NOW)
    assert len(world.reached()) < 3
    assert world.store.send(send.id).hold == "paused by hand"


def test_a_mail_that_would_have_another_key_by_now_is_not_offered(world: World) -> None:
    send = left_in_doubt(world)
    world.time += timedelta(minutes=10)
    rotated = replace(world.office(), keys=Keys((b"n" * 32, b"k" * 32)))
    assert list(deliver_by(send, [out(once(world.relay))], rotated)) == []
    assert len(world.reached()) == 1
    assert the_row(world, send).state == "unknown"


def test_a_sender_that_dies_with_it_in_hand_leaves_it_in_doubt(world: World) -> None:
    send = left_in_doubt(world)
    store = world.store
    world.time += timedelta(minutes=10)
    store.move(send.id, SendState.SENDING, world.time)
    [row] = store.claim_again(send.id, "main", world.time)
    assert row.state == "claimed"
    assert store.claim(send.id, 9, world.time) == []
    assert store.recover(send.id, world.time) == 1
    assert the_row(world, send).state == "unknown"
    [row] = delivered(world, send)
    assert row.state == "accepted"


@pytest.mark.parametrize(
    "command", [("tick",), ("resume", "latest"), ("retry", "latest", "--unknown")]
)
def test_after_kill_9_it_is_known_since_when_and_by_which_relay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("KEY", "secret")
    certificate = authority.issue_cert("127.0.0.1")
    with ScriptedRelay(
        extensions=("AUTH PLAIN",), tls=Tls.IMPLICIT, certificate=certificate
    ) as relay:
        made = crowd(tmp_path, relay, 3)
        config = tmp_path / "newsletter.toml"
        config.write_text(
            config.read_text().replace('preset = "smtp"', RESEND).replace('tls = "none"', "")
        )
        relay.on("dot", to="p1@example.com", delay_s=60, times=1)
        sending = start(made, "send", "latest", "--yes")
        deadline = time.monotonic() + 60
        while not any(one.taken and one.rcpt_to[:2] == "p1" for one in relay.transactions):
            assert sending.poll() is None, sending.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(sending.pid, signal.SIGKILL)
        sending.communicate()
        made.run(*command)
        [row] = made.ask("status", "latest")["sends"]
        assert row["state"] == "done"
        people = made.ask("status", "latest", "--who", "accepted")["people"]
        assert {person["relay"] for person in people} == {"main"}
        assert len(people) == 3
        first, second = (one.content for one in relay.transactions if one.rcpt_to[:2] == "p1")
        assert first == second
        assert key_of(first) == key_of(second)
