"""The desk: every view answers, foreign hosts are refused, mails neither run nor navigate."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from newsletter.cli.boundary import Desk
from newsletter.cli.studio import studio_of
from newsletter.preview.app import desk_app
from newsletter.preview.serve import listen
from tests.publication import Publication, publication, sent

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOSTILE = """---
title: Hostile
---
<script>document.title = "run"</script>

[go](javascript:alert(1)) <img src="x" onerror="document.title='run'">

<meta http-equiv="refresh" content="0; url=https://example.net/">

<form action="/inbox"><button>press</button></form>
"""


@pytest.fixture
def letter(tmp_path: Path) -> Publication:
    return sent(tmp_path, people=2)


def client(letter: Publication, base_url: str = "http://127.0.0.1:8025") -> TestClient:
    studio = studio_of(Desk(letter.root, {}))
    return TestClient(desk_app(replace(studio, now=lambda: NOW)), base_url=base_url)


def test_the_first_page_lists_issues_and_the_inbox(letter: Publication) -> None:
    page = client(letter).get("/").text
    assert page.index("Letter 3") < page.index("Letter 1")
    assert "p0@example.com" in page


@pytest.mark.parametrize("tab", ["html", "text", "headers", "source"])
def test_every_view_of_an_issue_has_its_own_url(letter: Publication, tab: str) -> None:
    answer = client(letter).get(f"/preview/letter-2?tab={tab}")
    assert answer.status_code == 200
    assert 'aria-current="page"' in answer.text


def test_the_inbox_shows_each_mail_whole(letter: Publication) -> None:
    desk = client(letter)
    page = desk.get("/inbox").text
    key = page.split('href="/inbox/')[1].split('"')[0]
    for tab in ("html", "text", "headers", "source"):
        assert desk.get(f"/inbox/{key}?tab={tab}").status_code == 200
    eml = desk.get(f"/inbox/{key}/message.eml")
    assert eml.content in [path.read_bytes() for path in letter.inbox]
    assert "attachment" in eml.headers["content-disposition"]
    assert desk.get("/inbox/nothing").status_code == 404


def test_attack_22_a_key_or_a_path_cannot_leave_its_folder(letter: Publication) -> None:
    desk = client(letter)
    for path in ("/inbox/..%2f..%2fnewsletter.toml", "/media/..%2fnewsletter.toml", "/media/x.md"):
        assert desk.get(path).status_code == 404


def test_attack_38_a_foreign_host_or_origin_is_refused(letter: Publication) -> None:
    assert client(letter, "http://rebound.example.net:8025").get("/").status_code == 400
    foreign = {"Origin": "https://example.net"}
    assert client(letter).get("/", headers=foreign).status_code == 400
    assert client(letter, "http://localhost:8025").get("/").status_code == 200


def test_attack_9_a_mail_is_served_without_scripts_and_network(letter: Publication) -> None:
    letter.write("issues/2026-04-01-hostile.md", HOSTILE)
    answer = client(letter).get("/preview/hostile/mail.html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox allow-same-origin")
    assert "allow-scripts" not in policy
    assert "script-src 'self'" in client(letter).get("/").headers["content-security-policy"]


def test_a_broken_article_is_a_card_with_file_and_line(letter: Publication) -> None:
    letter.write("issues/2026-05-01-bad.md", "---\ntitle: a: b\n---\nx\n")
    answer = client(letter).get("/preview/bad")
    assert answer.status_code == 500
    assert "issues/2026-05-01-bad.md:2" in answer.text
    assert "issues/2026-05-01-bad.md:2" in client(letter).get("/").text


def test_a_saved_article_shows_on_the_next_page(letter: Publication) -> None:
    desk = client(letter)
    assert "Letter 3" in desk.get("/preview/letter-3").text
    letter.article(3, title="Quite another title")
    assert "Quite another title" in desk.get("/preview/letter-3").text


def test_an_unknown_issue_is_404(letter: Publication) -> None:
    assert client(letter).get("/preview/nothing-like-it").status_code == 404


def test_the_desk_listens_on_the_loopback_only() -> None:
    for port in (None, 0):
        with listen(port) as listener:
            assert listener.getsockname()[0] == "127.0.0.1"


def test_an_address_that_leads_nowhere_says_what_there_is(letter: Publication) -> None:
    desk = client(letter)
    for path in (
        "/nothing",
        "/preview/none-such",
        "/inbox/none",
        "/preview/letter-1?as=no@body.org",
    ):
        answer = desk.get(path)
        assert answer.status_code == 404
        assert "<h1>Nothing here</h1>" in answer.text
        assert 'href="/inbox"' in answer.text


def test_a_strange_query_is_as_good_as_none(letter: Publication) -> None:
    desk = client(letter)
    odd = "tab=x&w=99999999999&look=y&lens=z&client=q&zoom=-3&line=%00&file=../../etc/passwd"
    answer = desk.get(f"/preview/letter-2?{odd}")
    assert answer.status_code == 200
    assert 'id="w-duo" checked' in answer.text


def test_attack_22_the_markdown_view_shows_only_files_that_something_was_found_in(
    letter: Publication,
) -> None:
    for name in (
        "newsletter.toml",
        "../newsletter.toml",
        "/etc/passwd",
        "issues/../newsletter.toml",
    ):
        page = client(letter).get(f"/preview/letter-2?tab=markdown&file={name}").text
        assert "base_url" not in page
        assert "title: Letter 2" in page


def test_attack_39_a_proof_needs_the_desks_own_token_and_origin(letter: Publication) -> None:
    before = len(letter.inbox)
    desk = client(letter)
    home = {"Origin": "http://127.0.0.1:8025"}
    form = {"to": "me@example.com"}
    path = "/preview/letter-2/proof"
    assert desk.get(path).status_code in (404, 405)
    assert desk.post(path, data=form, headers=home).status_code == 403
    assert desk.post(path, data={**form, "token": "x"}, headers=home).status_code == 403
    token = desk.get("/preview/letter-2").text.split('name="token" value="')[1].split('"')[0]
    away = {"Origin": "https://example.net"}
    assert desk.post(path, data={**form, "token": token}, headers=away).status_code == 400
    assert desk.post(path, content=b"x" * 70_000, headers=home).status_code == 413
    assert len(letter.inbox) == before
    sent = desk.post(path, data={**form, "token": token}, headers=home)
    assert sent.status_code == 200
    assert "Proof to me@example.com by main" in sent.text
    assert len(letter.inbox) == before + 1


def test_a_proof_to_no_address_is_refused_in_words(letter: Publication) -> None:
    desk = client(letter)
    token = desk.get("/preview/letter-2").text.split('name="token" value="')[1].split('"')[0]
    answer = desk.post(
        "/preview/letter-2/proof",
        data={"to": "nobody", "token": token},
        headers={"Origin": "http://127.0.0.1:8025"},
    )
    assert answer.status_code == 400
    assert "nobody" in answer.text


def test_a_relay_on_another_machine_wants_to_be_agreed_to(letter: Publication) -> None:
    config = (letter.root / "newsletter.toml").read_text("utf-8")
    relay = '[relay.main]\npreset = "smtp"\nhost = "smtp.example.com"\n'
    letter.write("newsletter.toml", config.split("[relay.main]")[0] + relay)
    desk = client(letter)
    page = desk.get("/preview/letter-2").text
    assert "smtp.example.com" in page
    assert 'name="leaves"' in page
    token = page.split('name="token" value="')[1].split('"')[0]
    answer = desk.post(
        "/preview/letter-2/proof",
        data={"to": "me@example.com", "token": token},
        headers={"Origin": "http://127.0.0.1:8025"},
    )
    assert "on another machine" in answer.text


def test_the_list_says_where_each_issue_stands(letter: Publication) -> None:
    letter.write("issues/draft.md", "---\ntitle: Drafted\ndraft: true\n---\nx\n")
    letter.write("issues/later.md", "---\ntitle: Later\ndate: 2027-01-01\n---\nx\n")
    page = client(letter).get("/").text
    stands = {
        name: page.split(f">{name}</span>")[1].split("</li>")[0]
        for name in ("Drafted", "Later", "Letter 3", "Letter 2")
    }
    assert ">draft<" in stands["Drafted"]
    assert ">future<" in stands["Later"]
    assert ">sent 2 of 2 · " in stands["Letter 3"]
    assert ">ready<" in stands["Letter 2"]
    assert "changed since" not in stands["Letter 3"]
    letter.article(3, title="Quite another")
    assert "changed since" in client(letter).get("/").text


def test_a_scheduled_send_stands_on_the_desk_with_its_time(letter: Publication) -> None:
    letter.write("issues/2026-03-02-four.md", "---\ntitle: Four\n---\nx\n")
    letter.run("send", "four", "--yes", "--at", "2030-04-01T09:00")
    page = client(letter).get("/").text
    assert ">scheduled for 1 Apr 2030, 09:00<" in page.split(">Four</span>")[1].split("</li>")[0]


def test_titles_on_the_desk_are_set_as_in_the_mail(letter: Publication) -> None:
    letter.article(2, title='It isn\'t "rest"')
    desk = client(letter)
    for path in ("/", "/preview/letter-2"):
        assert "It isn’t “rest”" in desk.get(path).text, path


def test_looking_writes_nothing_into_the_ledger(tmp_path: Path) -> None:
    made = publication(tmp_path)
    desk = client(made)
    for path in ("/", "/preview/letter-2", "/preview/letter-2?tab=reader", "/inbox"):
        assert desk.get(path).status_code == 200
    assert not (tmp_path / ".newsletter" / "newsletter.db").exists()


def test_the_gauge_stands_on_the_reader_with_the_longest_values(letter: Publication) -> None:
    page = client(letter).get("/preview/letter-2").text
    assert "The longest values" in page.split('data-part="gauge"')[1].split("</section>")[0]


def test_in_a_hurry_the_page_leaves_out_what_takes_long(letter: Publication) -> None:
    desk = client(letter)
    page = desk.get("/preview/letter-2", headers={"X-Desk": "soon"}).text
    assert page.count("data-later") == 4
    assert "mail.html" in page
    assert "data-later" not in desk.get("/preview/letter-2").text


def test_what_was_composed_is_kept_until_a_file_changes(letter: Publication) -> None:
    studio = studio_of(Desk(letter.root, {}))
    first = studio.study(studio.shelf(), "letter-2")
    assert studio.study(studio.shelf(), "letter-2") is first
    letter.article(1, title="Another neighbour")
    assert studio.study(studio.shelf(), "letter-2") is not first


def test_what_was_sent_leads_to_its_report(letter: Publication) -> None:
    desk = client(letter)
    for page in ("/", "/preview/letter-3"):
        assert 'href="/preview/letter-3/report"' in desk.get(page).text
        assert "/letter-1/report" not in desk.get(page).text, "it was never sent"
    report = desk.get("/preview/letter-3/report")
    assert "What became of it" in report.text
    assert "p0@example.com" not in report.text
    assert "style-src 'sha256-" in report.headers["content-security-policy"]
    assert desk.get("/preview/letter-1/report").status_code == 404
