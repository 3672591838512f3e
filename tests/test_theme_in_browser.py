"""The shipped looks in a real browser: no phone has to scroll sideways, whatever a client drops."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from newsletter.compose.inline import inline_css
from newsletter.compose.theme import load_theme
from newsletter.model import Teaser, ThemeTokens
from newsletter.model.look import SHIPPED_LOOKS
from newsletter.preview.lenses.dark import inverted
from newsletter.preview.lenses.pictures import images_off
from newsletter.preview.lenses.styles import without_style
from newsletter.preview.lenses.word import word_sketch
from newsletter.preview.lenses.zoom import zoomed
from tests.test_looks import png
from tests.themed import BODY, page

LONG = "<p>Donaudampfschifffahrtsgesellschaftskapitänsmützenständer " + "x" * 120 + "</p>"
DENSE = "<p>" + "words " * 120 + "</p>"
ARABIC = (
    """<p>كان الجدار خلف البيت الزجاجي قد بُني ليحجز الأغنام، ثم لاحظ أحدهم كم يبقى دافئاً بعد
الغروب. <a href="https://example.org/">التفاصيل هنا</a></p><h2>ما يفعله الحجر</h2>
<ul><li>يشرب الشمس نهاراً.</li><li>ويعيدها ليلاً.</li></ul>"""
    + BODY
)
JAPANESE = (
    """<p>温室の裏の壁は、もともと羊を入れないために建てられたものでした。日が沈んだあともどれほど長く
温かいかに誰かが気づいたのは、ずっと後のことです。<a href="https://example.org/">詳しくはこちら</a></p>
<h2>石のはたらき</h2><ul><li>昼は日を飲み、</li><li>夜にそれを返します。</li></ul>"""
    + BODY
)
ELDER = Teaser(
    title="最初の霜は最後の薔薇より先に来る",
    summary="何を取り込み、何を残すか。" * 4,
    url="https://l.example.org/a/",
)

Lens = Callable[[str], str]
LENSES: dict[str, Lens] = {
    "whole": str,
    "without style blocks": without_style,
    "pictures off": images_off,
    "inverted": inverted,
    "sketch of Word": word_sketch,
    "text at 200 %": partial(zoomed, factor=2.0),
}
# Word knows no phone: its letter is as wide as the conditional table says.
WORD = "sketch of Word"
PHONES = [name for name in LENSES if name != WORD]
RIGHTMOST = (
    "Math.max(...[...document.querySelectorAll('div[role] *')]"
    ".map(part => part.getBoundingClientRect().right))"
)
LEFTMOST = RIGHTMOST.replace("max", "min").replace("right", "left")
# Words that stick out of the box they are in, by their own line boxes.
CUT_OFF = """[...document.querySelectorAll('p, li, h1, h2, h3, td, th, pre')]
  .filter(part => part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 0)
  .map(part => part.tagName + ': ' + part.textContent.trim().slice(0, 40))"""
# Words that lie on other words: each block of the letter ends above the next one.
OVERLAPS = """(() => {
  const boxes = [...document.querySelectorAll('p, li, h1, h2, h3, h4, pre')]
    .filter(part => part.getClientRects().length && !part.querySelector('p, ul, ol, li'))
    .map(part => [part.textContent.trim().slice(0, 30), part.getBoundingClientRect()]);
  return boxes.flatMap(([a, one], at) => boxes.slice(at + 1)
    .filter(([b, two]) => one.top + 2 < two.bottom && two.top + 2 < one.bottom
      && one.left + 2 < two.right && two.left + 2 < one.right)
    .map(([b]) => a + ' / ' + b));
})()"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("needs chromium")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = playwright.chromium.launch(executable_path=path, args=flags)
        yield chromium
        chromium.close()


def letter(root: Path, look: str, body: str = BODY + LONG, /, **changes: Any) -> str:
    made = page(root, body, **changes)
    png(root / "logo.png", 900, 120)
    tokens = ThemeTokens(look=look, logo="logo.png", thumbnails=True)
    made = replace(made, letter=replace(made.letter, theme=tokens))
    return inline_css(load_theme(made.letter).fill_html(made)[0])


@contextmanager
def shown(browser: Browser, document: str, width: int, *, dark: bool = False) -> Iterator[Page]:
    tab = browser.new_page(
        viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light"
    )
    tab.route("**", lambda route: route.abort())
    tab.set_content(document)
    if folder := os.environ.get("LOOKS_SHOTS"):
        name = re.sub(r"\W+", "-", os.environ["PYTEST_CURRENT_TEST"].partition("::")[2])
        tab.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
    yield tab
    tab.close()


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
@pytest.mark.parametrize("lens", PHONES)
def test_nobody_scrolls_sideways(browser: Browser, tmp_path: Path, look: str, lens: str) -> None:
    document = LENSES[lens](letter(tmp_path, look))
    for width in (320, 360, 600, 1200):
        with shown(browser, document, width) as tab:
            assert tab.evaluate("document.documentElement.scrollWidth") == width
            assert tab.evaluate(RIGHTMOST) <= width
            assert tab.evaluate(LEFTMOST) >= 0


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_an_endless_word_is_broken_wherever_it_stands(
    browser: Browser, tmp_path: Path, look: str
) -> None:
    endless = Teaser(title="t" * 90, summary="s" * 200, url="https://l.example.org/a/")
    changes = {"title": "h" * 90, "name": "n" * 70, "postal_address": "a" * 90}
    document = letter(tmp_path, look, previous=endless, **changes)
    for width in (320, 700):
        with shown(browser, document, width) as tab:
            assert tab.evaluate(CUT_OFF) == []
            assert tab.evaluate(RIGHTMOST) <= width


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
@pytest.mark.parametrize("lens", LENSES)
def test_no_words_are_cut_off_or_lie_on_others(
    browser: Browser, tmp_path: Path, look: str, lens: str
) -> None:
    document = LENSES[lens](letter(tmp_path, look, BODY + DENSE))
    for width in (320, 700):
        with shown(browser, document, width) as tab:
            assert tab.evaluate(CUT_OFF) == []
            assert tab.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
