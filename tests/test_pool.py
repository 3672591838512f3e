"""Several relays for one send: shares, standbys, failover; and nobody gets it twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.credentials import load_pool, load_relay, load_relay_for
from newsletter.delivery.deliver import deliver_by
from newsletter.delivery.pool import lanes
from newsletter.delivery.way import Way, WayOut
from newsletter.errors import ConfigError, RelayUnavailable
from newsletter.model import Delivery, Limits, Relay, Send, SendState, Turn, TurnKind
from newsletter.smtp import open_transport, open_transports
from newsletter.store import open_store
from tests.publication import CONFIG, Publication, publication
from tests.sample import letter
from tests.smtpd import ScriptedRelay
from tests.test_delivery import NOW, World


@dataclass
class Pool:
    """A world with two relays, called `one` and `two`."""

    world: World
    one: ScriptedRelay
    two: ScriptedRelay
    said: list[str] = field(default_factory=list)

    def outs(self, first: Relay | None = None, second: Relay | None = None) -> list[WayOut]:
        relays = (
            first or self.one.relay(name="one", weight=1),
            second or self.two.relay(name="two", weight=1),
        )
        return [WayOut(relay, open_transports(relay)) for relay in relays]

    def deliver(self, send: Send, outs: list[WayOut] | None = None) -> list[Delivery]:
        office = replace(self.world.office(), say=self.said.append)
        return list(deliver_by(send, outs or self.outs(), office))

    def reached(self) -> Counter[str]:
        return Counter(taken.rcpt_to for taken in (*self.one.accepted, *self.two.accepted))


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    with ExitStack() as stack:
        store = stack.enter_context(open_store(f"sqlite:{tmp_path / 'state' / 'newsletter.db'}"))
        one, two = (stack.enter_context(ScriptedRelay()) for _ in range(2))
        yield Pool(World(store, one, letter(tmp_path)), one, two)


def everybody_once(pool: Pool, count: int) -> None:
    assert pool.reached() == Counter({f"p{number}@example.com": 1 for number in range(count)})


def failovers(pool: Pool, send: Send) -> list[Turn]:
    turns = pool.world.store.turns(send.id)
    return [turn for turn in turns if turn.kind is TurnKind.FAILED_OVER]


def test_two_relays_share_a_send(pool: Pool) -> None:
    pool.world.people(200)
    send = pool.world.publish()
    pool.one.on("dot", delay_s=0.002)
    pool.two.on("dot", delay_s=0.002)
    pool.deliver(send)
    everybody_once(pool, 200)
    assert pool.one.accepted
    assert pool.two.accepted
    assert pool.world.state(send) is SendState.DONE


def test_a_relay_that_is_not_there_leaves_its_rows_to_the_other(pool: Pool) -> None:
    pool.world.people(60)
    pool.one.on("greeting", say="421 4.3.2 closed for today")
    send = pool.world.publish()
    pool.deliver(send)
    everybody_once(pool, 60)
    [turn] = failovers(pool, send)
    assert (turn.relay, turn.goes_on_by) == ("one", ("two",))
    assert "closed for today" in turn.why
    assert pool.world.store.by_relay(send.id) == {"two": Counter(accepted=60)}
    assert pool.one.accepted == []
    assert pool.world.state(send) is SendState.DONE


def test_a_relay_that_refuses_our_login_leaves_its_rows_to_the_other(pool: Pool) -> None:
    pool.world.people(60)
    pool.one.on("ehlo", say="550 5.7.1 go away")
    send = pool.world.publish()
    pool.deliver(send)
    everybody_once(pool, 60)
    assert pool.world.state(send) is SendState.DONE


def test_a_relay_that_refuses_us_in_the_middle_gives_back_what_was_on_its_way(pool: Pool) -> None:
    pool.world.people(60)
    pool.one.extensions = ("PIPELINING",)
    pool.one.on("ehlo", times=1).on("ehlo", say="550 5.7.1 go away")
    pool.one.on("mail", times=5).on("mail", say="421 4.3.2 enough on this line")
    send = pool.world.publish()
    pool.deliver(send, pool.outs(second=pool.two.relay(name="two", weight=0)))
    everybody_once(pool, 60)
    assert len(pool.one.accepted) == 5
    assert pool.world.state(send) is SendState.DONE


def test_an_allowance_used_up_in_the_middle_is_the_other_relays_turn(pool: Pool) -> None:
    pool.world.people(60)
    pool.one.on("mail", times=10)
    pool.one.on("mail", say="550 5.4.5 Daily user sending limit exceeded")
    send = pool.world.publish()
    standby = pool.two.relay(name="two", weight=0)
    pool.deliver(send, pool.outs(second=standby))
    everybody_once(pool, 60)
    assert len(pool.one.accepted) == 10
    assert len(pool.two.accepted) == 50
    assert pool.world.state(send) is SendState.DONE
    rows = list(pool.world.store.deliveries(send.id))
    assert Counter(row.relay for row in rows) == {"one": 10, "two": 50}
    [turn] = failovers(pool, send)
    assert (turn.relay, turn.goes_on_by, turn.until) == ("one", ("two",), None)
    assert turn.why.startswith("our allowance is used up: ")
    (said,) = pool.said
    assert said.startswith("going on by two. one: our allowance is used up: 550 5.4.5 Daily")


def test_a_standby_rests_while_the_others_work(pool: Pool) -> None:
    pool.world.people(60)
    pool.deliver(pool.world.publish(), pool.outs(second=pool.two.relay(name="two", weight=0)))
    everybody_once(pool, 60)
    assert pool.two.connections == 0


def test_a_standby_rests_when_the_other_comes_to_its_limit_of_the_day(pool: Pool) -> None:
    pool.world.people(8)
    first = pool.one.relay(name="one", weight=1, limits=Limits(per_day=5))
    send = pool.world.publish()
    pool.deliver(send, pool.outs(first, pool.two.relay(name="two", weight=0)))
    assert (len(pool.one.accepted), pool.two.connections) == (5, 0)
    assert pool.world.state(send) is SendState.PAUSED
    assert pool.world.store.send(send.id).not_before is not None


def test_at_one_relays_limit_of_the_day_its_equals_go_on(pool: Pool) -> None:
    pool.world.people(40)
    first = pool.one.relay(name="one", weight=1, limits=Limits(per_day=5))
    send = pool.world.publish()
    pool.deliver(send, pool.outs(first))
    everybody_once(pool, 40)
    assert len(pool.one.accepted) <= 5
    assert pool.world.state(send) is SendState.DONE


def test_a_mail_in_doubt_never_goes_to_the_other_relay(pool: Pool) -> None:
    pool.world.people(40)
    pool.one.on("dot", drop=True)  # it has the mail, and nobody hears of it
    send = pool.world.publish()
    pool.deliver(send, pool.outs(second=pool.two.relay(name="two", weight=0)))
    states = pool.world.states(send)
    doubtful = [address for address, state in states.items() if state == "unknown"]
    assert len(doubtful) == 4  # as many lines as are lost before a relay is given up
    assert not set(doubtful) & {taken.rcpt_to for taken in pool.two.accepted}
    everybody_once(pool, 40)
    assert pool.world.state(send) is SendState.DONE


def test_when_no_relay_is_left_the_send_says_why_and_waits(pool: Pool) -> None:
    pool.world.people(3)
    pool.one.on("greeting", say="421 4.3.2 closed")
    pool.two.on("greeting", say="421 4.3.2 closed")
    send = pool.world.publish()
    with pytest.raises(RelayUnavailable):
        pool.deliver(send)
    assert len(failovers(pool, send)) <= 1  # there is no other any more for the second
    assert set(pool.world.states(send).values()) == {"pending"}
    assert pool.world.state(send) is SendState.PAUSED


def test_promise_6_a_relay_that_knows_nobody_erases_no_list(pool: Pool) -> None:
    """Its strangers are suppressed only if it has ever taken a mail; the other's yes is not its."""
    pool.world.people(60)
    pool.one.on("rcpt", say="550 5.1.1 no such user")
    send = pool.world.publish()
    pool.deliver(send, pool.outs(second=pool.two.relay(name="two", weight=0)))
    failed = [address for address, state in pool.world.states(send).items() if state == "failed"]
    assert len(failed) == 10
    for address in failed:
        person = pool.world.store.subscriber(address)
        assert person is not None
        assert person.status.value == "active"


