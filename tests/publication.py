"""A publication in a temporary folder, and the command line to work on it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from click.testing import CliRunner, Result

from newsletter.cli import cli
from newsletter.sample import sample_toml

CONFIG = sample_toml("Field Notes", "https://letters.example.org", "Ana <ana@letters.example.org>")
STATE = ".newsletter"
# Many a test begins with the same people, or the same send: made once, and copied.
MADE = TemporaryDirectory(prefix="newsletter-tests-")
ARTICLE = """---
title: {title}
date: 2026-{month:02d}-01 08:00:00 +0000
number: {month}
---

Hello {{{{ first_name | friend }}}},

this is the letter of month {month}. It has a [link](https://example.org/{month}).
"""


@dataclass(frozen=True)
class Publication:
    """One publication's folder."""

    root: Path

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def article(self, month: int, title: str = "") -> Path:
        text = ARTICLE.format(title=title or f"Letter {month}", month=month)
        return self.write(f"issues/2026-{month:02d}-01-letter-{month}.md", text)

    def run(self, *arguments: str, typed: str | None = None, code: int | None = 0) -> Result:
        """The result of `newsletter -C ROOT ARGUMENTS`, which must exit with `code`."""
        result = CliRunner().invoke(
            cli, ["-C", str(self.root), *arguments], input=typed, catch_exceptions=False
        )
        assert code is None or result.exit_code == code, f"{result.exit_code}: {result.output}"
        return result

    def ask(self, *arguments: str, code: int | None = 0) -> dict[str, Any]:
        """The JSON answer of a command: its last line, behind the events of a send."""
        return self.events(*arguments, code=code)[-1]

    def events(self, *arguments: str, code: int | None = 0) -> list[dict[str, Any]]:
        """The JSON lines of a command."""
        result = self.run(*arguments, "--json", code=code)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def people(self, count: int) -> None:
        """Add p0, p1 and so on, that many."""
        if not (self.root / STATE).exists():
            shutil.copytree(_people(count), self.root / STATE)
            return
        add_people(self, count)

    @property
    def inbox(self) -> list[Path]:
        return sorted((self.root / STATE / "inbox").glob("*.eml"))


def publication(root: Path, months: int = 3) -> Publication:
    """A publication with one article per month."""
    made = Publication(root)
    made.write("newsletter.toml", CONFIG)
    for month in range(1, months + 1):
        made.article(month)
    return made


def add_people(made: Publication, count: int) -> None:
    for number in range(count):
        made.run("subscribers", "add", f"p{number}@example.com", "--name", f"Pat {number}")


def sent(root: Path, people: int) -> Publication:
    """A publication whose latest letter went to that many people, into the inbox."""
    shutil.copytree(_sent(people), root, dirs_exist_ok=True)
    return Publication(root)


@cache
def _people(count: int) -> Path:
    """The state folder of a publication with them."""
    made = publication(Path(mkdtemp(dir=MADE.name)), months=0)
    add_people(made, count)
    return made.root / STATE


@cache
def _sent(people: int) -> Path:
    made = publication(Path(mkdtemp(dir=MADE.name)))
    made.people(people)
    made.run("send", "latest", "--yes")
    return made.root