@pytest.mark.parametrize("lens", LENSES)
def test_arabic_runs_from_right_to_left(
    browser: Browser, tmp_path: Path, look: str, lens: str
) -> None:
    document = LENSES[lens](letter(tmp_path, look, ARABIC, language="ar"))
    for width in (700,) if lens == WORD else (320, 700):
        with shown(browser, document, width) as tab:
            assert tab.evaluate("document.documentElement.scrollWidth") == width
            assert tab.evaluate(LEFTMOST) >= 0
            assert tab.evaluate(OVERLAPS) == []
    with shown(browser, document, 700) as tab:
        previous, following = tab.locator("p", has_text=re.compile("←|→")).all()
        one, two = previous.bounding_box(), following.bounding_box()
        assert one
        assert two
        assert one["x"] > two["x"]
        assert abs(one["y"] - two["y"]) < 2
        title = tab.evaluate(
            "(() => { const r = document.createRange();"
            " r.selectNodeContents(document.querySelector('h2')); return"
            " r.getBoundingClientRect().right })()"
        )
        quote = tab.evaluate("getComputedStyle(document.querySelector('blockquote')).fontStyle")
        assert title == pytest.approx(tab.evaluate(PANEL_RIGHT), abs=60)
        assert quote == "normal"


PANEL_RIGHT = "document.querySelector('h1').closest('td').getBoundingClientRect().right"


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
@pytest.mark.parametrize("lens", LENSES)
def test_japanese_wraps_without_blanks_and_stands_upright(
    browser: Browser, tmp_path: Path, look: str, lens: str
) -> None:
    document = LENSES[lens](letter(tmp_path, look, JAPANESE, language="ja", previous=ELDER))
    for width in (700,) if lens == WORD else (320, 700):
        with shown(browser, document, width) as tab:
            assert tab.evaluate("document.documentElement.scrollWidth") == width
            assert tab.evaluate(CUT_OFF) == []
            assert tab.evaluate(OVERLAPS) == []
            style = "getComputedStyle(document.querySelector('blockquote')).fontStyle"
            assert tab.evaluate(style) == "normal"


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_the_preheader_takes_no_room(browser: Browser, tmp_path: Path, look: str) -> None:
    with shown(browser, without_style(letter(tmp_path, look)), 600) as tab:
        assert not tab.get_by_text("Ten minutes of walking").is_visible()


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
@pytest.mark.parametrize("lens", ["whole", "without style blocks"])
def test_two_teasers_stand_side_by_side_on_a_desk_and_below_each_other_on_a_phone(
    browser: Browser, tmp_path: Path, look: str, lens: str
) -> None:
    document = LENSES[lens](letter(tmp_path, look))

    def places(width: int) -> list[tuple[float, float]]:
        with shown(browser, document, width) as tab:
            labels = tab.get_by_text(re.compile("issue$|issue →")).all()
            boxes = [label.bounding_box() for label in labels]
        return [(box["x"], box["y"]) for box in boxes if box]

    desk, phone = places(800), places(360)
    assert len(desk) == len(phone) == 2
    assert desk[0][1] == desk[1][1]
    assert phone[0][1] < phone[1][1]
    assert phone[0][0] == phone[1][0]


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
@pytest.mark.parametrize("width", [360, 800])
def test_one_teaser_takes_the_whole_measure(
    browser: Browser, tmp_path: Path, look: str, width: int
) -> None:
    with shown(browser, letter(tmp_path, look, DENSE, next=None), width) as tab:
        card = tab.locator("div > table", has_text="Previous issue").last.bounding_box()
        title = tab.locator("h1").bounding_box()
    assert card
    assert title
    assert (card["x"], card["width"]) == (title["x"], title["width"])


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_the_name_is_read_where_pictures_are_off(
    browser: Browser, tmp_path: Path, look: str
) -> None:
    with shown(browser, images_off(letter(tmp_path, look)), 360) as tab:
        assert tab.get_by_text("Field Notes", exact=True).first.is_visible()


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_a_button_is_as_high_as_a_thumb_wants(browser: Browser, tmp_path: Path, look: str) -> None:
    with shown(browser, without_style(letter(tmp_path, look)), 360) as tab:
        box = tab.get_by_role("link", name="Book").bounding_box()
    assert box
    assert box["height"] >= 44


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_dark_readers_get_the_dark_palette(browser: Browser, tmp_path: Path, look: str) -> None:
    with shown(browser, letter(tmp_path, look), 600, dark=True) as tab:
        seen = tab.evaluate(
            "[...document.querySelectorAll("
            "'.panel, .copy p, .copy li, .copy td, .copy th, .copy img, h1, h2')]"
            ".map(part => getComputedStyle(part)).map(css => css.color)"
        )
        ground = tab.evaluate("getComputedStyle(document.querySelector('.panel')).backgroundColor")
    assert all(sum(map(int, re.findall(r"\d+", colour)[:3])) > 3 * 128 for colour in seen), seen
    assert sum(map(int, re.findall(r"\d+", ground)[:3])) < 3 * 64
