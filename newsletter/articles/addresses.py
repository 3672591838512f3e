"""Where an article is read on the web."""

from __future__ import annotations

from urllib.parse import quote

from newsletter.model import Article, Letter

# What RFC 3986 3.3 allows in a path, and "%" because an author's path may be encoded already.
IN_PATH = "/-._~!$&'()*+,;=:@%"


def issue_url(article: Article, letter: Letter) -> str:
    """The page of the article: its own `url` (absolute, or from the root), else the permalink.

    A permalink that asks for a number or date the article does not have is `/{slug}/`. Everything
    is percent-encoded as UTF-8.
    """
    own = article.url or ""
    if own.startswith(("https://", "http://")):
        return own
    if own.startswith("/") and not own.startswith("//"):
        path, mark, query = own.partition("?")
        return letter.base_url + quote(path, safe=IN_PATH) + mark + query
    return letter.base_url + _path(article, letter)


def _path(article: Article, letter: Letter) -> str:
    slug = quote(article.slug, safe="")
    date = article.date.astimezone(letter.timezone) if article.date else None
    asks = letter.permalink
    undated = date is None and any(part in asks for part in ("{year}", "{month}", "{day}"))
    if undated or (article.number is None and "{number}" in asks):
        asks = "/{slug}/"
    path = asks.format(
        slug=slug,
        number=article.number,
        year=f"{date.year:04d}" if date else "",
        month=f"{date.month:02d}" if date else "",
        day=f"{date.day:02d}" if date else "",
    )
    return path if path.startswith("/") else f"/{path}"
