"""What a mail weighs: the letter most people write stays far from where Gmail clips."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.shelf import Shelf

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 22, tzinfo=UTC)
PROSE = """
In November the garden goes to bed early, and so should you, at least twice a week. We have
written down what helps our patients through the dark months: warm feet, a slow supper, and lamps
that stand lower than your eyes. *None of it is new*, and all of it works better when you do it
with [somebody else](https://example.org/company) in the room.
"""
CONFIG = """
[letter]
name = "The Orchard Row Letter"
base_url = "https://letters.example.org"
[sender]
from = "Orchard Row <letters@example.org>"
postal_address = "14 Orchard Row, Lindenford"
[theme]
look = "{look}"
"""
FRONT = '---\ntitle: "Winter, and what to do about it"\nsummary: "{summary}"\n---\n'


def article(words: int) -> str:
    """That many words as people write them: paragraphs, three headings, a list, a quotation, two
    pictures."""
    typed = cycle(PROSE.split())
    parts: list[str] = []
    for number in range(9):
        if number % 3 == 0:
            parts.append(f"## Part {number}")
        parts.append(" ".join(islice(typed, words // 10)))
    parts.insert(2, "![Hills at dusk](hills.jpg)")
    parts.insert(6, "![A cup](cup.jpg)\n*The nine o'clock cup.*")
    parts.append("> Sleep comes to watch.\n> -- Ines")
    parts += [f"- {' '.join(islice(typed, words // 50))}" for _ in range(5)]
    return "\n\n".join(parts) + "\n"


@pytest.fixture(params=["letter", "plain", "digest"])
def html(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The mail of the middle one of three issues."""
    (tmp_path / "newsletter.toml").write_text(CONFIG.format(look=request.param))
    (tmp_path / "issues").mkdir()
    for picture in ("hills.jpg", "cup.jpg"):
        shutil.copy(ROOT / "issues" / "images" / picture, tmp_path / "issues" / picture)
    front = FRONT.format(summary=" ".join(PROSE.split()[:40]))
    for month in (1, 2, 3):
        (tmp_path / "issues" / f"2026-0{month}-01-a{month}.md").write_text(front + article(1000))
    shelf = Shelf.of(load_config(tmp_path).letter(), NOW)
    return shelf.compose(shelf.find("a2")).email.html


def test_a_thousand_words_two_pictures_and_teasers_weigh_less_than_30_kb(html: str) -> None:
    words = re.sub(r"<(style|title)[^>]*>.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL).split()
    assert len(words) > 1000
    assert html.count("<img") == 2
    assert html.count("https://letters.example.org/a1/") > 0 < html.count("/a3/")
    assert len(html.encode()) < 30_000


def test_nothing_in_it_is_blank_or_said_for_nobody(html: str) -> None:
    body = html[html.index("<body") :]
    kept = re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL)[-1]
    worn = {name for each in re.findall(r'class="([^"]*)"', body) for name in each.split()}
    assert worn <= set(re.findall(r"\.([\w-]+)", kept))
    for name in ("callout", "code", "button", "notes", "data"):
        assert f".{name}" not in kept
    assert "  " not in body.replace("\u2007\u034f ", "")
    assert "\n\n" not in html
    assert not re.search(r'style="[^"]*[;:,] ', body)
