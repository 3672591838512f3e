"""The base template in a real browser: no phone has to scroll sideways, whatever a client drops."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from newsletter.compose.inline import inline_css
from newsletter.compose.theme import load_theme
from tests.themed import BODY, page

STYLE = re.compile(r"<style[^>]*>.*?</style>", re.DOTALL)
LONG = "<p>Donaudampfschifffahrtsgesellschaftskapitänsmützenständer " + "x" * 120 + "</p>"


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


def sample(root: Path, *, stripped: bool) -> str:
    made = page(root, BODY + LONG)
    document = inline_css(load_theme(made.letter).fill_html(made)[0])
    return STYLE.sub("", document) if stripped else document


@pytest.mark.parametrize("stripped", [False, True], ids=["whole", "without style blocks"])
@pytest.mark.parametrize("width", [320, 360, 600, 1200])
def test_nobody_scrolls_sideways(
    browser: Browser, tmp_path: Path, width: int, stripped: bool
) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 800})
    tab.route("**", lambda route: route.abort())
    tab.set_content(sample(tmp_path, stripped=stripped))
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    widest = tab.evaluate(
        "Math.max(...[...document.querySelectorAll('div[role] *')]"
        ".map(part => part.getBoundingClientRect().right))"
    )
    assert widest <= width
    tab.close()


def test_the_preheader_takes_no_room(browser: Browser, tmp_path: Path) -> None:
    tab = browser.new_page()
    tab.set_content(sample(tmp_path, stripped=True))
    assert not tab.get_by_text("Ten minutes of walking").is_visible()
    tab.close()


def test_two_teasers_stand_side_by_side_on_a_desk_and_below_each_other_on_a_phone(
    browser: Browser, tmp_path: Path
) -> None:
    def tops(width: int) -> list[float]:
        tab = browser.new_page(viewport={"width": width, "height": 800})
        tab.set_content(sample(tmp_path, stripped=True))
        boxes = [
            link.bounding_box() for link in tab.get_by_text(re.compile("issue$|issue →")).all()
        ]
        tab.close()
        return [box["y"] for box in boxes if box]

    desk, phone = tops(800), tops(360)
    assert len(desk) == len(phone) == 2
    assert desk[0] == desk[1]
    assert phone[0] < phone[1]


def test_dark_readers_get_the_dark_palette(browser: Browser, tmp_path: Path) -> None:
    tab = browser.new_page(color_scheme="dark")
    tab.set_content(sample(tmp_path, stripped=False))
    seen = tab.evaluate(
        "[...document.querySelectorAll('.panel, .copy p, .copy li, .copy td, .copy th, h1, h2')]"
        ".map(part => getComputedStyle(part)).map(css => css.color)"
    )
    tab.close()
    assert all(sum(map(int, re.findall(r"\d+", colour)[:3])) > 3 * 128 for colour in seen), seen
