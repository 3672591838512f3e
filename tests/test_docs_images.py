"""docs/images.md is true: its commands work, and the numbers in it are those of the program."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from newsletter.compose.embedding import HEAVY, TOO_HEAVY
from newsletter.compose.picture_header import MOST_BYTES, MOST_PIXELS
from newsletter.compose.published import DIGITS, WIDEST
from newsletter.config import load_config
from newsletter.model import Images, ThemeTokens
from tests.photographs import photograph
from tests.publication import publication
from tests.written import put

TEXT = (Path(__file__).resolve().parent.parent / "docs/images.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_every_command_works_on_the_article_it_shows(tmp_path: Path) -> None:
    made = publication(tmp_path, months=1)
    put(tmp_path, "issues/chairs.jpg", photograph(1040, 700))
    (shown,) = blocks("markdown")
    article = made.root / "issues/2026-01-01-letter-1.md"
    made.write(str(article.relative_to(made.root)), article.read_text() + "\n" + shown)
    for block in blocks("sh"):
        for command in block.strip().splitlines():
            words = shlex.split(command.replace("--out public", f"--out {tmp_path / 'public'}"))
            assert words[0] == "newsletter"
            made.run(*words[1:])
    (picture,) = (tmp_path / "public/media").iterdir()
    assert re.fullmatch(rf"chairs\.[0-9a-f]{{{DIGITS}}}\.jpg", picture.name)
    assert "The room on Orchard Row" in (tmp_path / "public/letter-1.html").read_text()


def test_the_key_is_one_of_the_configuration(tmp_path: Path) -> None:
    made = publication(tmp_path, months=0)
    config = made.root / "newsletter.toml"
    (shown,) = blocks("toml")
    key = shown.splitlines()[1]
    config.write_text(config.read_text().replace("[letter]", f"[letter]\n{key}", 1))
    assert load_config(tmp_path).letter().images is Images.HOSTED
    assert all(f'"{each}"' in shown for each in Images)


def test_the_numbers_are_those_of_the_program() -> None:
    said = " ".join(TEXT.split())
    for words in (
        f"at most {ThemeTokens().measure} pixels",
        f"drawn {WIDEST} wide",
        f"above {MOST_BYTES // 1_000_000} MB an error",
        f"{MOST_PIXELS // 1_000_000} million pixels",
        f"more than {HEAVY // 1_000_000} MB is a warning",
        f"more than {TOO_HEAVY // 1_000_000} MB an error",
    ):
        assert words in said, words
