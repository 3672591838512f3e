"""The teasers around one article: what it shows of its neighbours, and they of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from newsletter.articles import neighbours, published
from newsletter.model import Article, Teaser
from newsletter.pipeline import teaser
from newsletter.shelf import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """An article that shows this one as a teaser. `role` is "previous" or "next": what this
    article is over there. `was_sent` means its mail has left and will never show it; its web page
    does."""

    article: Article
    role: str
    was_sent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """`previous` and `next` stand in this article's mail, `own` is what its neighbours show of it,
    `shown_in` are those neighbours, older first. A draft or future article is nobody's."""

    previous: Teaser | None
    next: Teaser | None
    own: Teaser
    shown_in: tuple[Neighbour, ...]


def neighbourhood(article: Article, shelf: Shelf, sent: Collection[str]) -> Neighbourhood:
    """The teasers of the article in both directions; `sent` are the slugs of sent issues."""
    issue = shelf.issue(article)
    out = published(shelf.archive, shelf.now)
    older, newer = neighbours(out, article) if article in out else (None, None)
    shown = tuple(
        Neighbour(article=found, role=role, was_sent=found.slug in sent)
        for found, role in ((older, "next"), (newer, "previous"))
        if found is not None
    )
    return Neighbourhood(
        previous=issue.previous, next=issue.next, own=teaser(article, shelf.letter), shown_in=shown
    )