def test_each_relay_gets_its_own_fields(pool: Pool) -> None:
    pool.world.people(60)
    first = pool.one.relay(name="one", weight=1, headers=(("X-One", "{issue}"),))
    second = pool.two.relay(name="two", weight=1, headers=(("X-Two", "{issue}"),))
    pool.deliver(pool.world.publish(), pool.outs(first, second))
    assert all(taken.content.startswith(b"X-One: winter") for taken in pool.one.accepted)
    assert all(taken.content.startswith(b"X-Two: winter") for taken in pool.two.accepted)


def test_a_row_that_was_refused_for_now_is_tried_by_any_relay_later(pool: Pool) -> None:
    pool.world.people(1)
    pool.one.on("rcpt", say="451 4.3.0 later")
    send = pool.world.publish()
    outs = pool.outs(second=pool.two.relay(name="two", weight=0))
    pool.deliver(send, outs)
    pool.world.time = NOW + timedelta(hours=2)
    pool.deliver(send, list(reversed(pool.outs())))
    everybody_once(pool, 1)


# shares


@pytest.mark.parametrize(
    ("weights", "connections", "wanted", "shares"),
    [
        ((1, 1), (4, 4), 100, (4, 4)),
        ((3, 1), (4, 4), 100, (4, 1)),
        ((3, 1), (4, 4), 1, (1, 0)),
        ((1, 1), (4, 4), 2, (1, 1)),
        ((1, 1), (1, 4), 100, (1, 4)),
        ((2, 1), (6, 6), 6, (4, 2)),
        ((100, 1), (4, 4), 100, (4, 1)),
        ((None, 0), (2, 2), 0, (1, 0)),
    ],
)
def test_lanes_are_shared_by_weight(
    pool: Pool,
    weights: tuple[int | None, int | None],
    connections: tuple[int, int],
    wanted: int,
    shares: tuple[int, int],
) -> None:
    from newsletter.delivery.run import Run
    from newsletter.mime import stencil

    pool.world.people(1)
    send = pool.world.publish()
    run = Run(send, pool.world.office(), stencil(send.email, pool.world.letter, NOW))
    relays = [
        Relay(name=name, kind="smtp", weight=weight)
        for name, weight in zip(("one", "two"), weights, strict=True)
    ]
    ways = [
        Way.of(run, WayOut(relay, [open_transport(relay) for _ in range(count)]))
        for relay, count in zip(relays, connections, strict=True)
    ]
    found = Counter(lane.way.out.relay.name for lane in lanes(ways, wanted))
    assert (found["one"], found["two"]) == shares


