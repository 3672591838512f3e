"""The desk: every view answers, foreign hosts are refused, mails neither run nor navigate."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from newsletter.config import load_config
from newsletter.preview.app import desk_app
from newsletter.preview.serve import listen
from newsletter.preview.studio import Studio
from tests.conftest import needs
from tests.publication import Publication, publication

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
    made = publication(tmp_path)
    made.people(2)
    made.run("send", "latest", "--yes")
    return made


def client(letter: Publication, base_url: str = "http://127.0.0.1:8025") -> TestClient:
    studio = Studio(
        load=lambda: load_config(letter.root).letter(),
        inbox=letter.root / ".newsletter" / "inbox",
        now=lambda: NOW,
    )
    return TestClient(desk_app(studio), base_url=base_url)


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


@pytest.fixture
def served(letter: Publication) -> Iterator[tuple[Publication, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "newsletter", "-C", str(letter.root), "preview"]
    process = subprocess.Popen(
        [*command, "--no-open", "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    assert process.stdout is not None
    assert "preview" in process.stdout.readline()
    yield letter, f"http://127.0.0.1:{port}"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 0, "Ctrl-C is how the desk is meant to end"


def test_the_desk_listens_on_the_loopback_only() -> None:
    for port in (None, 0):
        with listen(port) as listener:
            assert listener.getsockname()[0] == "127.0.0.1"


def test_in_a_browser_the_page_follows_a_saved_file_and_nothing_hostile_runs(
    served: tuple[Publication, str],
) -> None:
    needs("chromium")
    from playwright.sync_api import sync_playwright

    letter, url = served
    letter.write("issues/2026-04-01-hostile.md", HOSTILE)
    picture = letter.root / "issues" / "leaf.jpg"
    shutil.copy(Path(__file__).parent.parent / "issues" / "images" / "leaf.jpg", picture)
    letter.write("issues/2026-03-02-leaf.md", "---\ntitle: Leaf\n---\n![A leaf](leaf.jpg)\n")
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto(f"{url}/preview/letter-3")
        page.wait_for_timeout(300)
        letter.article(3, title="Saved a moment ago")
        page.get_by_role("heading", name="Saved a moment ago").wait_for(timeout=5000)
        page.goto(f"{url}/preview/leaf")
        drawn = "() => document.images[0].complete && document.images[0].naturalWidth"
        assert page.frames[1].evaluate(drawn), "the mail's own image is shown in its frame"
        page.goto(f"{url}/preview/hostile")
        page.wait_for_timeout(500)
        assert page.url == f"{url}/preview/hostile"
        assert all("run" not in frame.title() for frame in page.frames)
        assert all(frame.url.startswith(url) for frame in page.frames)
        browser.close()
