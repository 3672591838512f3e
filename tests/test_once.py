"""The desk's views as files: whole, the same every time, and at home without a server."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Request, sync_playwright

from newsletter.preview.camera import NoCamera, Shot, camera, find_chromium
from newsletter.preview.lenses import LENSES
from tests.conftest import ROOT, needs
from tests.publication import Publication, publication

LEAF = "---\ntitle: Leaf\n---\n![A leaf](leaf.jpg)\n\nWords.\n"


@pytest.fixture
def letter(tmp_path: Path) -> Publication:
    made = publication(tmp_path / "letter")
    shutil.copy(ROOT / "issues" / "images" / "leaf.jpg", made.root / "issues" / "leaf.jpg")
    made.write("issues/2026-04-02-leaf.md", LEAF)
    return made


def written(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_each_issue_has_its_mail_through_every_lens_and_its_text(
    letter: Publication, tmp_path: Path
) -> None:
    answer = letter.ask("preview", "--once", "--out", str(tmp_path / "out"))
    assert [issue["slug"] for issue in answer["issues"]][-1] == "letter-1"
    files = written(tmp_path / "out")
    for name in ("index.html", "mail.html", "mail.txt", "source.txt", "message.eml"):
        assert f"leaf/{name}" in files
    assert {f"leaf/{name}.html" for name in LENSES} <= set(files)
    assert b"Words." in files["leaf/mail.txt"]
    assert any(name.startswith("media/leaf") for name in files)
    page = files["leaf/index.html"].decode()
    assert page.count("<iframe") == 8
    assert "The longest line has" in page


def test_nothing_in_the_files_leads_to_a_server(letter: Publication, tmp_path: Path) -> None:
    hostile = '<meta http-equiv="refresh" content="0;url=https://example.net/"><b>x</b>'
    article = f"---\ntitle: H\n---\n{hostile}\n\n<script>1</script>"
    letter.write("issues/2026-05-02-hostile.md", article)
    letter.run("preview", "--once", "--out", str(tmp_path / "out"), code=None)
    for name, content in written(tmp_path / "out").items():
        if not name.endswith(".html"):
            continue
        text = content.decode()
        assert "Content-Security-Policy" in text, name
        assert 'http-equiv="refresh' not in text, name
        assert not re.search(r"""(?:src|href)=["']/""", text), name
        assert not re.search(r"<(?:script|base)\b", text), name
        for source in re.findall(r"""<(?:img|iframe|link)[^>]*?(?:src|href)="([^"]+)""", text):
            assert not source.startswith("http"), name


def test_a_page_that_a_template_sends_elsewhere_stays(letter: Publication, tmp_path: Path) -> None:
    refresh = '<meta http-equiv="Refresh" content="0; url=https://example.net/">'
    page = f"<!DOCTYPE html><html><head>{refresh}</head><body>{{{{ body }}}}</body></html>"
    letter.write("templates/email.html", page)
    letter.run("preview", "leaf", "--once", "--out", str(tmp_path / "out"))
    files = written(tmp_path / "out")
    assert b"example.net" in files["leaf/source.txt"]
    assert b"example.net" not in files["leaf/mail.html"]


def test_the_same_sources_give_the_same_files(letter: Publication, tmp_path: Path) -> None:
    for _ in range(2):
        letter.run("preview", "latest", "--once", "--out", str(tmp_path / "one"))
    letter.run("preview", "latest", "--once", "--out", str(tmp_path / "two"))
    assert written(tmp_path / "one") == written(tmp_path / "two")


def test_an_issue_that_cannot_be_composed_is_a_card_and_the_command_fails(
    letter: Publication, tmp_path: Path
) -> None:
    letter.write("templates/email.html", "<p>\n{% if %}")
    result = letter.run("preview", "--once", "--out", str(tmp_path / "out"), code=3)
    assert "wrote" in result.stdout
    assert "templates/email.html:2" in (tmp_path / "out" / "index.html").read_text()


def test_a_file_that_cannot_be_read_is_a_card_and_the_command_fails(
    letter: Publication, tmp_path: Path
) -> None:
    letter.write("issues/2026-05-01-bad.md", "---\ntitle: a: b\n---\nx\n")
    letter.run("preview", "--once", "--out", str(tmp_path / "out"), code=3)
    assert "issues/2026-05-01-bad.md:2" in (tmp_path / "out" / "index.html").read_text()


def test_a_folder_with_other_things_in_it_is_refused(letter: Publication, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    result = letter.run("preview", "--once", "--out", str(tmp_path / "mine"), code=2)
    assert "holds something else" in result.stderr
    assert sorted(written(tmp_path / "mine")) == ["thesis.txt"]


@pytest.mark.parametrize("words", [("--once",), ("--out", "x"), ("--screenshots",)])
def test_the_options_go_together(letter: Publication, words: tuple[str, ...]) -> None:
    assert "go together" in letter.run("preview", *words, code=2).stderr


def test_without_a_chromium_screenshots_are_refused_before_anything_is_written(
    letter: Publication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    order = ("preview", "--once", "--out", str(tmp_path / "out"), "--screenshots")
    result = letter.run(*order, code=1)
    assert "no Chromium on PATH" in result.stderr
    assert "apt install chromium" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_browser_that_is_none_ends_with_a_message(tmp_path: Path) -> None:
    fake = tmp_path / "chromium"
    fake.write_text("#!/bin/sh\nexit 3\n")
    fake.chmod(0o755)
    with pytest.raises(NoCamera, match="browser"), camera(str(fake)):
        pass


def test_screenshots_show_every_state_whole(letter: Publication, tmp_path: Path) -> None:
    needs("chromium")
    order = ("preview", "leaf", "--once", "--out", str(tmp_path / "out"), "--screenshots")
    assert letter.ask(*order)["screenshots"] == 8
    pictures = sorted((tmp_path / "out" / "leaf").glob("*.png"))
    assert "phone-dark.png" in [path.name for path in pictures]
    widths = {int.from_bytes(path.read_bytes()[16:20], "big") for path in pictures}
    assert widths == {360, 600}
    assert len({path.read_bytes() for path in pictures}) == 8
    page = (tmp_path / "out" / "leaf" / "index.html").read_text()
    assert 'href="phone-dark.png"' in page


def test_the_camera_leaves_no_browser_and_no_profile_behind(tmp_path: Path) -> None:
    needs("chromium")
    page = tmp_path / "page.html"
    page.write_text("<body style='margin:0;height:3000px'>x")
    with camera(find_chromium()) as browser:
        taken = browser.take(Shot(page.as_uri(), 400))
        process, profile = browser.process_id, Path(browser.profile)
        assert profile.exists()
    assert taken.startswith(b"\x89PNG")
    assert int.from_bytes(taken[20:24], "big") == 3000
    assert not profile.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_in_a_browser_the_files_open_from_a_disk(letter: Publication, tmp_path: Path) -> None:
    needs("chromium")
    letter.run("preview", "--once", "--out", str(tmp_path / "out"))
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.on("request", note)
        page.goto((tmp_path / "out" / "index.html").as_uri())
        page.get_by_role("link", name="Leaf").click()
        page.get_by_role("heading", name="Leaf").first.wait_for()
        page.wait_for_timeout(500)
        drawn = "() => document.images[0].complete && document.images[0].naturalWidth > 0"
        framed = [frame for frame in page.frames if frame.url.endswith("/mail.html")]
        assert framed
        assert all(frame.evaluate(drawn) for frame in framed)
        browser.close()
    assert all(url.startswith(("file:", "data:")) for url in asked), asked
