"""The archive and the theme of one publication, read once: what every entry point works with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from newsletter import pipeline
from newsletter.articles import Archive, find
from newsletter.compose.theme import Theme, load_theme
from newsletter.composed import Composed
from newsletter.model import Article, Issue, Letter


@dataclass(slots=False)
class Shelf:
    """All issues of a letter as they are at one moment; a theme is loaded when one is composed."""

    letter: Letter
    archive: Archive
    now: datetime

    @classmethod
    def of(cls, letter: Letter, now: datetime) -> Shelf:
        """The letter's issues, read from its folder."""
        return cls(letter, pipeline.read(letter), now)

    @cached_property
    def theme(self) -> Theme:
        return load_theme(self.letter)

    def find(self, name: str) -> Article:
        """The article of that name. Raises NoSuchIssue, AmbiguousIssue, or the file's own error."""
        return find(self.archive, name, self.now)

    def issue(self, article: Article) -> Issue:
        """The article between its neighbours."""
        return pipeline.place(article, self.archive, self.letter, self.now)

    def compose(self, article: Article) -> Composed:
        """The article composed, with its findings."""
        return pipeline.render(self.issue(article), self.theme, self.letter)
