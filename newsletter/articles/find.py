"""What a person types -> the article they mean.

Enters: an Archive, a name, the time. Leaves: one Article, or an error that lists what was
possible. Never guesses: an ambiguous name is refused.
"""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path, PurePath

from newsletter.articles.archive import SUFFIXES, Archive, published
from newsletter.articles.naming import FileName, read_name
from newsletter.errors import AmbiguousIssue, ArticleError, NoSuchIssue
from newsletter.model import Article

NUMBER = re.compile(r"#?0*([0-9]{1,9})")
SHOWN = 8


def find(archive: Archive, name: str, now: datetime) -> Article:
    """The article called `name`: `latest`, `draft`, a slug, a path, a number, or the beginning of
    one slug or file name. Raises NoSuchIssue, AmbiguousIssue, or the error of the file that is
    meant but cannot be read."""
    wanted = unicodedata.normalize("NFC", name.strip())
    if wanted == "latest":
        return _latest(archive, now)
    if wanted == "draft":
        return _newest(archive, [article for article in archive.articles if article.draft], "draft")
    for answers in _questions(wanted):
        found = [article for article in archive.articles if answers(article)]
        if len(found) == 1:
            return found[0]
        if found:
            raise _ambiguous(name, found)
    raise _broken(archive, wanted) or _unknown(archive, name)


def _questions(wanted: str) -> Iterable[Callable[[Article], bool]]:
    """What to ask of every article, the surest first."""
    number = NUMBER.fullmatch(wanted)
    start = wanted.casefold()
    yield lambda article: article.slug == wanted
    yield lambda article: is_path(wanted, article.path, article.folder)
    if number:
        yield lambda article: article.number == int(number[1])
    yield lambda article: wanted in (stem_of(article.path), article.path.name)
    if start and not wanted.startswith("#"):
        yield (
            lambda article: (
                article.slug.casefold().startswith(start)
                or stem_of(article.path).casefold().startswith(start)
            )
        )


def stem_of(path: PurePath) -> str:
    """The file name without suffix; of a bundle the folder's name."""
    bundle = path.stem == "index" and len(path.parts) > 1
    return unicodedata.normalize("NFC", path.parent.name if bundle else path.stem)


def is_path(typed: str, path: PurePath, folder: Path | None = None) -> bool:
    """Whether `typed` names the file `path` (or its bundle): absolute, or any end of the path, so
    that it works from the root, from inside the issues folder, and with leading `../`."""
    if "\0" in typed or not ({"/", os.sep} & {*typed} or typed.lower().endswith(SUFFIXES)):
        return False
    absolute = typed.startswith(("/", os.sep)) or PurePath(typed).is_absolute()
    if absolute and folder is not None:
        real = os.path.realpath(typed)
        return real in (os.path.realpath(folder / path.name), _bundle_folder(path, folder))
    parts = tuple(part for part in PurePath(os.path.normpath(typed)).parts if part != "..")
    whole = path.parts
    if absolute:
        return parts[-len(whole) :] == whole
    return bool(parts) and (
        _ends(whole, parts) or (path.stem == "index" and _ends(whole[:-1], parts))
    )


def _bundle_folder(path: PurePath, folder: Path) -> str | None:
    return os.path.realpath(folder) if path.stem == "index" else None


def _ends(whole: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    return whole[-len(parts) :] == parts


def _latest(archive: Archive, now: datetime) -> Article:
    """The newest published article. Raises the error of an unreadable file whose name says that
    it is newer: `send latest` must not take the one before for it."""
    article = _newest(archive, published(archive, now), "published issue")
    for error in archive.errors:
        name = _name_in(error)
        if name.day and article.date and article.date.date() < name.day <= now.date():
            raise error
        if name.number and article.number and not article.date and name.number > article.number:
            raise error
    return article


def _newest(archive: Archive, articles: Iterable[Article], kind: str) -> Article:
    newest = next(reversed([*articles]), None)
    if newest is not None:
        return newest
    if archive.errors:
        raise archive.errors[-1]
    raise NoSuchIssue(f"there is no {kind}", hint='start one: newsletter new "TITLE"')


def _name_in(error: ArticleError) -> FileName:
    return read_name(PurePath(error.path or ""))


def _broken(archive: Archive, wanted: str) -> ArticleError | None:
    """The error of the file that `wanted` names, by path, number, or the name of the file."""
    number = NUMBER.fullmatch(wanted)
    for error in archive.errors:
        path, name = PurePath(error.path or ""), _name_in(error)
        names = (stem_of(path), path.name, name.slug, name.stem)
        numbered = number and name.number == int(number[1])
        if is_path(wanted, path) or wanted in names or numbered:
            return error
    begun = [e for e in archive.errors if stem_of(PurePath(e.path or "")).startswith(wanted)]
    return begun[0] if len(begun) == 1 and wanted else None


def _ambiguous(name: str, found: list[Article]) -> AmbiguousIssue:
    listed = ", ".join(article.slug for article in found[:SHOWN])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return AmbiguousIssue(f"`{name}` may be {len(found)} issues", hint=f"one of: {listed}{more}")


def _unknown(archive: Archive, name: str) -> NoSuchIssue:
    names = [n for a in archive.articles for n in (a.slug, stem_of(a.path))]
    near = difflib.get_close_matches(name, dict.fromkeys(names), n=3, cutoff=0.5)
    if near:
        hint = "did you mean " + " or ".join(f"`{candidate}`" for candidate in near) + "?"
    elif names:
        hint = "newsletter list shows every issue"
    else:
        hint = 'there is none yet: newsletter new "TITLE"'
    return NoSuchIssue(f"there is no issue `{name}`", hint=hint)
