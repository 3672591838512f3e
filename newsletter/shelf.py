"""The archive and the theme of one publication, read once: what every entry point works with.

What composes is imported when it is asked for: reading the archive takes half the time without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from newsletter.articles import Archive, find, issue_url, published, read_archive
from newsletter.model import Article, Issue, Letter

if TYPE_CHECKING:
    from newsletter.compose.theme import Theme
    from newsletter.composed import Composed


@dataclass(slots=False)
class Shelf:
    """All issues of a letter as they are at one moment; a theme is loaded when one is composed."""

    letter: Letter
    archive: Archive
    now: datetime

    @classmethod
    def of(cls, letter: Letter, now: datetime) -> Shelf:
        """The letter's issues, read from its folder."""
        return cls(letter, read_archive(letter), now)

    @cached_property
    def theme(self) -> Theme:
        from newsletter.compose.theme import load_theme  # noqa: PLC0415

        return load_theme(self.letter)

    @cached_property
    def unpublished(self) -> Mapping[str, Article]:
        """The drafts, and the articles dated in the future, by the address of their page."""
        out = {article.path for article in published(self.archive, self.now)}
        return {
            issue_url(article, self.letter): article
            for article in self.archive.articles
            if article.path not in out
        }

    def find(self, name: str) -> Article:
        """The article of that name. Raises NoSuchIssue, AmbiguousIssue, or the file's own error."""
        return find(self.archive, name, self.now)

    def issue(self, article: Article) -> Issue:
        """The article between its neighbours."""
        from newsletter import pipeline  # noqa: PLC0415

        return pipeline.place(article, self.archive, self.letter, self.now)

    def compose(self, article: Article) -> Composed:
        """The article composed, with its findings."""
        from newsletter import pipeline  # noqa: PLC0415

        return pipeline.render(self.issue(article), self.theme, self.letter)
