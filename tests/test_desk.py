"""The desk in Chromium: every view and toggle, live reload, the error card, the keyboard, and that
nothing in a mail runs or navigates."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import needs
from tests.desk_browser import browser, mails, served
from tests.publication import Publication, publication

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

LEAF = Path(__file__).parent.parent / "issues" / "images" / "leaf.jpg"
PICTURED = """---
title: Leaf
date: 2026-01-15
---
## One

![A leaf](leaf.jpg)

[On](https://example.org/on)
"""
FAULTY = """---
title: Faulty
date: 2026-01-16
---
One.

See [here](https://example.org/).

![](leaf.jpg)
"""


ARABIC = """---
title: "الممارسة: النوم!"
date: 2026-01-14
lang: ar
---
مرحبا بكم في رسالتنا عن النوم وما يساعد عليه في الشتاء الطويل.
"""
# Whether the last character of an element's words stands left of the first one.
RUNS_LEFT = """element => {
  const words = element.firstChild, range = document.createRange();
  const at = place => {
    range.setStart(words, place); range.setEnd(words, place + 1);
    return range.getBoundingClientRect().left;
  };
  return at(words.length - 1) < at(0);
}"""


@dataclass(frozen=True)
class Desk:
    letter: Publication
    url: str
    browser: Browser

    def issue(self, month: int, title: str) -> None:
        self.letter.article(month, title=title)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    needs("chromium")
    letter = publication(tmp_path_factory.mktemp("desk"))
    letter.people(2)
    shutil.copy(LEAF, letter.root / "issues" / "leaf.jpg")
    letter.write("issues/2026-01-14-arabic.md", ARABIC)
    letter.write("issues/2026-01-15-leaf.md", PICTURED)
    letter.write("issues/2026-01-16-faulty.md", FAULTY)
    letter.run("send", "latest", "--yes")
    with served(letter) as url, browser() as opened:
        yield Desk(letter, url, opened)


@pytest.fixture
def page(desk: Desk) -> Iterator[Page]:
    """A page on which no script fails and the desk's own policy is never broken."""
    wrong: list[str] = []
    page = opened(desk)
    page.on("pageerror", lambda error: wrong.append(str(error)))

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 500" not in message.text:
            wrong.append(message.text)

    page.on("console", heard)
    yield page
    page.context.close()
    assert not wrong


@pytest.fixture
def attacked(desk: Desk) -> Iterator[Page]:
    """A page on which the browser may say that it refused something."""
    page = opened(desk)
    yield page
    page.context.close()


def opened(desk: Desk) -> Page:
    context = desk.browser.new_context(
        viewport={"width": 1400, "height": 900}, color_scheme="null", base_url=desk.url
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(30_000)
    return context.new_page()


def live(page: Page, path: str) -> None:
    """Open a page of the desk and wait until it follows saved files."""
    page.goto(path)
    page.locator('#live[data-state="on"]').wait_for()


def size_of(page: Page, number: int = 0) -> int:
    box = page.locator("iframe").nth(number).bounding_box()
    assert box is not None
    return round(box["width"])


# --- views and toggles


TABS = (
    ("states", "figcaption", "Desktop, inverted"),
    ("text", "pre", "this is the letter of month 3"),
    ("markdown", "#L2", "title: Letter 3"),
    ("source", ".legend", "style attributes"),
    ("headers", ".parts", "multipart/alternative"),
    ("teasers", "section", "Letter 2"),
    ("reader", ".readers", "The longest values"),
    ("checks", ".group", "Size and characters"),
    ("diff", ".good", "Plain text: no difference"),
    ("mail", "figcaption", "Desktop, light"),
)


def test_each_tab_is_a_link_and_has_its_url(page: Page) -> None:
    page.goto("/preview/letter-3")
    for tab, selector, words in TABS:
        page.locator(f"#tab-{tab}").click()
        page.locator(f".view {selector}", has_text=words).first.wait_for()
        assert page.locator(f"#tab-{tab}").get_attribute("aria-current") == "page"
        assert page.url.endswith("/letter-3?" if tab == "mail" else f"?tab={tab}")
        page.go_back()
        page.go_forward()
        page.locator(f".view {selector}", has_text=words).first.wait_for()


def test_light_and_dark_stand_side_by_side_by_the_frames_own_scheme(page: Page) -> None:
    page.goto("/preview/letter-3")
    schemes = [
        frame.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
        for frame in mails(page)
    ]
    assert schemes == [False, True]
    page.get_by_label("Dark", exact=True).click()
    page.locator("figcaption", has_text="Desktop, dark").wait_for()
    assert page.url.endswith("?look=dark")
    dark = "() => matchMedia('(prefers-color-scheme: dark)').matches"
    assert all(frame.evaluate(dark) for frame in mails(page))


def test_a_width_is_chosen_typed_dragged_and_stepped(page: Page) -> None:
    page.goto("/preview/letter-3")
    assert (size_of(page), size_of(page, 1)) == (600, 360)
    page.get_by_label("390", exact=True).click()
    page.wait_for_url("**/letter-3?w=390")
    assert (size_of(page), size_of(page, 1)) == (390, 390)
    page.locator("#w-number").fill("444")
    page.locator("#w-number").press("Enter")
    page.wait_for_url("**/letter-3?w=444")
    grip = page.get_by_role("separator").first
    box = grip.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 6, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 106, box["y"] + 40)
    page.mouse.up()
    page.wait_for_url("**/letter-3?w=544")
    page.get_by_role("separator").first.press("ArrowLeft")
    page.wait_for_url("**/letter-3?w=534")
    assert size_of(page) == 534


def test_lenses_lie_one_over_the_other(page: Page) -> None:
    page.goto("/preview/leaf")
    assert mails(page)[0].locator("img").count() == 1
    page.get_by_label("Images off", exact=True).click()
    page.wait_for_url("**/leaf?lens=images-off")
    assert mails(page)[0].locator("img").count() == 0
    page.get_by_label("Inverted dark", exact=True).click()
    page.wait_for_url("**/leaf?lens=images-off&lens=inverted")
    assert mails(page)[0].locator("img").count() == 0
    ground = "() => getComputedStyle(document.querySelector('h1').closest('td')).backgroundColor"
    red = int(re.findall(r"\d+", mails(page)[0].evaluate(ground))[0])
    assert red < 80, "the panel is dark"
    page.get_by_label("Word sketch", exact=True).click()
    page.locator("figcaption", has_text="Outlook with Word").wait_for()


def test_links_and_headings_can_be_numbered_and_are_listed(page: Page) -> None:
    page.goto("/preview/leaf?lens=links&lens=outline")
    page.locator("#links summary").click()
    assert "https://example.org/on" in page.locator(".links").inner_text()
    page.locator("#headings summary").click()
    assert "One" in page.locator(".outline").inner_text()


def test_text_is_doubled_and_a_client_takes_away_what_it_drops(page: Page) -> None:
    page.goto("/preview/letter-3")
    size = "() => parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)"
    before = mails(page)[0].evaluate(size)
    page.locator("#zoom").select_option("200")
    page.wait_for_url("**/letter-3?zoom=200")
    assert mails(page)[0].evaluate(size) == 2 * before
    page.goto("/preview/letter-3")
    assert mails(page)[0].locator("style").count() > 0
    page.locator("#client").select_option("gmail.mobile-webmail")
    page.wait_for_url("**/letter-3?client=gmail.mobile-webmail")
    assert mails(page)[0].locator("style").count() == 0


def test_the_whole_page_follows_the_reader(page: Page) -> None:
    page.goto("/preview/letter-3?tab=reader")
    page.get_by_role("link", name="Pat 1 p1@example.com").click()
    page.locator("h2", has_text="What Pat 1 gets").wait_for()
    assert "Hello Pat" in mails(page)[0].locator("body").inner_text()
    page.locator("#tab-text").click()
    page.locator("pre", has_text="Hello Pat").wait_for()
    assert page.url.endswith("?tab=text&as=p1%40example.com")
    page.goto("/preview/letter-3?as=empty")
    assert "Hello friend" in mails(page)[0].locator("body").inner_text()


def test_a_frame_is_as_high_as_its_mail(page: Page) -> None:
    page.goto("/preview/letter-3")
    mails(page)
    page.wait_for_timeout(200)
    inside = page.frames[1].evaluate("() => document.documentElement.scrollHeight")
    box = page.locator("iframe").first.bounding_box()
    assert box is not None
    assert round(box["height"]) == inside


def test_a_finding_leads_to_its_line(page: Page) -> None:
    page.goto("/preview/faulty?tab=checks")
    assert page.locator(".group").count() > 1
    page.get_by_role("link", name="issues/2026-01-16-faulty.md:9").first.click()
    chosen = page.locator(".lines .chosen")
    chosen.wait_for()
    assert page.url.endswith("tab=markdown&line=9")
    assert "![](leaf.jpg)" in chosen.inner_text()
    assert chosen.locator(".remark").count() >= 1
    page.goto("/preview/faulty?tab=checks")
    page.get_by_role("button", name="Copy issues/2026-01-16-faulty.md:9").first.click()
    page.get_by_text("Copied issues").wait_for()
    assert page.evaluate("() => navigator.clipboard.readText()") == "issues/2026-01-16-faulty.md:9"


def test_a_proof_is_sent_from_the_page(desk: Desk, page: Page) -> None:
    before = len(desk.letter.inbox)
    page.goto("/preview/letter-2")
    page.get_by_role("button", name="Send proof").click()
    page.get_by_label("To", exact=True).fill("mé@example.com")
    page.get_by_role("dialog").get_by_role("button", name="Send proof").click()
    page.get_by_text("Proof to mé@example.com by").wait_for()
    [proof] = desk.letter.inbox[before:]
    assert b"Subject: [proof " in proof.read_bytes()
    page.get_by_role("button", name="Close").click()
    page.locator("#tab-diff").click()
    page.get_by_text("against the last proof from this desk").wait_for()


# --- live


def test_a_save_keeps_tab_scroll_and_width_and_loads_no_page_anew(desk: Desk, page: Page) -> None:
    live(page, "/preview/letter-3?w=390&look=light")
    page.set_viewport_size({"width": 1000, "height": 400})
    page.evaluate("() => { window.same = true; scrollTo(0, 500); }")
    page.wait_for_timeout(100)
    desk.issue(3, "Saved a moment ago")
    page.get_by_role("heading", level=1, name="Saved a moment ago").wait_for(timeout=30_000)
    page.frame_locator("iframe").first.get_by_text("Saved a moment ago").first.wait_for()
    assert page.evaluate("() => window.same && scrollY") == 500
    assert page.url.endswith("?w=390&look=light")
    assert size_of(page) == 390
    page.goto("/preview/letter-3?tab=text")
    page.locator('#live[data-state="on"]').wait_for()
    desk.issue(3, "Letter 3")
    page.locator("pre.text", has_text="Letter 3").wait_for(timeout=30_000)


def test_a_saved_picture_template_and_configuration_show(desk: Desk, page: Page) -> None:
    live(page, "/preview/leaf")
    width = "() => document.images[0].naturalWidth"
    assert mails(page)[0].evaluate(width) > 0
    picture = desk.letter.root / "issues" / "leaf.jpg"
    shutil.copy(LEAF.with_name("moon.jpg"), picture)
    page.wait_for_timeout(600)
    shown = "() => document.images[0].complete && document.images[0].naturalWidth"
    assert mails(page)[0].evaluate(shown) > 0
    shutil.copy(LEAF, picture)

    config = desk.letter.root / "newsletter.toml"
    text = config.read_text("utf-8")
    config.write_text(text.replace("Field Notes", "Other Notes"), "utf-8")
    page.frame_locator("iframe").first.get_by_text("Other Notes").first.wait_for(timeout=30_000)
    config.write_text(text, "utf-8")
    page.frame_locator("iframe").first.get_by_text("Field Notes").first.wait_for(timeout=30_000)

    desk.letter.run("theme", "eject", "email.html", code=None)
    template = desk.letter.root / "templates" / "email.html"
    if not template.exists():
        shutil.copytree(LEAF.parent.parent.parent / "templates", template.parent)
    page.wait_for_timeout(2600)  # a folder that was not there is found within two seconds
    whole = template.read_text("utf-8")
    template.write_text(whole.replace("<body", '<body data-mine="yes"', 1), "utf-8")
    page.frame_locator("iframe").first.locator("body[data-mine]").wait_for(
        timeout=30_000, state="attached"
    )
    shutil.rmtree(template.parent)


@pytest.mark.parametrize("path", ["/", "/preview/leaf", "/preview/leaf?tab=text"])
def test_the_card_of_a_broken_configuration_goes_when_it_is_mended(
    desk: Desk, page: Page, path: str
) -> None:
    live(page, path)
    config = desk.letter.root / "newsletter.toml"
    text = config.read_text("utf-8")
    for _ in range(2):
        config.write_text(f"{text}\n[theme\n", "utf-8")
        page.locator(".card.error", has_text="newsletter.toml").wait_for(timeout=30_000)
        config.write_text(text, "utf-8")
        page.locator(".card.error").wait_for(timeout=30_000, state="detached")


def test_the_list_opens_what_is_saved_and_a_page_does_when_it_follows(
    desk: Desk, page: Page
) -> None:
    live(page, "/")
    desk.issue(1, "From the list")
    page.wait_for_url("**/preview/letter-1", timeout=30_000)
    page.get_by_role("heading", level=1, name="From the list").wait_for()
    live(page, "/preview/letter-2?look=dark")
    page.get_by_label("Follow saves").check()
    desk.issue(1, "Letter 1")
    page.wait_for_url("**/preview/letter-1?look=dark", timeout=30_000)
    page.get_by_label("Follow saves").uncheck()


def test_an_error_shows_over_the_last_good_mail(desk: Desk, page: Page) -> None:
    live(page, "/preview/letter-2")
    mails(page)
    desk.letter.write("issues/2026-02-01-letter-2.md", "---\ntitle: a: b\n---\nx\n")
    page.get_by_role("alert").wait_for(timeout=30_000)
    assert "issues/2026-02-01-letter-2.md:2" in page.get_by_role("alert").inner_text()
    assert "this is the letter of month 2" in mails(page)[0].locator("body").inner_text()
    page.reload()
    page.get_by_role("alert").wait_for()
    assert "this is the letter of month 2" in mails(page)[0].locator("body").inner_text()
    desk.issue(2, "Mended")
    page.get_by_role("heading", level=1, name="Mended").wait_for(timeout=30_000)
    assert page.get_by_role("alert").count() == 0
    desk.issue(2, "Letter 2")


# --- the keyboard


def test_the_desk_can_be_used_without_a_mouse(page: Page) -> None:
    live(page, "/preview/letter-3")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "main"
    page.locator("#tab-mail").focus()
    page.keyboard.press("ArrowRight")
    page.locator(".sheet").wait_for()
    assert page.evaluate("() => document.activeElement.id") == "tab-states"
    page.keyboard.press("End")
    page.wait_for_url("**tab=diff")
    page.keyboard.press("Home")
    page.locator(".canvas").wait_for()
    page.keyboard.press("]")
    page.locator(".sheet").wait_for()
    page.keyboard.press("[")
    page.locator(".canvas").wait_for()
    page.keyboard.press("j")
    page.wait_for_url("**/preview/letter-2*")
    page.keyboard.press("k")
    page.wait_for_url("**/preview/letter-3*")
    page.keyboard.press("i")
    page.wait_for_url("**lens=images-off*")
    page.keyboard.press("l")
    page.wait_for_url("**look=light*")


def test_keys_are_listed_and_can_be_switched_off(page: Page) -> None:
    live(page, "/preview/letter-3")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    page.get_by_label("Single-letter keys are on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.wait_for_timeout(200)
    assert page.url.endswith("/preview/letter-3")
    page.keyboard.press("?")
    page.get_by_label("Single-letter keys are on").check()


# --- attacks (deliverability section 7)

HOSTILE_MAIL = b"""\
From: a@example.com\r
To: b@example.com\r
Subject: Hostile\r
MIME-Version: 1.0\r
Content-Type: text/html; charset=utf-8\r
\r
<!DOCTYPE html><html><head><title>still</title>\r
<meta http-equiv="refresh" content="0; url=/inbox">\r
<script>parent.document.title = document.title = "run"</script>\r
<base href="https://example.net/"></head>\r
<body onload="document.title='run'"><h1>Hostile</h1>\r
<img src="x" onerror="parent.document.title='run'">\r
<svg onload="document.title='run'"></svg>\r
<a id="js" href="javascript:void(parent.document.title='run')">script</a>\r
<a id="top" target="_top" href="https://example.net/top">top</a>\r
<a id="blank" target="_blank" href="https://example.net/blank">blank</a>\r
<a id="self" href="/">self</a>\r
<form id="f" action="/preview/letter-3/proof" method="post" target="_top">\r
<input name="to" value="x@example.net"><button id="b">press</button></form>\r
<iframe src="data:text/html,<script>top.document.title='run'</script>"></iframe>\r
<object data="data:text/html,<script>top.document.title='run'</script>"></object>\r
</body></html>\r
"""


def test_attack_9_nothing_in_a_mail_runs_or_navigates(desk: Desk, attacked: Page) -> None:
    page, folder = attacked, desk.letter.root / ".newsletter" / "inbox"
    known = sorted(folder.glob("*.eml"))[0]
    key = known.stem[:-1] + ("0" if known.stem[-1] != "0" else "1")
    (folder / f"{key}.eml").write_bytes(HOSTILE_MAIL)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    before = len(desk.letter.inbox)
    address = f"{desk.url}/inbox/{key}"
    page.goto(address, wait_until="domcontentloaded")
    page.locator("iframe[data-settled]").first.wait_for()
    title = page.title()
    frame = page.frames[1]
    for name in ("js", "top", "self", "blank", "b"):
        frame.locator(f"#{name}").click()
        page.wait_for_timeout(60)
    page.wait_for_timeout(400)
    assert page.url == address
    assert page.title() == title
    assert len(page.context.pages) == 1
    assert page.frames[1].url.startswith(address)
    assert page.frames[1].title() == "still"
    assert page.frames[1].locator("h1").inner_text() == "Hostile"
    assert all(url.startswith((desk.url, "data:")) for url in asked), asked
    assert len(desk.letter.inbox) == before
    assert page.evaluate("() => document.querySelector('#said').textContent") != ""


def test_attack_9_nothing_in_an_article_runs_or_navigates(desk: Desk, attacked: Page) -> None:
    page, hostile = attacked, HOSTILE_MAIL.split(b"\r\n\r\n", 1)[1].decode().replace("\r\n", "\n")
    article = desk.letter.write(
        "issues/2026-04-01-hostile.md", f"---\ntitle: Hostile\n---\n{hostile}\n\n{hostile[15:]}"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for tab in ("mail", "states", "source", "markdown", "text", "checks"):
        address = f"{desk.url}/preview/hostile?tab={tab}"
        page.goto(address, wait_until="domcontentloaded")
        page.wait_for_timeout(250)
        assert page.url == address
        assert "run" not in page.title()
        assert all("run" not in frame.title() for frame in page.frames)
    assert all(url.startswith((desk.url, "data:")) for url in asked), asked
    article.unlink()


def test_arabic_words_end_on_the_left_of_an_inbox_row(desk: Desk, page: Page) -> None:
    page.goto(f"{desk.url}/preview/arabic")
    for row in ("apple", "phone"):
        for words in ("line", "pre"):
            assert page.locator(f".{row} .{words}").first.evaluate(RUNS_LEFT), (row, words)
    assert page.locator("h1").evaluate(RUNS_LEFT)
