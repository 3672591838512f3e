"""Take the pictures of the looks: each in six states, on one sheet.

    .venv/bin/python docs/make_looks.py

Needs the extras `test` (Playwright) and `images` (Pillow), and Debian's chromium. Writes
docs/looks/LOOK.png from the small publications beside them, whose second issue it shows, and one
logo. Inverted dark is an approximation: no client says how it turns colours over.
"""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from newsletter.compose.images import media_path
from newsletter.config import load_config
from newsletter.delivery.specimen import part, specimen
from newsletter.model import Letter
from newsletter.model.look import SHIPPED_LOOKS
from newsletter.preview.lenses.dark import inverted
from newsletter.preview.lenses.pictures import images_off
from newsletter.preview.lenses.styles import without_style
from newsletter.shelf import Shelf

FOLDER = Path(__file__).resolve().parent / "looks"
NOW = datetime(2026, 12, 24, tzinfo=UTC)
DESK, PHONE, TALL = 680, 360, 1900
SHOWN_WIDTH, SHOWN_HEIGHT = 340, 950
COLOURS = 256
SHEET = """
<style>
  body {{ margin: 0; padding: 20px; background: #8d939c; font: 600 13px/18px sans-serif;
         color: #fff; display: grid; grid-template-columns: repeat(3, {width}px); gap: 20px; }}
  figure {{ margin: 0; }} figcaption {{ margin: 0 0 6px; }}
  div {{ height: {height}px; overflow: hidden; border-radius: 6px; background: #fff; }}
  img {{ display: block; width: {width}px; }}
</style>{figures}
"""
FIGURE = (
    "<figure><figcaption>{title}</figcaption>"
    '<div><img src="data:image/png;base64,{picture}"></div></figure>'
)
LOGO = """
<body style="margin:0"><svg width="360" height="64" viewBox="0 0 180 32">
<g stroke="#fff" stroke-width="4"><path d="M6 2v28M16 2v28M26 2v28"/>
<g stroke="#8fb2ff"><path d="M1 9h8M13 9h18M1 16h18M23 16h8M1 23h8M13 23h18"/></g></g>
<text x="42" y="23" fill="#fff" font-family="DejaVu Serif" font-size="19">The Loom</text></svg>
"""


@dataclass(frozen=True, slots=True)
class State:
    """One way in which readers may see a mail."""

    title: str
    width: int
    lens: Callable[[str], str]
    dark: bool = False


STATES = (
    State("Light", DESK, str),
    State("Dark, by the letter's own CSS", DESK, str, dark=True),
    State("Dark, turned over by the client", DESK, inverted),
    State("On a phone of 360 pixels", PHONE, str),
    State("Style blocks dropped", PHONE, without_style),
    State("Pictures off", PHONE, images_off),
)


def main() -> None:
    """One sheet for each look."""
    with sync_playwright() as play:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        (FOLDER / "digest/logo.png").write_bytes(logo(browser))
        for look in SHIPPED_LOOKS:
            path = FOLDER / f"{look}.png"
            path.write_bytes(sheet(browser, look))
            print(f"{path.relative_to(FOLDER.parent)} {path.stat().st_size // 1024} KB")
        browser.close()


def logo(browser: Browser) -> bytes:
    """A white logo on nothing, for the dark bar: 360 pixels wide, shown as 180."""
    page = browser.new_page(viewport={"width": 360, "height": 64})
    page.set_content(LOGO)
    image = page.screenshot(omit_background=True)
    page.close()
    return image


def sheet(browser: Browser, look: str) -> bytes:
    """The look in all states, as a PNG of few colours."""
    letter = load_config(FOLDER / look).letter()
    figures = "\n".join(
        FIGURE.format(title=state.title, picture=base64.b64encode(picture).decode())
        for state, picture in shots(browser, letter)
    )
    page = browser.new_page(viewport={"width": 3 * SHOWN_WIDTH + 80, "height": 100})
    page.set_content(SHEET.format(width=SHOWN_WIDTH, height=SHOWN_HEIGHT, figures=figures))
    page.wait_for_timeout(300)
    image = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    page.close()
    out = io.BytesIO()
    image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True
    )
    return out.getvalue()


def shots(browser: Browser, letter: Letter) -> Iterator[tuple[State, bytes]]:
    """The second issue in every state, as PNGs."""
    shelf = Shelf.of(letter, NOW)
    article = shelf.archive.articles[1]
    mail = specimen(shelf.compose(article).email, article, letter)
    document = part(mail.content, "html")
    for state in STATES:
        tall = TALL if state.width == DESK else round(TALL * PHONE / DESK)
        page = browser.new_page(
            viewport={"width": state.width, "height": tall},
            color_scheme="dark" if state.dark else "light",
        )
        page.route("**", lambda route: route.abort())
        page.set_content(with_pictures(state.lens(document), letter))
        page.wait_for_timeout(200)
        yield state, page.screenshot()
        page.close()


def with_pictures(document: str, letter: Letter) -> str:
    """The document with the publication's own pictures inside of it."""
    start = f"{letter.base_url}/media/"
    pieces = document.split(f'src="{start}')
    for number, piece in enumerate(pieces[1:], 1):
        address, _, rest = piece.partition('"')
        file = media_path(letter, address)
        content = base64.b64encode(file.read_bytes()).decode() if file else ""
        pieces[number] = f'src="data:image/png;base64,{content}"{rest}'
    return "".join(pieces)


if __name__ == "__main__":
    main()