# which relays


RELAYS = """
[relay.main]
weight = 3

[relay.spare]
weight = 1
preset = "file"

[relay.alone]
preset = "file"

[relay.vip]
preset = "maildir"
weight = 1
tags = ["vip"]

[relay.vip-spare]
preset = "file"
weight = 0
tags = ["vip"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    letters = publication(tmp_path, months=1)
    letters.write("newsletter.toml", CONFIG.partition("[relay.main]")[0] + RELAYS)
    return load_config(tmp_path)


def names(config: Config, name: str | None = None, tag: str | None = None) -> list[str]:
    relay = load_relay_for(config, {}, name=name, tag=tag)
    return [each.name for each in load_pool(config, relay, {})]


def test_relays_with_a_weight_go_together(config: Config) -> None:
    assert names(config) == ["main", "spare"]
    assert names(config, tag="nobody's") == ["main", "spare"]
    assert [one.weight for one in load_pool(config, load_relay(config, None, {}), {})] == [3, 1]


def test_a_tag_has_relays_of_its_own(config: Config) -> None:
    assert names(config, tag="vip") == ["vip", "vip-spare"]


def test_a_relay_that_is_named_goes_alone(config: Config) -> None:
    assert names(config, name="spare") == ["spare"]
    assert names(config, name="alone") == ["alone"]


def test_a_send_goes_on_by_the_relays_it_began_with(config: Config) -> None:
    relay = load_relay(config, "vip", {})
    assert [one.name for one in load_pool(config, relay, {})] == ["vip", "vip-spare"]


AUTHORS = """
[relay.main]
preset = "file"
weight = 1

