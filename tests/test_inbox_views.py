"""The inbox on the desk: every mail from every side, and the unsubscribe button that works."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from starlette.testclient import TestClient

from newsletter.cli.boundary import Desk
from newsletter.cli.studio import studio_of
from newsletter.preview.app import desk_app
from newsletter.preview.inbox_tabs import TABS
from newsletter.preview.serve import address_of, listen
from newsletter.smtp.folder import MailFolder
from tests.conftest import needs
from tests.publication import Publication, sent

STRANGE = (
    b"",
    b"\r\n",
    b"no header at all \xff\xfe\x00",
    b"Content-Type: text/html; charset=rot13\r\n\r\n<p>x",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--b\r\nContent-Type: ",
    b"Subject: =?utf-8?b?//8?=\r\nList-Unsubscribe: <https://[x/u/y>\r\nTo: <<>\r\n\r\n\x9b31m",
    b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n<b>%%%",
)


@pytest.fixture
def letter(tmp_path: Path) -> Publication:
    return sent(tmp_path, people=3)


def client(letter: Publication) -> TestClient:
    desk = Desk(folder=letter.root, environ={})
    return TestClient(desk_app(studio_of(desk)), base_url="http://127.0.0.1:8025")


def key_of(letter: Publication, name: str) -> str:
    return next(path.stem for path in letter.inbox if name in path.name)


def token_in(page: str) -> str:
    return str(re.findall(r'name="token" value="([^"]+)"', page)[0])


def status(letter: Publication, address: str) -> str:
    return str(letter.ask("subscribers", "show", address)["subscriber"]["status"])


@pytest.mark.parametrize("tab", TABS)
def test_every_view_of_a_mail_has_its_own_url(letter: Publication, tab: str) -> None:
    answer = client(letter).get(f"/inbox/{key_of(letter, 'p1')}?tab={tab}")
    assert answer.status_code == 200
    current = re.findall(r'id="tab-(\w+)"[^>]*aria-current', answer.text)
    assert current == [tab]


def test_a_mail_is_seen_through_lenses(letter: Publication) -> None:
    frame = f"/inbox/{key_of(letter, 'p1')}/mail.html"
    assert "@media" in client(letter).get(frame).text
    assert "@media" not in client(letter).get(f"{frame}?lens=no-style").text
    assert "#212121" in client(letter).get(f"{frame}?lens=inverted").text
    assert client(letter).get(frame).headers["content-security-policy"].startswith("default-src 'n")


def test_the_list_can_be_searched(letter: Publication) -> None:
    desk = client(letter)
    assert desk.get("/inbox").text.count("message.eml") == 3
    found = desk.get("/inbox?q=P1+letter").text
    assert found.count("message.eml") == 1
    assert "p1@example.com" in found
    assert "No mail has that" in desk.get("/inbox?q=<script>").text
    assert "<script>" not in desk.get("/inbox?q=<script>").text.split("<body>")[1]


def test_all_mails_are_deleted_only_with_the_desks_own_token(letter: Publication) -> None:
    desk = client(letter)
    assert desk.post("/inbox/clear", data={"token": "guess"}).status_code == 403
    assert desk.get("/inbox/clear").status_code in (404, 405)
    assert len(letter.inbox) == 3
    desk.post("/inbox/clear", data={"token": token_in(desk.get("/inbox").text)})
    assert letter.inbox == []
    assert "Empty" in desk.get("/inbox").text


def test_a_press_of_the_button_unsubscribes_whom_the_mail_names(letter: Publication) -> None:
    desk, key = client(letter), key_of(letter, "p1")
    view = f"/inbox/{key}?tab=unsubscribe"
    page = desk.get(view).text
    assert "Pat 1" in page
    assert status(letter, "p1@example.com") == "active", "a GET never unsubscribes (promise 4)"
    assert desk.post(f"/inbox/{key}/unsubscribe", data={"token": "guess"}).status_code == 403
    after = desk.post(f"/inbox/{key}/unsubscribe", data={"token": token_in(page)})
    assert "Press it" not in after.text
    assert status(letter, "p1@example.com") == "unsubscribed"
    assert status(letter, "p2@example.com") == "active"


def test_the_button_of_a_proof_or_of_a_stranger_does_nothing(letter: Publication) -> None:
    letter.run("test", "latest", "--to", "you@example.com")
    folder = MailFolder(letter.root / ".newsletter" / "inbox")
    ours = letter.inbox[0].read_bytes()
    forged = re.sub(rb"/u/[\w-]{32}", b"/u/" + b"A" * 32, ours)
    strange = folder.add(forged, "forged@example.com")
    desk = client(letter)
    token = token_in(desk.get("/inbox").text)
    for key, words in ((key_of(letter, "you"), "this is a proof"), (strange, "No key of this")):
        assert words in desk.get(f"/inbox/{key}?tab=unsubscribe").text
        assert desk.post(f"/inbox/{key}/unsubscribe", data={"token": token}).status_code == 400
    assert {status(letter, f"p{n}@example.com") for n in range(3)} == {"active"}


def test_a_part_can_be_saved_and_is_never_shown_as_a_page(letter: Publication) -> None:
    desk, key = client(letter), key_of(letter, "p1")
    answer = desk.get(f"/inbox/{key}/part/2")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.content.startswith(b"<!DOCTYPE html>")
    assert desk.get(f"/inbox/{key}/part/0").status_code == 404
    assert desk.get(f"/inbox/{key}/part/99").status_code == 404


@pytest.mark.parametrize("content", STRANGE)
def test_any_mail_can_be_looked_at(letter: Publication, content: bytes) -> None:
    key = MailFolder(letter.root / ".newsletter" / "inbox").add(content or b" ", "odd@example.com")
    desk = client(letter)
    for tab in TABS:
        assert desk.get(f"/inbox/{key}?tab={tab}").status_code == 200, tab
    assert desk.get(f"/inbox/{key}/mail.html?lens=word").status_code == 200
    assert desk.get(f"/inbox/{key}/part/0").status_code in (200, 404)
    assert desk.get("/inbox").status_code == 200


@pytest.fixture
def served(letter: Publication) -> Iterator[tuple[Publication, str]]:
    import uvicorn

    listener = listen(0)
    studio = studio_of(Desk(folder=letter.root, environ=dict(os.environ)))
    config = uvicorn.Config(
        desk_app(studio, (studio.inbox,)), log_level="warning", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield letter, address_of(listener)
    server.should_exit = True
    thread.join(10)


def test_in_a_browser_mails_arrive_and_the_buttons_work(served: tuple[Publication, str]) -> None:
    needs("chromium")
    letter, url = served
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{url}/inbox")
        page.locator("#live[data-state=on]").wait_for()
        letter.run("test", "latest", "--to", "new@example.com")
        page.get_by_text("new@example.com", exact=True).wait_for(timeout=5000)
        page.get_by_text("p2@example.com", exact=True).click()
        page.locator("#tab-unsubscribe").click()
        page.get_by_role("button", name="Press it").click()
        page.get_by_text("There is nothing left to unsubscribe").wait_for()
        assert status(letter, "p2@example.com") == "unsubscribed"
        page.goto(f"{url}/inbox")
        page.get_by_role("button", name="Delete all…").click()
        page.get_by_role("button", name="Delete all", exact=True).click()
        page.get_by_text("Empty.").wait_for()
        assert letter.inbox == []
        browser.close()
    assert faults == []
