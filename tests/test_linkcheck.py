"""Links are followed as a stranger's word is: to public addresses only, for a short while, in
small sips (deliverability 7.21). Every site here is a real server on this machine."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from time import monotonic

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from newsletter.linkcheck import KINDS, Outside, Survey, Verdict
from newsletter.linkcheck.pace import Pace
from newsletter.linkcheck.target import Refused, target_of
from newsletter.linkcheck.territory import is_public
from newsletter.linkcheck.visit import visit
from tests.websites import OK, Net, Said, reply, site

WEB = frozenset((80, 443))
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def seen(script: dict[str, Said], path: str = "/") -> tuple[Verdict, list[str]]:
    """The verdict on one page of a site, and what the site was asked for."""
    net = Net()
    with site(script) as shop:
        verdict = visit(f"http://shop.example:{shop.port}{path}", net.outside(shop.port), _at_once)
        return verdict, shop.asked


def _at_once(_host: str) -> None:
    """No pace."""


def test_a_page_that_answers_head_is_asked_once() -> None:
    assert seen({"/": OK}) == (Verdict("", "200 OK"), ["HEAD /"])


def test_a_page_that_refuses_head_is_asked_for_its_first_bytes() -> None:
    net = Net()
    with site({"HEAD /": reply("405 Method Not Allowed"), "GET /": reply("206 Partial")}) as shop:
        url = f"http://shop.example:{shop.port}/"
        assert visit(url, net.outside(shop.port), _at_once).code == ""
        assert shop.asked == ["HEAD /", "GET /"]
        assert "Range: bytes=0-1023" in shop.heads[1]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("204 No Content", ""),
        ("404 Not Found", "links.dead"),
        ("410 Gone", "links.dead"),
        ("401 Unauthorized", "links.unsure"),
        ("403 Forbidden", "links.unsure"),
        ("429 Too Many Requests", "links.unsure"),
        ("999 Request denied", "links.unsure"),
        ("500 Oops", "links.failing"),
        ("503 Busy", "links.failing"),
        ("416 Range Not Satisfiable", ""),
        ("302 Found", "links.failing"),
    ],
)
def test_each_status_has_its_verdict(status: str, code: str) -> None:
    verdict, _ = seen({"/": reply(status)})
    assert verdict == Verdict(code, status)


def test_whoever_asks_for_less_is_not_asked_twice() -> None:
    assert seen({"/": reply("429 Slow Down")})[1] == ["HEAD /"]


def test_nothing_that_could_tell_a_reader_is_sent() -> None:
    with site({"/a?b=c": OK}) as shop:
        visit(f"http://shop.example:{shop.port}/a?b=c#d", Net().outside(shop.port), _at_once)
        fields = {
            line.partition(":")[0].lower() for line in shop.heads[0].split("\r\n")[1:] if line
        }
    assert fields == {"host", "user-agent", "accept", "accept-encoding", "connection"}


def test_a_page_that_moved_for_good_is_told_with_its_new_address() -> None:
    verdict, asked = seen({"/": reply("301 Moved", "Location: /new"), "/new": OK})
    assert verdict.code == "links.moved"
    assert verdict.seen.endswith("/new")
    assert asked == ["HEAD /", "HEAD /new"]
    assert seen({"/": reply("302 Found", "Location: /new"), "/new": OK})[0].code == ""
    gone, _ = seen({"/": reply("301 Moved", "Location: /new")})
    assert gone.code == "links.dead"
    assert "redirected to" in gone.seen


def test_letters_beyond_ascii_are_asked_as_octets() -> None:
    assert seen({"/caf%C3%A9?q=%C3%A9%20%25": OK}, "/café?q=é %25")[0].good


def test_attack_21_redirects_end() -> None:
    verdict, asked = seen({"/": reply("302 Found", "Location: /")})
    assert verdict.code == "links.redirects"
    assert len(asked) == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://private.example:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:22/",
        "http://[::ffff:10.0.0.1]:{port}/",
        "http://name:word@shop.example:{port}/",
        "file:///etc/passwd",
        "gopher://shop.example:{port}/",
        "//2130706433:{port}/",
    ],
)
def test_attack_21_every_redirect_is_looked_at_again(location: str) -> None:
    net = Net(names={"private.example": [["10.1.2.3"]]})
    with site({}) as shop:
        shop.script = {"/": reply("302 Found", f"Location: {location.format(port=shop.port)}")}
        url = f"http://shop.example:{shop.port}/"
        verdict = visit(url, net.outside(shop.port, 80), _at_once)
        assert (verdict.code, shop.asked) == ("links.refused", ["HEAD /"])


def test_attack_21_a_name_is_resolved_once_and_that_address_is_called() -> None:
    """DNS rebinding: the second answer is a private address, and nobody gets to use it."""
    net = Net(names={"shop.example": [["127.0.0.1"], ["10.0.0.1"]]})
    with site({"/": OK}) as shop:
        url = f"http://shop.example:{shop.port}/"
        assert visit(url, net.outside(shop.port), _at_once).code == ""
        assert net.resolved == ["shop.example"]
        assert f"Host: shop.example:{shop.port}" in shop.heads[0]


def test_attack_21_a_second_request_is_looked_at_anew() -> None:
    net = Net(names={"shop.example": [["127.0.0.1"], ["10.0.0.1"]]})
    with site({"HEAD /": reply("500 Oops"), "GET /": OK}) as shop:
        url = f"http://shop.example:{shop.port}/"
        assert visit(url, net.outside(shop.port), _at_once).code == "links.refused"
        assert shop.asked == ["HEAD /"]


def test_attack_21_one_private_address_among_public_ones_refuses_the_name() -> None:
    net = Net(names={"shop.example": [["127.0.0.1", "192.168.0.1"]]})
    with site({"/": OK}) as shop:
        verdict = visit(f"http://shop.example:{shop.port}/", net.outside(shop.port), _at_once)
        assert (verdict.code, shop.asked) == ("links.refused", [])


CLOSED = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001::1",
    "2001:db8::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "100::1",
    "3fff::1",
    "5f00::1",
    "2001:4860:4860::8888%1",
    "nonsense",
    "1.2.3",
]


@pytest.mark.parametrize("address", CLOSED)
def test_attack_21_private_and_metadata_addresses_are_no_territory(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111"),
        *("::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"),
    ],
)
def test_public_addresses_are_territory(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="127.0.0.0/8"))
def test_attack_21_a_private_address_is_one_in_every_wrapping(address: IPv4Address) -> None:
    for start in ("::ffff:0:0", "64:ff9b::", "64:ff9b:1::"):
        assert not is_public(str(IPv6Address(int(IPv6Address(start)) | int(address))))
    assert not is_public(str(IPv6Address((0x2002 << 112) | (int(address) << 80) | 1)))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://017700000001/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[0:0:0:0:0:ffff:7f00:1]/",
        "http://①②⑦.⓪.⓪.①/",
        "http://１２７.0.0.1/",
        "http://127。0。0。1/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://169.254.169.254/",
        "http://[64:ff9b::7f00:1]/",
    ],
)
def test_attack_21_no_spelling_of_this_machine_is_called(url: str) -> None:
    """With the machine's own resolver: numbers and localhost leave no machine."""
    assert visit(url, Outside(), _at_once).code in ("links.refused", "links.dead")


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example:22/",
        "http://a.example:6379/",
        "https://a.example:8443/",
        "ftp://a.example/",
        "http://u:p@a.example/",
        "http://a.example@b.example/",
        "http://@a.example/",
        "http://a.example:99999/",
        "http://[::1/",
        "//a.example/",
        "/a",
        "mailto:a@b.example",
    ],
)
def test_attack_21_ports_schemes_and_passwords_are_refused(url: str) -> None:
    with pytest.raises(Refused) as refused:
        target_of(url, WEB)
    assert refused.value.verdict.code == "links.refused"


