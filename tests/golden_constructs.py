"""The constructs of Markdown that tests/golden/constructs shows, each one an article."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from newsletter import pipeline
from newsletter.compose import markup, plaintext
from newsletter.compose.markup import Fragment
from newsletter.compose.strings import strings_for
from newsletter.config import load_config
from newsletter.model import Article, Letter
from newsletter.shelf import Shelf

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "golden" / "constructs"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True)
class Construct:
    """One construct: what its author writes, and what becomes of it."""

    article: Article
    shelf: Shelf

    @property
    def source(self) -> str:
        """The Markdown without its front matter."""
        text = (FOLDER / f"{self.article.slug}.md").read_text("utf-8")
        return text.split("\n---\n", 1)[1]

    @cached_property
    def fragment(self) -> Fragment:
        return markup.to_fragment(self.shelf.issue(self.article), self.shelf.letter)

    @property
    def text(self) -> str:
        """The body of the plain text."""
        language = self.article.language or self.shelf.letter.language
        return plaintext.to_text(self.fragment.html, strings_for(language))

    def mail(self) -> str:
        """The whole HTML of the mail."""
        alone = replace(self.shelf.issue(self.article), previous=None, next=None)
        return pipeline.render(alone, self.shelf.theme, self.shelf.letter).email.html


def constructs_letter() -> Letter:
    """This repository's own letter, with the constructs in the place of its issues."""
    return replace(load_config(ROOT).letter(), issues=FOLDER)


def constructs() -> list[Construct]:
    """All of them, by their numbers."""
    shelf = Shelf.of(constructs_letter(), NOW)
    articles = sorted(shelf.archive.articles, key=lambda article: article.number or 0)
    return [Construct(article, shelf) for article in articles]
