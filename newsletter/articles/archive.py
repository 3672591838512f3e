"""The issues folder -> every article in order.

Enters: a Letter. Leaves: an Archive; a bad file spoils only itself. Links that lead out of the
folder are refused (deliverability 7.22), links that stay inside are a second name for a file that
is read anyway and are passed over.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePath
from typing import TypeAlias

from newsletter.articles.naming import natural
from newsletter.articles.reading import Place, Reading, read
from newsletter.articles.source import load
from newsletter.errors import ArticleError
from newsletter.model import Article, Letter, Problem, Severity

SUFFIXES = (".md", ".markdown")
# Section pages of Hugo and Zola, and what a repository says of itself.
NO_ARTICLES = frozenset(("readme", "_index", "license", "contributing", "code_of_conduct"))
MAX_FOLDERS = 40

Order: TypeAlias = tuple[bool, float, bool, int, tuple[tuple[int, int, str], ...]]


@dataclass(frozen=True, slots=True)
class Archive:
    """Every article, drafts included, by date, then number, then file name; those without a date
    stand before all others. `errors` holds one error per file that is not among them."""

    articles: tuple[Article, ...] = ()
    errors: tuple[ArticleError, ...] = ()
    warnings: tuple[Problem, ...] = ()


def read_archive(letter: Letter) -> Archive:
    """All articles of the publication. A missing folder is an empty archive with a warning."""
    if not letter.issues.is_dir():
        return Archive(warnings=(_no_folder(letter),))
    readings: list[Reading] = []
    errors: list[ArticleError] = []
    for found in _walk(letter):
        try:
            if isinstance(found, ArticleError):
                raise found
            readings.append(_read(found, letter))
        except ArticleError as error:
            errors.append(error)
    readings.sort(key=_claim)
    named, clashes, shared = _name_apart(readings)
    named.sort(key=lambda reading: order(reading.article))
    warnings = [problem for reading in named for problem in reading.problems]
    return Archive(
        articles=tuple(reading.article for reading in named),
        errors=tuple(sorted((*errors, *clashes), key=lambda error: natural(error.where))),
        warnings=(*warnings, *shared),
    )


def read_article(path: Path, letter: Letter) -> Article:
    """The article in one file, `path` absolute or relative to the publication's root. Raises
    ArticleError, also for a file that lies outside the issues folder once links are followed."""
    if "\0" in str(path):
        raise ArticleError("no such file", path=str(path).replace("\0", "?"))
    named = letter.root / path
    shown = _shown(named, letter)
    real, home = Path(os.path.realpath(named)), Path(os.path.realpath(letter.issues))
    if not real.is_relative_to(home):
        raise ArticleError("leads out of the issues folder", path=shown)
    if not real.exists():
        raise ArticleError("no such file", path=shown)
    inside = real.relative_to(home)
    return _read(Place(inside, shown, (letter.issues / inside).parent), letter).article


def _read(place: Place, letter: Letter) -> Reading:
    return read(load(place.folder / place.inside.name, place.shown), place, letter)


def _shown(path: Path, letter: Letter) -> Path:
    """The path relative to the publication's root."""
    return Path(os.path.relpath(path, letter.root))


def _no_folder(letter: Letter) -> Problem:
    return Problem(
        path=_shown(letter.issues, letter),
        line=None,
        severity=Severity.WARNING,
        code="issues-missing",
        message="there is no such folder",
        hint='newsletter new "TITLE" makes it, or set `issues` in [letter]',
    )


# --- the walk ---


def _walk(letter: Letter) -> Iterator[Place | ArticleError]:
    """Every article's place, or what is wrong with a link or folder."""
    shown, home = _shown(letter.issues, letter), os.path.realpath(letter.issues)
    waiting = [PurePath()]
    while waiting:
        inside = waiting.pop()
        folder = letter.issues / inside
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            yield ArticleError(f"cannot be read: {error.strerror}", path=shown / inside)
            continue
        for entry in entries:
            name, path = entry.name, inside / entry.name
            if name.startswith("."):
                continue
            if entry.is_symlink():
                yield from _refused(entry, home, shown / path)
            elif entry.is_dir():
                if len(path.parts) < MAX_FOLDERS:
                    waiting.append(path)
            elif _is_article(name):
                yield Place(path, shown / path, folder)


