"""What the links of issues answer, as findings with file and line: `newsletter check --links`.

An address that holds a slot is somebody's own, and following one that unsubscribes might do it:
neither is ever asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.cli.boundary import Desk
from newsletter.cli.judging import Bench, policy_of
from newsletter.errors import NewsletterError
from newsletter.linkcheck import KINDS, Outside, Survey, Verdict
from newsletter.lint.page import read_page
from newsletter.lint.places import Places
from newsletter.lint.policy import ignored_by
from newsletter.model import Article, Email, Problem
from newsletter.shelf import Shelf
from newsletter.slots import TOKEN

CACHE = "links.json"
# Whatever a link does that says so, a program must not do it.
UNSUBSCRIBES = re.compile(
    r"unsub|opt-?out|list-manage|abmeld|abbestell|desinscri|d[eé]sabonn|desuscri|disiscri|afmeld",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An address in an issue and the words of its link, to find the place again."""

    article: Article
    url: str
    words: str


def survey_of(desk: Desk, outside: Outside) -> Survey:
    """Visits that remember what they saw in the publication's state folder."""
    return Survey(outside, desk.state / CACHE, desk.now)


def link_findings(bench: Bench, articles: Sequence[Article], survey: Survey) -> list[Problem]:
    """What is wrong with the links of these issues, as the publication judges it; one visit for an
    address they share. Issues that cannot be composed have no links yet, and are a finding of
    `of_issues`."""
    asked = {article.path: _asked_of(bench.shelf, article) for article in articles}
    verdicts = survey.of(each.url for found in asked.values() for each in found)
    problems: list[Problem] = []
    for article in articles:
        places = Places(bench.shelf.letter, article)
        found = [
            _problem(each, verdicts[each.url], places)
            for each in asked[article.path]
            if verdicts[each.url].code
        ]
        problems += policy_of(bench.desk.config).judge(found, ignored_by(article))
    return problems


def _asked_of(shelf: Shelf, article: Article) -> list[Asked]:
    try:
        email = shelf.compose(article).email
    except NewsletterError:
        return []
    first = {each.url: each for each in reversed([*_addresses(email, article)])}
    return list(reversed(first.values()))


def _addresses(email: Email, article: Article) -> Iterator[Asked]:
    """The pages that are linked to and the pictures from elsewhere, but not the issue's own page,
    which is published with it."""
    page = read_page(email.html)
    links = [(link.href, link.words) for link in page.links]
    pictures = [(image.get("src", ""), image.get("alt", "")) for image in page.named("img")]
    for address, words in (*links, *pictures):
        url = address.strip()
        if may_be_asked(url) and url.partition("#")[0] != email.url:
            yield Asked(article, url, words)


def may_be_asked(url: str) -> bool:
    """Whether asking for it does nothing to anybody."""
    if not url.lower().startswith(("http://", "https://")) or TOKEN.search(url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False  # link-broken says so
    return not UNSUBSCRIBES.search(f"{parts.netloc}{parts.path}?{parts.query}")


def _problem(asked: Asked, verdict: Verdict, places: Places) -> Problem:
    kind = KINDS[verdict.code]
    path, line = places.find((asked.url, asked.words))
    return Problem(
        path=path,
        line=line,
        severity=kind.severity,
        code=verdict.code,
        message=f"{asked.url}: {verdict.seen}{_ago(verdict.age_s)}",
        hint=kind.remedy,
    )


def _ago(seconds: int) -> str:
    if seconds < 60:
        return ""
    minutes = seconds // 60
    return f" ({minutes} min ago)" if minutes < 60 else f" ({minutes // 60} h ago)"
