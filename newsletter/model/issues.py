"""An article as written, and as an issue between its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One file as its author wrote it.

    `path` is relative to the publication's root; `folder` is absolute: where the article's own
    images are. `body` is Markdown with LF line ends and without front matter; its first line is
    line `body_line` of the file. `date` is aware. `summary` is the teaser as given in the front
    matter, `lead` the Markdown before a "more" mark; both None when the author gave neither.
    """

    path: Path
    folder: Path
    slug: str
    title: str
    subject: str
    body: str
    body_line: int = 1
    date: datetime | None = None
    number: int | None = None
    draft: bool = False
    summary: str | None = None
    lead: str | None = None
    preheader: str | None = None
    image: str | None = None
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    language: str | None = None
    url: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Teaser:
    """What a neighbour shows of itself: plain text, an absolute URL, an absolute image URL."""

    title: str
    summary: str
    url: str
    image: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An Article in its place in the series; the teasers are None at the ends."""

    article: Article
    url: str
    previous: Teaser | None = None
    next: Teaser | None = None
