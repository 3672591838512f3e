"""Write docs/markdown.md: every construct of Markdown as source, as mail and as plain text.

    .venv/bin/python docs/make_markdown_page.py            the page and its pictures
    .venv/bin/python docs/make_markdown_page.py --text     the page alone

The examples are tests/golden/constructs. The pictures are docs/markdown/*.png and *.jpg, as
Debian's Chromium shows the mail; they need the extra `test` (Playwright).
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from newsletter.compose.images import media_path  # noqa: E402
from newsletter.slots import fill_slots  # noqa: E402
from tests.golden_constructs import Construct, constructs  # noqa: E402

PAGE = ROOT / "docs" / "markdown.md"
PICTURES = ROOT / "docs" / "markdown"
READER = {"first_name": "Ada"}
# The page shows the two ends of a long example.
MOST_LINES = 30
MOST_HEIGHT = 900
HEAD = """\
<!-- Made by docs/make_markdown_page.py from tests/golden/constructs: change those. -->
# What Markdown becomes

Every construct that an issue may hold: as you write it, as a mail program shows it, and as the
plain text that travels beside it says it. The Markdown is that of
[Python-Markdown](https://python-markdown.github.io/) and
[PyMdown Extensions](https://facelessuser.github.io/pymdown-extensions/), with the lists, fences
and alerts of GitHub, so issues written for Pelican, Hugo or GitHub are read as their authors meant
them.

"""


def main() -> None:
    """Write the page, and the pictures unless told otherwise."""
    PAGE.write_text(page(), encoding="utf-8")
    if "--text" not in sys.argv:
        take_pictures()


def page() -> str:
    """The whole page. It says nothing about this machine and needs no browser."""
    shown = constructs()
    contents = "\n".join(f"- [{each.article.title}](#{anchor(each)})" for each in shown)
    return HEAD + contents + "\n" + "".join(map(section, shown))


def anchor(construct: Construct) -> str:
    """Where GitHub, GitLab and Forgejo put the heading."""
    words = re.sub(r"[^\w\- ]", "", construct.article.title.lower())
    return words.replace(" ", "-")


def section(construct: Construct) -> str:
    """One construct of the page."""
    article = construct.article
    text = fill_slots(construct.text, construct.fragment.slots, READER)
    parts = (
        f"## {article.title}",
        article.summary or "",
        fenced("markdown", construct.source),
        f"![{article.title}, in the mail](markdown/{picture_name(construct)})",
        fenced("text", text),
    )
    return "\n" + "\n\n".join(parts) + "\n"


def fenced(language: str, text: str) -> str:
    """The text in a fence that is longer than any in it, its middle left out if it is long."""
    lines = text.strip("\n").split("\n")
    if len(lines) > MOST_LINES:
        text = "\n".join([*lines[:5], "(and so on)", *lines[-10:]])
    runs = re.findall(r"^ *(`{3,})", text, re.MULTILINE)
    fence = "`" * max([3, *(len(run) + 1 for run in runs)])
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"


def picture_name(construct: Construct) -> str:
    """Photographs as JPEG, all else as PNG."""
    suffix = "jpg" if "<img" in construct.fragment.html else "png"
    return f"{construct.article.slug}.{suffix}"


def take_pictures() -> None:
    """One picture of each construct's mail, the article alone."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir()
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page(viewport={"width": 640, "height": 900}, device_scale_factor=1.5)
        for construct in constructs():
            picture(tab, construct)
        browser.close()


def picture(tab: Any, construct: Construct) -> None:
    """The article's part of the mail, with the pictures that are on this disk."""
    letter = construct.shelf.letter

    def answer(route: Any) -> None:
        url = route.request.url
        path = media_path(letter, url.removeprefix(letter.base_url))
        route.fulfill(path=path) if path else route.abort()

    tab.unroute_all()
    tab.route("**/*", answer)
    html = fill_slots(construct.mail(), construct.fragment.slots, READER)
    tab.set_content(html, wait_until="load")
    boxes = [cell.bounding_box() for cell in tab.query_selector_all("td.copy")]
    bottom = boxes[-1]["y"] + boxes[-1]["height"]
    top = max(boxes[0]["y"] - 14, bottom - MOST_HEIGHT)
    name = picture_name(construct)
    quality = {"type": "jpeg", "quality": 82} if name.endswith("jpg") else {"type": "png"}
    clip = {"x": boxes[0]["x"], "y": top, "width": boxes[0]["width"], "height": bottom - top}
    tab.screenshot(path=PICTURES / name, clip=clip, full_page=True, **quality)


if __name__ == "__main__":
    main()