def _is_article(name: str) -> bool:
    start = name.lower().partition(".")[0]
    return name.lower().endswith(SUFFIXES) and start not in NO_ARTICLES


def _refused(entry: os.DirEntry[str], home: str, shown: Path) -> Iterator[ArticleError]:
    """The error for a link that leads out, or nowhere; nothing for one that stays inside."""
    if not entry.is_dir() and not _is_article(entry.name):
        return
    real = os.path.realpath(entry.path)
    if real != home and not real.startswith(home + os.sep):
        yield ArticleError(
            "is a link that leads out of the issues folder",
            path=shown,
            hint="put the file itself here",
        )
    elif not Path(real).exists():
        yield ArticleError("is a link that leads nowhere", path=shown)


# --- order and names ---


def order(article: Article) -> Order:
    """The sort key of the series."""
    return (
        article.date is not None,
        article.date.timestamp() if article.date else 0.0,
        article.number is None,
        article.number or 0,
        natural(article.path.as_posix()),
    )


def _claim(reading: Reading) -> tuple[tuple[bool, float], int, Order]:
    """The sort key of who may keep a slug: the earliest, without dates the one nearest to the
    top of the folder."""
    place = order(reading.article)
    return place[:2], len(reading.place.inside.parts), place


def _name_apart(
    readings: Sequence[Reading],
) -> tuple[list[Reading], list[ArticleError], list[Problem]]:
    """The readings with a slug each, the errors for those that cannot have one, and a warning for
    every slug that several file names would give.

    The earliest article keeps the name, so a new one does not rename what was sent before.
    """
    owners: dict[str, Article] = {}
    for reading in readings:  # a slug that was written goes before one that was derived
        if reading.slug_line is not None:
            owners.setdefault(reading.article.slug.casefold(), reading.article)
    named: list[Reading] = []
    clashes: list[ArticleError] = []
    shared: dict[str, list[Article]] = {}
    for reading in readings:
        article = reading.article
        wanted = article.slug.casefold()
        owner = owners.setdefault(wanted, article)
        if owner is article:
            named.append(reading)
            continue
        free = next((slug for slug in reading.other_slugs() if slug.casefold() not in owners), None)
        if free is None:
            clashes.append(_clash(reading, owner))
            continue
        renamed = replace(article, slug=free)
        owners[free.casefold()] = renamed
        shared.setdefault(wanted, [owner]).append(renamed)
        named.append(replace(reading, article=renamed))
    return named, clashes, [_shared(articles) for articles in shared.values()]


def _clash(reading: Reading, owner: Article) -> ArticleError:
    return ArticleError(
        f"the slug `{reading.article.slug}` is taken by {owner.path}",
        path=reading.article.path,
        line=reading.slug_line,
        hint="write another  slug:  in the front matter",
    )


def _shared(articles: Sequence[Article]) -> Problem:
    first, second, *more = articles
    others = f" and {len(more)} more" if more else ""
    return Problem(
        path=second.path,
        line=None,
        severity=Severity.WARNING,
        code="slug-shared",
        message=f"the slug `{first.slug}` is taken by {first.path}: "
        f"this is `{second.slug}`{others}",
        hint="write  slug:  in the front matter to choose yourself",
    )


def published(archive: Archive, now: datetime) -> tuple[Article, ...]:
    """The articles that are out, in order: no drafts, nothing from the future. `now` is aware."""
    return tuple(
        article
        for article in archive.articles
        if not article.draft and (article.date is None or article.date <= now)
    )


def neighbours(
    articles: Sequence[Article], article: Article
) -> tuple[Article | None, Article | None]:
    """The older and the newer one of `article` among `articles`, which are in order. An article
    that is not among them (a draft, or of the future) stands where its order puts it."""
    at = bisect_left(articles, order(article), key=order)
    present = at < len(articles) and articles[at].path == article.path
    older = articles[at - 1] if at > 0 else None
    newer = next(iter(articles[at + present : at + present + 1]), None)
    return older, newer
