"""Where the links of an article lead, seen from a mail.

Enters: a destination as the author wrote it. Leaves: an absolute https, http, mailto or tel
address. A mail has no page of its own, so whatever is relative starts at the issue's page on the
web. Looks whether a linked file exists; opens no connection.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path, PurePosixPath
from typing import NoReturn
from urllib.parse import quote, unquote, urljoin, urlsplit

from newsletter.compose.images import FROM_CONTENT, locate, media_path, media_url
from newsletter.errors import ComposeError
from newsletter.model import Article, Issue, Letter

SCHEMES = frozenset({"http", "https", "mailto", "tel"})
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# What a browser ignores inside of an address, and so hides `java\nscript:`.
IGNORED = re.compile(r"[\t\n\r]")
AROUND = "".join(map(chr, range(33)))
ARTICLES = frozenset({".md", ".markdown", ".mkd", ".mdown"})
DATED = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})-(?P<rest>.+)")
SLUG = re.compile(r"^(?:\.\. )?slug[ \t]*[:=][ \t]*[\"']?([\w.-]+)[\"']?[ \t]*$", re.I | re.M)
HEAD = 4096


def resolve(href: str, issue: Issue, letter: Letter) -> str:
    """The absolute address. Raises ComposeError for one that no mail may carry."""
    href = IGNORED.sub("", href.strip(AROUND))
    if href in {"", "#"}:
        _refuse("link-empty", "a link leads nowhere", "give it a destination, or drop it")
    scheme = SCHEME.match(href)
    if scheme:
        return _absolute(href, scheme.group(1).lower())
    if href.startswith("//"):
        return _absolute(f"https:{href}", "https")
    if href.startswith("#"):
        return issue.url.partition("#")[0] + href
    return _local(href, issue, letter)


def _absolute(href: str, scheme: str) -> str:
    if scheme not in SCHEMES:
        message = f"a link with {scheme}: cannot be in a mail"
        _refuse("link-scheme", message, "https, http, mailto and tel can")
    try:
        parts = urlsplit(href)
        host = parts.hostname
    except ValueError as error:
        raise ComposeError(f"{href} is no address: {error}", code="link-broken") from error
    if scheme in {"http", "https"} and not host:
        _refuse("link-broken", f"{href} names no host", "write https://host/path")
    return href


def _local(href: str, issue: Issue, letter: Letter) -> str:
    path, mark, fragment = href.partition("#")
    from_content = FROM_CONTENT.match(path)
    suffix = Path(unquote(path.partition("?")[0])).suffix.lower()
    if suffix in ARTICLES:
        return _other_issue(path, issue.article, letter) + mark + fragment
    try:
        file = locate(issue.article, letter, path)
    except ComposeError as error:
        if from_content or error.code == "image-outside":
            message = error.message
            raise ComposeError(message, code="link-missing", hint=error.hint) from error
        return _joined(issue.url, href)
    url = media_url(letter, file)
    if media_path(letter, url.removeprefix(letter.base_url)) is None:
        return _joined(issue.url, href)
    return url + mark + fragment


def _other_issue(path: str, article: Article, letter: Letter) -> str:
    """The page of another article of this publication, by its file: the permalink of its slug,
    which is the one it declares, or its name."""
    try:
        file = locate(article, letter, path)
    except ComposeError as error:
        hint = _did_you_mean(path, article, letter)
        raise ComposeError(error.message, code="link-missing", hint=hint) from error
    stem = file.parent.name if file.stem == "index" else file.stem
    dated = DATED.fullmatch(stem)
    words = dated.groupdict() if dated else {"rest": stem}
    with file.open(encoding="utf-8", errors="replace") as opened:
        declared = SLUG.search(opened.read(HEAD))
    words["slug"] = quote(declared.group(1) if declared else words["rest"], safe="")
    try:
        return letter.base_url + letter.permalink.format(**words)
    except (KeyError, ValueError, IndexError) as error:
        raise ComposeError(
            f"the page of {file.name} cannot be told from its name",
            code="link-missing",
            hint="link to the issue's page on the web",
        ) from error


def _did_you_mean(path: str, article: Article, letter: Letter) -> str:
    """The article whose file is called most like that, as a link would name it."""
    files = (file for file in letter.issues.rglob("*") if file.suffix.lower() in ARTICLES)
    by_name = {file.name: file for file in files}
    wanted = PurePosixPath(unquote(path)).name
    for near in difflib.get_close_matches(wanted, sorted(by_name), n=1):
        said = Path(os.path.relpath(by_name[near].resolve(), article.folder.resolve())).as_posix()
        return f"did you mean `{said}`?"
    return "name an article's file as it lies from here, or link to its page on the web"


def _joined(base: str, href: str) -> str:
    try:
        return urljoin(base, href)
    except ValueError as error:
        raise ComposeError(f"{href} is no address: {error}", code="link-broken") from error


def _refuse(code: str, message: str, hint: str) -> NoReturn:
    raise ComposeError(message, code=code, hint=hint)
