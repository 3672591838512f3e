"""The nouns a template may use, and nothing else.

Enters: an Issue and its Letter. Leaves: plain text, numbers and tuples of them. Refuses to show a
template the nouns themselves: a Path in a sandbox still opens files (deliverability 7.7), and a
relay or a subscriber has no business in one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from lxml import etree
from markupsafe import Markup, escape

from newsletter.compose.looks import Shown, thumbnail
from newsletter.compose.strings import Strings, direction, strings_for
from newsletter.compose.text_wrap import WIDTH, columns, wrap
from newsletter.compose.tree import parse
from newsletter.model import Issue, Letter, Teaser

SNIPPET_CHARACTERS = 200
# Composition 2.66: a figure space, a joiner without width and a space, to push the article's first
# words out of the inbox's preview line.
SNIPPET_FILLER = "\u2007\u034f "
# Composition 2.47: Word breaks a cell that is taller than a page and leaves a gap.
BLOCKS_PER_ROW = 10
# The gutter between two cards, in CSS pixels, and a little for rounding.
BETWEEN_CARDS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterNoun:
    """What a template sees of the publication."""

    name: str
    base_url: str
    language: str
    sender_name: str
    sender_address: str
    postal_address: str
    list_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueNoun:
    """What a template sees of the issue. `date` is written out in the letter's language and zone,
    empty when the article has none; `iso_date` is the same day as 2026-11-22."""

    title: str
    slug: str
    number: int | None
    date: str
    iso_date: str
    url: str
    tags: tuple[str, ...]
    authors: tuple[str, ...]
    extra: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Card:
    """A neighbour as the mail shows it; `side` is previous or next, the arrow points that way. The
    thumbnail is None unless the theme wants them."""

    side: str
    label: str
    teaser: Teaser
    arrow: str
    thumbnail: Shown | None


def language_of(issue: Issue, letter: Letter) -> str:
    """The article's own language, else the letter's."""
    return issue.article.language or letter.language


def letter_noun(letter: Letter) -> LetterNoun:
    """The publication without its folders."""
    return LetterNoun(
        name=letter.name,
        base_url=letter.base_url,
        language=letter.language,
        sender_name=letter.sender.name,
        sender_address=letter.sender.address,
        postal_address=letter.postal_address,
        list_id=letter.list_id,
    )


def issue_noun(issue: Issue, letter: Letter, strings: Strings) -> IssueNoun:
    """The issue without its files."""
    article = issue.article
    day = article.date.astimezone(letter.timezone).date() if article.date else None
    return IssueNoun(
        title=article.title,
        slug=article.slug,
        number=article.number,
        date=strings.write_date(day) if day else "",
        iso_date=day.isoformat() if day else "",
        url=issue.url,
        tags=article.tags,
        authors=article.authors,
        extra=article.extra,
    )


def cards(issue: Issue, letter: Letter) -> tuple[Card, ...]:
    """The neighbours with their labels, previous first in both directions of writing; none, one
    or two."""
    labels, language = letter.labels, language_of(issue, letter)
    strings = strings_for(language)
    older, newer = issue.previous, issue.next
    before, after = (newer, older) if labels.swapped else (older, newer)
    arrows = ("←", "→") if direction(language) == "ltr" else ("→", "←")
    pair = (
        ("previous", labels.previous or strings.previous_issue, before, arrows[0]),
        ("next", labels.next or strings.next_issue, after, arrows[1]),
    )
    room = letter.theme.measure // 2 - BETWEEN_CARDS
    return tuple(
        Card(side, label, teaser, arrow, thumbnail(letter, teaser.image, room))
        for side, label, teaser, arrow in pair
        if teaser
    )


def snippet_padding(preheader: str) -> str:
    """Invisible characters that fill the inbox's preview line up after the preheader."""
    missing = max(0, SNIPPET_CHARACTERS - len(preheader))
    return (SNIPPET_FILLER * math.ceil(missing / 2)).rstrip(" ")


def rows(fragment: str) -> tuple[Markup, ...]:
    """The article cut into table rows: a new one at each h2, and at a paragraph once a row has
    BLOCKS_PER_ROW blocks. Conditional comments may span blocks, so such an article stays whole."""
    if "<!--[" in fragment or "<![" in fragment:
        return (Markup(fragment),)  # noqa: S704 - the article's HTML is the markup stage's product
    root = parse(fragment)
    cut: list[list[str]] = [[str(escape(root.text or ""))]]
    for block in root:
        full = len(cut[-1]) >= BLOCKS_PER_ROW
        if block.tag == "h2" or (block.tag == "p" and full):
            cut.append([])
        cut[-1].append(etree.tostring(block, method="html", encoding="unicode"))
    return tuple(Markup("".join(row)) for row in cut if "".join(row).strip())  # noqa: S704


@pass_eval_context
def named(context: EvalContext, sentence: str, **values: str) -> str:
    """The sentence with each `{name}` filled. Not str.format: that reaches attributes."""
    if not context.autoescape:
        return re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), sentence)
    filled = re.sub(r"\{(\w+)\}", lambda match: escape(values[match[1]]), str(escape(sentence)))
    return Markup(filled)  # noqa: S704 - every part was escaped


def wrapped(text: str, indent: str = "") -> str:
    """Plain text on one paragraph's lines, folded at 72 columns of the screen."""
    return wrap(" ".join(text.split()), WIDTH, indent)


def underlined(text: str, mark: str = "=") -> str:
    """Plain text folded, with a rule below as wide as its widest line."""
    folded = wrapped(text)
    return f"{folded}\n{mark * max(columns(line) for line in folded.splitlines() or ['-'])}"
