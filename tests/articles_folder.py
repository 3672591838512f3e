"""A publication in a temporary folder, for the tests of the articles."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from newsletter.articles import Archive, read_archive, read_article
from newsletter.errors import ArticleError
from newsletter.model import Article, Letter, Mailbox, Problem

LISBON = ZoneInfo("Europe/Lisbon")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def letter_in(root: Path, *, permalink: str = "/{slug}/", issues: str = "issues") -> Letter:
    """The publication in `root`, in Lisbon's time."""
    return Letter(
        root=root,
        name="Quiet Hands",
        base_url="https://letters.example.org",
        language="en",
        timezone=LISBON,
        issues=root / issues,
        templates=root / "templates",
        sender=Mailbox("Ada Example", "ada@example.org"),
        reply_to=None,
        postal_address="1 Example Road",
        list_id="letters.example.org",
        permalink=permalink,
        fields=(),
    )


def yaml(*lines: str, body: str = "Body\n") -> str:
    """A file with YAML front matter of these lines."""
    return "\n".join(("---", *lines, "---", body))


class Folder:
    """Articles to write and to read back."""

    def __init__(self, root: Path) -> None:
        self.letter = letter_in(root)
        self.issues = self.letter.issues
        self.issues.mkdir(exist_ok=True)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.issues / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def article(self, content: str | bytes, name: str = "x.md") -> Article:
        return read_article(self.write(name, content), self.letter)

    def error(self, content: str | bytes, name: str = "x.md") -> ArticleError:
        self.write(name, content)
        try:
            read_article(self.issues / name, self.letter)
        except ArticleError as error:
            return error
        raise AssertionError("the article was read")

    def warnings(self, content: str | bytes, name: str = "x.md") -> tuple[Problem, ...]:
        self.write(name, content)
        return read_archive(self.letter).warnings


def shelf_in(folder: Folder) -> Archive:
    """Five issues of Quiet Hands: three out, one draft, one of the future."""
    folder.write("2026-09-01-pain.md", "---\ntitle: Pain\nnumber: 41\n---\nBody")
    folder.write("2026-10-01-sleep.md", "---\ntitle: Sleep\nnumber: 42\n---\nBody")
    folder.write("2026-10-15-anger.md", "---\ntitle: Anger\ndraft: true\n---\nBody")
    folder.write("2026-11-01-sleep-well.md", "---\ntitle: Sleep well\nnumber: 43\n---\nBody")
    folder.write("2026-12-24-quiet.md", "---\ntitle: Quiet\nnumber: 44\n---\nBody")
    return read_archive(folder.letter)
