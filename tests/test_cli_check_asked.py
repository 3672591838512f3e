"""check, asked for more than the rules: --links, --spam, --as, and the worst readers there are."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.cli.boundary import Desk
from newsletter.cli.judging import Bench
from newsletter.cli.link_findings import link_findings, may_be_asked, survey_of
from tests.publication import Publication, publication
from tests.websites import OK, Net, reply, site

HEAD = """---
title: What we learned from 40 issues
date: 2026-04-01 08:00:00 +0000
preheader: Forty letters, six of them good, and what those six have in common after all.
---

"""
SPAMD = """SPAMD/1.1 0 EX_OK\r
Content-length: 9\r
Spam: {spam} ; {score} / 5.0\r
\r
Content analysis details:   ({score} points, 5.0 required)

 pts rule name              description
---- ---------------------- --------------------------------------------------
 2.7 MISSING_DATE           Missing Date: header
 0.0 HTML_MESSAGE           BODY: HTML included in message
 0.1 HTML_IMAGE_ONLY_04     BODY: HTML: images with 0-400 bytes of
                            words
-1.0 MAILING_LIST_MULTI     Multiple indicators imply a widely-seen list
                            manager

"""


@pytest.fixture
def letter(tmp_path: Path) -> Publication:
    return publication(tmp_path, months=0)


def write(letter: Publication, body: str) -> Path:
    return letter.write("issues/2026-04-01-learned.md", HEAD + body)


def found(letter: Publication, *arguments: str, code: int | None = None) -> list[dict[str, str]]:
    answer = letter.ask("check", "learned", *arguments, code=code)
    problems: list[dict[str, str]] = answer["problems"]
    return problems


def lines(problems: list[dict[str, str]], prefix: str) -> list[tuple[str, str, int]]:
    """Code, severity and line of the findings of one kind."""
    return [
        (p["code"], p["severity"], int(p["line"])) for p in problems if p["code"].startswith(prefix)
    ]


# --links


def visited(letter: Publication, net: Net, *ports: int) -> list[tuple[str, str | None, int | None]]:
    """What --links finds, over a net on this machine."""
    desk = Desk(folder=letter.root, environ={})
    bench = Bench(desk, desk.shelf())
    articles = bench.shelf.archive.articles
    problems = link_findings(bench, articles, survey_of(desk, net.outside(*ports)))
    return [(p.code, p.path.name, p.line) for p in problems]


def test_a_dead_link_is_told_with_the_line_of_the_article(letter: Publication) -> None:
    with site({"/here": OK, "/picture.png": reply("404 Not Found")}) as shop:
        base = f"http://shop.example:{shop.port}"
        write(letter, f"One [is here]({base}/here) and\none [is gone]({base}/gone).\n")
        net = Net()
        # The letter's own pages are asked for too, at a port that is not one of the web's here.
        problems = [p for p in visited(letter, net, shop.port) if p[0] == "links.dead"]
        assert problems == [("links.dead", "2026-04-01-learned.md", 8)]
        assert sorted(set(shop.asked)) == ["GET /gone", "HEAD /gone", "HEAD /here"]


def test_slots_unsubscribe_links_and_the_own_page_are_never_asked(letter: Publication) -> None:
    with site({}) as shop:
        base = f"http://shop.example:{shop.port}"
        write(
            letter,
            f"[yours]({base}/u?n={{{{ first_name | x }}}}) [out]({base}/unsubscribe/7)\n"
            f"[raus]({base}/newsletter?do=abmelden) [post](mailto:ana@example.org)\n",
        )
        net = Net()
        visited(letter, net, shop.port, 443)
        assert shop.asked == []
        assert all("/u/" not in head for head in shop.heads)
        assert "shop.example" not in net.resolved


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/u/xslot0123456789abx",
        "https://a.example/Unsubscribe",
        "https://a.us1.list-manage.com/x?id=1",
        "https://a.example/opt-out",
        "https://[a",
        "mailto:a@b.example",
        "#x",
    ],
)
def test_what_might_do_something_may_not_be_asked(url: str) -> None:
    assert not may_be_asked(url)


def test_an_article_may_ignore_what_a_link_answers(letter: Publication) -> None:
    with site({}) as shop:
        file = write(letter, f"[gone](http://shop.example:{shop.port}/gone)\n")
        file.write_text(file.read_text().replace("preheader", "ignore: [links.dead]\npreheader"))
        assert "links.dead" not in [p[0] for p in visited(letter, Net(), shop.port)]
        assert "GET /gone" in shop.asked


def test_the_command_asks_and_remembers(letter: Publication) -> None:
    """Nothing here leaves this machine: numbers need no resolver, the rest was seen before."""
    write(letter, "A [page](https://example.org/a) and [another](http://127.0.0.1:80/b).\n")
    at = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    seen = {
        "https://example.org/a": {"code": "links.moved", "seen": "to https://x.example/", "at": at},
        "https://letters.example.org/": {"code": "", "seen": "200 OK", "at": at},
    }
    letter.write(".newsletter/links.json", json.dumps({"v": 1, "links": seen}))
    problems = found(letter, "--links", code=3)
    assert lines(problems, "links.") == [("links.refused", "error", 7), ("links.moved", "info", 7)]
    [moved] = [p for p in problems if p["code"] == "links.moved"]
    assert moved["message"].endswith("to https://x.example/ (3 h ago)")
    kept = json.loads((letter.root / ".newsletter/links.json").read_text())["links"]
    assert kept["http://127.0.0.1:80/b"]["code"] == "links.refused"


def test_severities_and_codes_of_links_are_known(letter: Publication) -> None:
    write(letter, "A [page](http://127.0.0.1:80/b).\n")
    file = letter.root / "newsletter.toml"
    file.write_text(f'{file.read_text()}\n[check]\nseverity = {{"links.refused" = "info"}}\n')
    at = datetime.now(UTC).isoformat()
    seen = {"https://letters.example.org/": {"code": "", "seen": "200 OK", "at": at}}
    letter.write(".newsletter/links.json", json.dumps({"v": 1, "links": seen}))
    assert lines(found(letter, "--links"), "links.") == [("links.refused", "info", 7)]


def test_mails_are_not_asked_for_their_links(letter: Publication) -> None:
    """The links in a mail are somebody's own."""
    mail = letter.write("a.eml", "From: a@example.org\r\n\r\nx")
    error = letter.ask("check", "--eml", str(mail), "--links", code=2)["error"]
    assert error["message"] == "--eml checks mails alone"