[relay.shop]
preset = "file"
weight = 1
from = ["@SHOP.example.org"]

[relay.shop-spare]
preset = "file"
weight = 0
from = ["@letters.example.org", "@shop.example.org"]

[relay.desk]
preset = "file"
weight = 1
from = ["desk@shop.example.org", "ana@else.example.org"]

[relay.vip]
preset = "maildir"
tags = ["vip"]
"""


def written_by(folder: Path, author: str, relays: str = AUTHORS) -> Config:
    """A publication with that From."""
    made = publication(folder, months=1)
    text = CONFIG.partition("[relay.main]")[0].replace("ana@letters.example.org", author)
    made.write("newsletter.toml", text + relays)
    return load_config(folder)


@pytest.mark.parametrize(
    ("author", "expected"),
    [
        ("me@any.example.org", ["main"]),
        ("me@shop.example.org", ["shop", "shop-spare"]),
        ("Me@Shop.Example.Org", ["shop", "shop-spare"]),
        ("me@sub.shop.example.org", ["main"]),
        ("desk@shop.example.org", ["desk"]),
        ("DESK@shop.example.org", ["desk"]),
    ],
)
def test_the_from_chooses_the_relays_that_name_it_most_closely(
    tmp_path: Path, author: str, expected: list[str]
) -> None:
    assert names(written_by(tmp_path, author)) == expected


def test_the_tag_is_asked_before_the_from(tmp_path: Path) -> None:
    assert names(written_by(tmp_path, "desk@shop.example.org"), tag="vip") == ["vip"]


def test_a_relay_for_a_tag_and_a_from_is_for_nothing_else(tmp_path: Path) -> None:
    relays = AUTHORS.replace('tags = ["vip"]', 'tags = ["vip"]\nfrom = ["me@any.example.org"]')
    config = written_by(tmp_path, "me@any.example.org", relays)
    assert names(config) == ["main"]
    assert names(config, tag="vip") == ["vip"]
    assert names(written_by(tmp_path, "you@any.example.org", relays), tag="vip") == ["main"]


def test_a_relay_for_mail_from_others_is_refused_even_when_it_is_named(tmp_path: Path) -> None:
    config = written_by(tmp_path, "me@any.example.org")
    with pytest.raises(ConfigError, match=r"takes mail from @SHOP\.example\.org only"):
        names(config, name="shop")
    made = Publication(tmp_path)
    made.people(1)
    words = made.run("send", "latest", "--yes", "--relay", "desk", code=2).stderr
    assert "relay desk takes mail from desk@shop.example.org, ana@else.example.org only" in words
    assert made.ask("status", "latest")["sends"] == []


def test_a_configuration_in_which_no_relay_takes_our_mail_is_an_error(tmp_path: Path) -> None:
    only = '[relay.main]\npreset = "file"\nfrom = ["@shop.example.org"]\n'
    with pytest.raises(ConfigError, match="no relay takes mail from me@any"):
        written_by(tmp_path, "me@any.example.org", only)
    assert "no relay takes mail" in Publication(tmp_path).run("doctor", code=None).output


@pytest.mark.parametrize(
    "entry", ["example.org", "@", "a@b", "Ana <a@example.org>", "ä@example.org"]
)
def test_what_is_no_address_and_no_domain_cannot_choose_a_relay(tmp_path: Path, entry: str) -> None:
    with pytest.raises(ConfigError, match="write an ASCII address"):
        written_by(tmp_path, "me@any.example.org", f'[relay.main]\nfrom = ["{entry}"]\n')


def test_a_send_goes_on_by_the_from_it_was_frozen_with(tmp_path: Path) -> None:
    config = written_by(tmp_path, "me@any.example.org")
    shop = load_relay(config, "shop", {})
    assert [each.name for each in load_pool(config, shop, {}, "me@shop.example.org")] == [
        "shop",
        "shop-spare",
    ]
    with pytest.raises(ConfigError, match="this is from me@any"):
        load_pool(config, shop, {})


def test_a_send_to_a_tag_leaves_by_its_relay(tmp_path: Path, config: Config) -> None:
    letters = Publication(tmp_path)
    letters.people(2)
    letters.run("subscribers", "tag", "p0@example.com", "--add", "vip")
    letters.run("send", "latest", "--tag", "vip", "--yes")
    assert len(list((tmp_path / ".newsletter/maildir/new").iterdir())) == 1
    assert letters.inbox == []


def test_a_standby_with_a_missing_secret_stops_the_start(tmp_path: Path, config: Config) -> None:
    letters = Publication(tmp_path)
    text = (tmp_path / "newsletter.toml").read_text()
    text = text.replace('[relay.spare]\nweight = 1\npreset = "file"', SECRET)
    letters.write("newsletter.toml", text)
    letters.people(1)
    assert "NOT_SET_2" in letters.run("send", "latest", "--yes", code=2).output
    assert letters.inbox == []


def test_an_example_reaches_nobody_by_a_standby(tmp_path: Path, config: Config) -> None:
    letters = Publication(tmp_path)
    text = (tmp_path / "newsletter.toml").read_text()
    real = '[relay.spare]\nweight = 0\npreset = "smtp"\nhost = "mx.example.net"'
    letters.write(
        "newsletter.toml", text.replace('[relay.spare]\nweight = 1\npreset = "file"', real)
    )
    letters.people(1)
    assert "still an example" in letters.run("send", "latest", "--yes", code=6).output


SECRET = """[relay.spare]
weight = 0
preset = "smtp"
host = "mx.example.org"
username = "u"
password_env = "NOT_SET_2"
"""


def test_a_failover_is_told_by_status_report_page_and_events(tmp_path: Path) -> None:
    made = publication(tmp_path, months=1)
    made.people(30)
    with ScriptedRelay() as one, ScriptedRelay() as two:
        one.on("mail", times=10).on("mail", say="550 5.4.5 Daily user sending limit exceeded")
        table = 'preset = "smtp"\nhost = "127.0.0.1"\nport = {}\ntls = "none"\nconnections = 1\n'
        first, second = (table.format(relay.port) for relay in (one, two))
        relays = f"{first}weight = 1\n[relay.second]\n{second}weight = 0"
        config = tmp_path / "newsletter.toml"
        config.write_text(config.read_text().replace('preset = "inbox"', relays))
        events = made.events("send", "latest", "--yes")
    [told] = [event for event in events if event["event"] == "failed-over"]
    assert (told["relay"], told["goes_on_by"]) == ("main", ["second"])
    assert "Daily user sending limit" in told["why"]
    [send] = made.ask("status", "latest")["sends"]
    [failover] = send["failovers"]
    assert failover["relay"] == "main"
    assert "from main to second: our allowance is used up" in made.run("status", "latest").stdout
    [facts] = made.ask("report", "latest")["sends"]
    assert {each["relay"]: each["accepted"] for each in facts["relays"]} == {
        "main": 10,
        "second": 20,
    }
    said = made.run("report", "latest", "--out", str(tmp_path / "report.html")).stdout
    assert "by relay    main 10   second 20" in said
    assert "from main to second" in said
    assert "main -&gt; second: our allowance" in (tmp_path / "report.html").read_text()
