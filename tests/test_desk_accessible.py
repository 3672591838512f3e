"""The desk itself for everybody: contrast in light and dark, names and roles, order of headings,
reflow at 320 pixels, a focus that shows (WCAG 2.2 AA). Checked by hand-written looks at the page
as Chromium lays it out, not by its sources."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import needs
from tests.desk_browser import DARK, LIGHT, browser, served
from tests.publication import publication
from tests.test_desk import FAULTY, LEAF, PICTURED

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PLACES = (
    "/",
    "/inbox",
    "/preview/letter-2",
    "/preview/letter-2?w=390&lens=images-off&zoom=200",
    *(f"/preview/letter-2?tab={tab}" for tab in ("states", "text", "source", "headers")),
    *(f"/preview/faulty?tab={tab}" for tab in ("markdown&line=9", "checks", "teasers", "reader")),
    "/preview/letter-3?tab=diff",
    "/preview/broken",
    "/nothing-here",
)
CONTRAST, NAMES = (
    Path(__file__).with_name(name).read_text("utf-8")
    for name in ("desk_contrast.js", "desk_names.js")
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    needs("chromium")
    letter = publication(tmp_path_factory.mktemp("desk"))
    letter.people(2)
    shutil.copy(LEAF, letter.root / "issues" / "leaf.jpg")
    letter.write("issues/2026-01-15-leaf.md", PICTURED)
    letter.write("issues/2026-01-16-faulty.md", FAULTY)
    letter.run("send", "latest", "--yes")
    letter.article(3, title="Changed since it was sent")
    letter.write("issues/broken.md", "---\ntitle: a: b\n---\nx\n")
    letter.write("issues/draft.md", "---\ntitle: Drafted\ndraft: true\n---\nx\n")
    with served(letter) as url:
        yield url


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_page_of_the_desk_can_be_read_and_named(address: str, scheme: str) -> None:
    with browser(scheme) as opened:
        page = desk_page(opened, address)
        found = {}
        for place in PLACES:
            page.goto(place, wait_until="domcontentloaded")
            wrong: list[Any] = [*page.evaluate(CONTRAST), *page.evaluate(NAMES)]
            if wrong:
                found[place] = wrong[:8]
        assert found == {}


def test_no_page_is_wider_than_a_small_screen_or_one_at_400_percent(address: str) -> None:
    with browser() as opened:
        page = desk_page(opened, address)
        wide = {}
        for width in (320, 700):
            page.set_viewport_size({"width": width, "height": 640})
            for place in PLACES:
                page.goto(place, wait_until="domcontentloaded")
                found = page.evaluate("() => document.documentElement.scrollWidth")
                if found > width:
                    wide[place, width] = found
        assert wide == {}


def test_the_focus_shows_on_every_control_and_goes_down_the_page(address: str) -> None:
    with browser() as opened:
        page = desk_page(opened, address)
        page.goto("/preview/letter-2")
        seen = []
        for _ in range(60):
            page.keyboard.press("Tab")
            seen.append(
                page.evaluate(
                    """() => {
                      const at = document.activeElement;
                      const drawn = at.matches(".segments input:not([type=number])");
                      const ring = drawn ? at.nextElementSibling : at;
                      const style = getComputedStyle(ring);
                      return [at.id || at.textContent.slice(0, 20),
                        style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
                          || at.tagName === "IFRAME" || at.tagName === "BODY"];
                    }"""
                )
            )
        assert [name for name, shows in seen if not shows] == []
        order = [name for name, _ in seen]
        places = [
            order.index(name)
            for name in ("follow", "help-open", "older", "proof-open", "tab-mail", "tab-diff")
        ]
        assert places == sorted(places)
        assert any(str(name).startswith("lens-") for name in order)


def test_motion_stops_for_who_asks_for_less(address: str) -> None:
    with browser() as opened:
        page = desk_page(opened, address)
        page.emulate_media(reduced_motion="reduce")
        page.goto("/preview/letter-2", wait_until="domcontentloaded")
        moving = page.evaluate(
            "() => [...document.querySelectorAll('*')].filter((each) => "
            "getComputedStyle(each).transitionDuration !== '0s').length"
        )
        assert moving == 0


def desk_page(opened: Browser, address: str) -> Page:
    context = opened.new_context(
        viewport={"width": 1400, "height": 900}, color_scheme="null", base_url=address
    )
    context.set_default_timeout(8000)
    return context.new_page()
