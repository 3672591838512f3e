"""docs/themes.md is true: its commands work, its tokens are read, its pictures are there."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.config.looks import ThemeTable
from newsletter.defaults import default_folder
from newsletter.model.look import SHIPPED_LOOKS
from tests.publication import CONFIG, Publication

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "themes.md").read_text("utf-8")
MOST_BYTES = 1_500_000


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    house = Publication(tmp_path)
    for line in "".join(blocks("sh")).splitlines():
        words = line.split()
        if words[0] == "cd":
            house = Publication(house.root / words[1])
        else:
            house.run(*words[1:])
    assert (tmp_path / "my-letter/templates/partials/footer.html").is_file()


@pytest.mark.parametrize("block", blocks("toml"))
def test_every_configuration_of_the_page_is_a_good_one(tmp_path: Path, block: str) -> None:
    (tmp_path / "newsletter.toml").write_text(f"{CONFIG}\n{block}", "utf-8")
    load_config(tmp_path)


def test_the_page_names_every_key_of_the_table_and_every_look() -> None:
    named: set[str] = set().union(*(tomllib.loads(block)["theme"] for block in blocks("toml")))
    assert named == set(ThemeTable.model_fields)
    for look in SHIPPED_LOOKS:
        assert f"`{look}`" in PAGE
        assert (default_folder("templates") / f"looks/{look}.jinja").is_file()


def test_the_pictures_are_there_and_light() -> None:
    pictures = {DOCS / name for name in re.findall(r"\(([\w/]+\.png)\)", PAGE)}
    assert pictures == {DOCS / f"looks/{look}.png" for look in SHIPPED_LOOKS}
    assert sum(picture.stat().st_size for picture in pictures) < MOST_BYTES


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_the_publications_in_the_pictures_have_nothing_wrong(tmp_path: Path, look: str) -> None:
    shutil.copytree(DOCS / "looks" / look, tmp_path / look)
    report = Publication(tmp_path / look).ask("check", "--all", "--strict")
    assert [p for p in report["problems"] if p["severity"] != "info"] == []