@pytest.mark.parametrize("url", ["http:///", "http://a..example/", "http://-a.example/"])
def test_what_is_no_host_name_is_dead(url: str) -> None:
    with pytest.raises(Refused) as refused:
        target_of(url, WEB)
    assert refused.value.verdict.code == "links.dead"


@given(st.text(max_size=40))
def test_attack_21_no_text_becomes_more_than_one_request(text: str) -> None:
    for url in (text, f"http://{text}/", f"https://a.example/{text}", f"http://a.example/?{text}"):
        try:
            target = target_of(url, WEB)
        except Refused as refused:
            assert refused.verdict.code in KINDS
            continue
        whole = f"{target.request}{target.host_field}"
        assert whole.isascii()
        assert whole.isprintable()
        assert " " not in whole


def test_a_name_that_nobody_bears_is_dead() -> None:
    net = Net(names={"gone.example": []})
    assert visit("http://gone.example/", net.outside(80), _at_once).code == "links.dead"


def test_a_resolver_that_is_away_says_nothing_about_the_link() -> None:
    def away(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    verdict = visit("http://a.example/", Outside(resolve=away), _at_once)
    assert verdict.code == "links.failing"


def drip(line: socket.socket) -> None:
    """One octet at a time, for ever."""
    line.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        line.sendall(b"x")


def endless(line: socket.socket) -> None:
    while True:
        line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def silence(line: socket.socket) -> None:
    line.recv(1)


def slowly(line: socket.socket) -> None:
    from time import sleep

    for octet in b"HTTP/1.1 200 OK\r\n" * 100:
        line.sendall(bytes([octet]))
        sleep(0.05)


@pytest.mark.parametrize(
    "said", [drip, endless, silence, slowly, b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n"]
)
def test_attack_21_a_server_that_never_ends_is_left(said: Said) -> None:
    net = Net()
    with site({"/": said}) as shop:
        start = monotonic()
        outside = net.outside(shop.port, timeout_s=0.3)
        verdict = visit(f"http://shop.example:{shop.port}/", outside, _at_once)
        assert verdict.code == "links.failing"
        assert monotonic() - start < 30  # for ever is the alternative


def test_attack_21_an_answer_is_heard_to_64_kb() -> None:
    """The line is fast, and there is time: it is the octets that are counted."""
    net = Net()
    with site({"/": endless}) as shop:
        outside = net.outside(shop.port, timeout_s=600)
        verdict = visit(f"http://shop.example:{shop.port}/", outside, _at_once)
    assert verdict == Verdict("links.failing", "its answer has no end")


def test_attack_21_a_long_body_is_not_read() -> None:
    sent: list[int] = []

    def flood(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            for _ in range(4000):
                line.sendall(b"x" * 65_536)
                sent.append(65_536)
        except OSError:
            return

    assert seen({"/": flood})[0].code == ""
    assert sum(sent) < 16_000_000


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def certified(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_tls_is_spoken_in_the_name_of_the_host(
    authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    named: list[str | None] = []
    context = certified(authority, "shop.example")
    context.sni_callback = lambda _socket, name, _context: named.append(name)
    with site({"/": OK}, context) as shop:
        outside = Net().outside(shop.port, tls=trusting)
        assert visit(f"https://shop.example:{shop.port}/", outside, _at_once).code == ""
    assert named == ["shop.example"]


def test_attack_21_a_certificate_that_does_not_hold_is_a_finding(
    authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    with site({"/": OK}, certified(authority, "other.example")) as shop:
        url = f"https://shop.example:{shop.port}/"
        wrong = visit(url, Net().outside(shop.port, tls=trusting), _at_once)
        unknown = visit(url, Net().outside(shop.port), _at_once)
        assert (wrong.code, unknown.code) == ("links.tls", "links.tls")
        assert "shop.example" in wrong.seen
        assert shop.asked == []


def test_one_host_is_asked_once_a_second_and_others_meanwhile() -> None:
    time, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time[0] += seconds

    pace = Pace(1.0, lambda: time[0], sleep)
    for host in ("a", "a", "b", "a", "b"):
        pace.wait(host)
    assert slept == [1.0, 1.0]
    time[0] += 5
    pace.wait("a")
    assert slept == [1.0, 1.0]


def survey(file: Path, outside: Outside, later: timedelta = timedelta()) -> Survey:
    return Survey(outside, file, lambda: NOW + later)


def test_an_address_is_visited_once_whatever_stands_after_the_hash(tmp_path: Path) -> None:
    net = Net()
    with site({"/": OK}) as shop:
        url = f"http://shop.example:{shop.port}/"
        verdicts = survey(tmp_path / "links.json", net.outside(shop.port)).of(
            [url, f"{url}#a", f"{url}#b", url]
        )
        assert [each.code for each in verdicts.values()] == ["", "", ""]
        assert shop.asked == ["HEAD /"]


def test_what_was_seen_is_kept_for_a_day_and_a_fault_for_ten_minutes(tmp_path: Path) -> None:
    file, net = tmp_path / "state" / "links.json", Net()
    with site({"/good": OK}) as shop:
        good, bad = (f"http://shop.example:{shop.port}/{path}" for path in ("good", "bad"))
        outside = net.outside(shop.port)
        survey(file, outside).of([good, bad])
        asked = len(shop.asked)
        again = survey(file, outside, timedelta(minutes=9)).of([good, bad])
        assert (len(shop.asked), again[bad].code, again[bad].age_s) == (asked, "links.dead", 540)
        survey(file, outside, timedelta(minutes=11)).of([good, bad])
        assert shop.asked[asked:] == ["HEAD /bad", "GET /bad"]
        survey(file, outside, timedelta(hours=25)).of([good])
        assert shop.asked[-1] == "HEAD /good"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"links": {"a": 1}}', '{"links": []}', "\0"])
def test_a_broken_cache_is_an_empty_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / "links.json"
    file.write_text(text)
    with site({"/": OK}) as shop:
        url = f"http://shop.example:{shop.port}/"
        assert survey(file, Net().outside(shop.port)).of([url])[url].good


def test_a_clock_that_was_set_back_makes_the_cache_old(tmp_path: Path) -> None:
    file, net = tmp_path / "links.json", Net()
    with site({"/": OK}) as shop:
        url = f"http://shop.example:{shop.port}/"
        survey(file, net.outside(shop.port)).of([url])
        survey(file, net.outside(shop.port), timedelta(days=-2)).of([url])
        assert len(shop.asked) == 2


def test_hosts_are_paced_one_by_one(tmp_path: Path) -> None:
    net = Net()
    with site({}) as shop:
        urls = [f"http://{host}.example:{shop.port}/{page}" for host in "ab" for page in "12"]
        outside = replace(net.outside(shop.port), clock=lambda: 0.0)
        survey(tmp_path / "links.json", outside).of(urls)
        # HEAD and GET of two pages each: the second to fourth request of a host wait.
        assert sorted(net.slept) == [1, 1, 2, 2, 3, 3]
