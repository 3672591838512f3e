"""Where the bytes of a mail's HTML go, since Gmail clips it at 102 kB (composition 1).

Enters: the HTML as a reader gets it. Leaves: its stretches by kind, which joined are the HTML
again, and what each kind weighs. Works on the text: a parser would mend what it counts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from newsletter.lint.page import INVISIBLE

_PIECE = re.compile(
    r"(?P<comment><!--.*?(?:-->|\Z))"
    r"|(?P<style><style\b.*?(?:</style\s*>|\Z))"
    r"|(?P<tag><[A-Za-z/!?][^<>]*>)"
    r"|(?P<text>[^<]+|<)",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"\s+([\w:-]+)(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")
_PADDING = re.compile(f"(?:(?:{INVISIBLE.pattern}|&(?:shy|zwnj|zwj|#8199|#847);)[ \u00a0]?)+")
_HEAD_ENDS = re.compile(r"<body\b", re.IGNORECASE)


class Kind(StrEnum):
    """What a stretch of HTML is for; the values are words for people."""

    STYLE_ATTRIBUTE = "style attributes"
    STYLE_BLOCK = "style blocks"
    CLASS = "classes"
    ADDRESS = "addresses"
    ATTRIBUTE = "other attributes"
    TAG = "tags"
    HEAD = "head"
    WORD_ONLY = "for Outlook only"
    PADDING = "preheader padding"
    TEXT = "text"


_BY_NAME = {
    "style": Kind.STYLE_ATTRIBUTE,
    "class": Kind.CLASS,
    "id": Kind.CLASS,
    **dict.fromkeys(("href", "src", "srcset", "background", "action"), Kind.ADDRESS),
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the source, as it stands."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Share:
    """What one kind weighs: bytes of UTF-8, and the part of the whole from 0 to 1."""

    kind: Kind
    octets: int
    part: float


def shares(html: str) -> tuple[Share, ...]:
    """The kinds that occur, the heaviest first; they add up to the size of the HTML."""
    weights: Counter[Kind] = Counter()
    for stretch in stretches(html):
        weights[stretch.kind] += len(stretch.text.encode("utf-8", "surrogatepass"))
    total = weights.total() or 1
    return tuple(Share(kind, octets, octets / total) for kind, octets in weights.most_common())


def stretches(html: str) -> Iterator[Stretch]:
    """The HTML in stretches of one kind, neighbours of the same kind joined, in order."""
    waiting: Stretch | None = None
    for found in _stretches(html):
        if waiting is not None and waiting.kind is found.kind:
            waiting = Stretch(found.kind, waiting.text + found.text)
            continue
        if waiting is not None:
            yield waiting
        waiting = found
    if waiting is not None:
        yield waiting


def _stretches(html: str) -> Iterator[Stretch]:
    body = _HEAD_ENDS.search(html)
    head_end = body.start() if body else 0
    for piece in _PIECE.finditer(html):
        text = piece[0]
        if piece["comment"]:
            yield Stretch(Kind.WORD_ONLY if text.startswith("<!--[if") else Kind.TAG, text)
        elif piece["style"]:
            yield Stretch(Kind.STYLE_BLOCK, text)
        elif piece.start() < head_end:
            yield Stretch(Kind.HEAD, text)
        elif piece["tag"]:
            yield from _of_tag(text)
        else:
            yield from _of_text(text)


def _of_tag(tag: str) -> Iterator[Stretch]:
    end = 0
    for attribute in _ATTRIBUTE.finditer(tag):
        if attribute.start() > end:
            yield Stretch(Kind.TAG, tag[end : attribute.start()])
        kind = _BY_NAME.get(attribute[1].lower(), Kind.ATTRIBUTE)
        yield Stretch(kind, attribute[0])
        end = attribute.end()
    if end < len(tag):
        yield Stretch(Kind.TAG, tag[end:])


def _of_text(text: str) -> Iterator[Stretch]:
    end = 0
    for padding in _PADDING.finditer(text):
        if padding.start() > end:
            yield Stretch(Kind.TEXT, text[end : padding.start()])
        yield Stretch(Kind.PADDING, padding[0])
        end = padding.end()
    if end < len(text):
        yield Stretch(Kind.TEXT, text[end:])