# --spam


@contextmanager
def spamd(said: bytes, heard: list[bytes]) -> Iterator[int]:
    """A spamd that answers everything with the same words."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line:
                request = b""
                while more := line.recv(65_536):
                    request += more
                heard.append(request)
                with suppress(OSError):  # who has heard enough hangs up in the middle of it
                    line.sendall(said)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def ask_filter(letter: Publication, address: str, more: str = "") -> None:
    file = letter.root / "newsletter.toml"
    file.write_text(f'{file.read_text()}\n[check]\nspam = "{address}"\n{more}\n')


def test_without_a_filter_spam_is_a_usage_error_with_the_key(letter: Publication) -> None:
    write(letter, "x\n")
    error = letter.ask("check", "--spam", code=2)["error"]
    assert error["code"] == "check.spam"
    assert 'spam = "spamd://127.0.0.1:783"' in error["hint"]


@pytest.mark.parametrize(
    ("score", "severity", "code"), [("-1.0", "info", 0), ("1.2", "warning", 0), ("7", "error", 3)]
)
def test_the_score_and_what_it_cost_are_findings(
    letter: Publication, score: str, severity: str, code: int
) -> None:
    write(letter, "A letter of few words.\n")
    heard: list[bytes] = []
    answer = SPAMD.format(spam="False", score=score).encode()
    with spamd(answer, heard) as port:
        ask_filter(letter, f"spamd://127.0.0.1:{port}")
        problems = [p for p in found(letter, "--spam", code=code) if p["code"].startswith("spam.")]
    assert {p["code"]: p["severity"] for p in problems} == {
        "spam.score": severity,
        "spam.MISSING_DATE": "warning",
        "spam.HTML_IMAGE_ONLY_04": "info",
    }
    [image] = [p for p in problems if p["code"] == "spam.HTML_IMAGE_ONLY_04"]
    assert image["message"].endswith("images with 0-400 bytes of words")
    [request] = heard
    head, _, content = request.partition(b"\r\n\r\n")
    assert head.startswith(b"REPORT SPAMC/1.5\r\n")
    assert f"Content-length: {len(content)}".encode() in head
    assert b"A letter of few words." in content


def test_a_mail_from_anywhere_is_judged_too(letter: Publication) -> None:
    mail = letter.write("a.eml", "From: a@example.org\r\n\r\nx")
    with spamd(SPAMD.format(spam="True", score="9").encode(), []) as port:
        ask_filter(letter, f"spamd://127.0.0.1:{port}")
        answer = letter.ask("check", "--eml", str(mail), "--spam", code=3)
    assert "spam.score" in {p["code"] for p in answer["problems"]}


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SPAMD/1.1 76 Bad header line\r\n\r\n",
        b"SPAMD/1.1 0 EX_OK\r\n\r\n",
        b"220 mail.example.org ESMTP\r\n",
        b"SPAMD/1.1 0 EX_OK\r\nSpam: False ; " + b"1" * 2_000_000,
    ],
)
def test_a_filter_that_says_something_else_is_named_and_exits_75(
    letter: Publication, said: bytes
) -> None:
    write(letter, "x\n")
    with spamd(said, []) as port:
        ask_filter(letter, f"spamd://127.0.0.1:{port}")
        error = letter.ask("check", "--spam", code=75)["error"]
    assert f"spamd://127.0.0.1:{port}" in error["message"]


def test_a_filter_that_is_away_exits_75(letter: Publication) -> None:
    write(letter, "x\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    ask_filter(letter, f"rspamd://127.0.0.1:{port}")
    assert letter.ask("check", "--spam", code=75)["error"]["code"] == "check.spam"


@pytest.mark.parametrize("path", ["/no/such/spamd.sock"])
def test_a_socket_that_is_not_there_exits_75(letter: Publication, path: str) -> None:
    write(letter, "x\n")
    ask_filter(letter, f"spamd:{path}")
    assert path in letter.ask("check", "--spam", code=75)["error"]["message"]


RSPAMD = {
    "score": 2.5,
    "required_score": 15,
    "symbols": {
        "URI_COUNT_ODD": {"score": 1.0, "description": "Odd number of URIs"},
        "MAILLIST": {"score": -0.14},
        "MISSING_MID": {"score": 2.5},
    },
}


def test_rspamd_is_asked_by_http(letter: Publication) -> None:
    write(letter, "A letter of few words.\n")
    body = json.dumps(RSPAMD).encode()
    with site({"POST /checkv2": reply("200 OK", body=body)}) as judge:
        ask_filter(letter, f"rspamd://127.0.0.1:{judge.port}")
        problems = [p for p in found(letter, "--spam") if p["code"].startswith("spam.")]
    assert [(p["code"], p["severity"], p["message"]) for p in problems] == [
        ("spam.MISSING_MID", "warning", "+2.5 MISSING_MID"),
        ("spam.URI_COUNT_ODD", "warning", "+1.0 URI_COUNT_ODD: Odd number of URIs"),
        ("spam.score", "warning", "rspamd gives 2.5, spam begins at 15.0"),
    ]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"score": 1, "symbols": []}', b"<html>"])
def test_what_is_no_answer_of_rspamd_exits_75(letter: Publication, body: bytes) -> None:
    write(letter, "x\n")
    with site({"POST /checkv2": reply("200 OK", body=body)}) as judge:
        ask_filter(letter, f"rspamd://127.0.0.1:{judge.port}")
        letter.ask("check", "--spam", code=75)


def test_a_filter_elsewhere_must_be_wanted_twice_and_is_said(letter: Publication) -> None:
    """Whole mails would leave this machine."""
    write(letter, "x\n")
    ask_filter(letter, "spamd://filter.example.com")
    error = letter.ask("check", "--spam", code=2)["error"]
    assert "spam_elsewhere = true" in error["message"]


def test_a_filter_elsewhere_is_warned_of(letter: Publication) -> None:
    write(letter, "x\n")
    ask_filter(letter, "spamd://filter.invalid", "spam_elsewhere = true")
    from newsletter.cli.spam_findings import spam_judge

    desk = Desk(folder=letter.root, environ={})
    assert not spam_judge(desk.config).is_here


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:783", "spamc://127.0.0.1", "spamd://", "rspamd:/run/x", "spamd://a:b@127.0.0.1"],
)
def test_an_address_that_is_none_is_an_error_with_its_line(
    letter: Publication, address: str
) -> None:
    write(letter, "x\n")
    ask_filter(letter, address)
    error = letter.ask("check", code=2)["error"]
    assert "spamd://127.0.0.1:783" in error["message"]


# The worst readers

GREETING = "Dear {{ first_name }},\n\nthis is for you, and [a page](https://example.org/a).\n"


def messages(problems: list[dict[str, str]], code: str) -> list[str]:
    return [p["message"] for p in problems if p["code"] == code]


def test_a_slot_without_fallback_is_found_for_a_reader_without_a_name(letter: Publication) -> None:
    write(letter, GREETING)
    problems = found(letter)
    [said] = messages(problems, "slot-bare")
    assert said == (
        "`first_name` has no fallback, a gap for a reader without it:"
        " write {{ first_name | friend }}"
    )
    assert lines(problems, "slot") == [("slot-bare", "warning", 7)]
    assert messages(problems, "greeting-empty") == [], "said once"


def test_a_field_without_fallback_is_counted_among_the_subscribers(letter: Publication) -> None:
    config = letter.root / "newsletter.toml"
    config.write_text(config.read_text().replace("[letter]", '[letter]\nfields = ["city"]'))
    write(letter, "Hello {{ first_name | friend }} in {{city}}, see {{ unsubscribe_url }}.\n")
    assert "a gap for a reader without it" in messages(found(letter), "slot-bare")[0]
    people = "email,name,city\na@example.com,Ann,Rome\nb@example.com,,\nc@example.com,,\n"
    letter.run("subscribers", "import", str(letter.write("people.csv", people)))
    letter.run("subscribers", "add", "d@example.com")
    said = "`city` is empty for 3 of 4 people and has no fallback: write {{ city | your town }}"
    assert messages(found(letter), "slot-bare") == [said]
    assert said in letter.run("send", "learned", "--dry-run").stderr
    write(letter, "Hello {{ first_name | friend }} in {{ city | town }}.\n")
    assert messages(found(letter), "slot-bare") == []


def test_a_field_that_everybody_has_needs_no_fallback(letter: Publication) -> None:
    write(letter, "This is for {{ first_name }}, with love.\n")
    letter.run("subscribers", "add", "ann@example.com", "--name", "Ann")
    assert messages(found(letter), "slot-bare") == []


def test_a_fallback_none_is_an_error(letter: Publication) -> None:
    write(letter, GREETING.replace("first_name", "first_name | None"))
    assert lines(found(letter, code=3), "greeting") == [("greeting-nobody", "error", 7)]


def test_real_readers_are_called_by_their_number_and_not_quoted(letter: Publication) -> None:
    write(letter, GREETING + "\nYours, {{ name | friend }}!\n")
    letter.run("subscribers", "add", "ann@example.com", "--name", "Ann Annable")
    letter.run("subscribers", "add", "bob@example.com")
    letter.run("subscribers", "add", "cy@example.com", "--name", "None")
    result = letter.run("check", "learned", code=None)
    assert "`first_name` is empty for 1 of 3 people" in result.stdout
    assert "subscribers 1 and 3 in one, with the longest values" in result.stdout
    for person in ("ann@example.com", "bob@example.com", "cy@example.com", "Annable"):
        assert person not in result.stdout
        assert person not in result.stderr


def test_what_a_real_reader_gets_is_not_repeated(letter: Publication) -> None:
    write(letter, "Hello {{ name | friend }}, this is for you.\n")
    name = "ANNABELLA FEATHERSTONEHAUGH"
    letter.run("subscribers", "add", "ann@example.com", "--name", name)
    assert "(for subscriber 1" in messages(found(letter), "capitals")[0]
    assert "FEATHER" not in json.dumps(found(letter))


def test_the_size_is_that_of_the_heaviest_mail(letter: Publication) -> None:
    write(letter, "{{ name }} lives here.\n\n" * 400)
    light = found(letter)
    assert "invented reader with the longest values" in messages(light, "size")[0]
    letter.run("subscribers", "add", "ann@example.com", "--name", "Long " * 39)
    heavy = found(letter, code=3)
    assert "subscriber 1, with the longest values" in messages(heavy, "size")[0]
    [clip] = messages(heavy, "size-clip")
    assert clip.startswith("HTML is ")
    assert clip.endswith("(for subscriber 1, with the longest values)")


def test_an_issue_without_slots_is_tried_on_nobody_else(letter: Publication) -> None:
    write(letter, "No slots here.\n")
    assert "(for " not in letter.run("check", "learned", code=None).stdout


@pytest.mark.parametrize("name", ["<b>Ann</b>", "{{ city }}", "محمد", "=?utf-8?q?x?=", "A & B"])
def test_a_strange_name_makes_no_alarm_of_its_own_but_braces(
    letter: Publication, name: str
) -> None:
    """What arrives is what the reader calls themselves."""
    write(letter, "Dear {{ name | friend }},\n\nthis is for you.\n")
    before = {p["code"] for p in found(letter)}
    letter.run("subscribers", "add", "ann@example.com", "--name", name)
    assert {p["code"] for p in found(letter)} - before <= {"placeholder", "text-markup"}


def test_as_somebody_is_what_they_get(letter: Publication) -> None:
    write(letter, GREETING)
    letter.run("subscribers", "add", "ann@example.com", "--name", "Ann")
    letter.run("subscribers", "add", "bob@example.com")
    assert messages(found(letter, "--as", "ann@example.com"), "slot-bare") == []
    [said] = messages(found(letter, "--as", "BOB@example.com"), "slot-bare")
    assert said.startswith("`first_name` is empty for the one reader")


def test_as_somebody_whose_name_is_a_placeholder_says_so(letter: Publication) -> None:
    write(letter, GREETING)
    letter.run("subscribers", "add", "ann@example.com", "--name", "{{firstname}}")
    assert messages(found(letter, "--as", "ann@example.com", code=3), "placeholder")


def test_as_somebody_unknown_is_an_error(letter: Publication) -> None:
    write(letter, GREETING)
    error = letter.ask("check", "--as", "eve@example.com", code=2)["error"]
    assert error["code"] == "audience"
    assert "eve@example.com" in error["message"]


def test_a_check_makes_no_database(letter: Publication) -> None:
    write(letter, GREETING)
    letter.run("check", "learned")
    letter.run("check", "learned", "--as", "eve@example.com", code=2)
    assert not (letter.root / ".newsletter" / "newsletter.db").exists()
