"""Conditional comments, which only Word's engine reads: `<!--[if mso]>...<![endif]-->`.

Enters: a document as typed. Leaves: the document as that engine takes it. Works on the text, since
for a parser all of it is a comment.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import eq, ge, gt, le, lt

# Outlook 2016 and everything after it call themselves 16.
MSO_VERSION = 16.0
_REVEALED = re.compile(
    r"<!--\[if\s+([^\]]*)\]>\s*<!--\s*(?:--)?>(.*?)<!--\s*<!\[endif\]\s*-->",
    re.DOTALL | re.IGNORECASE,
)
_REVEALED_BARE = re.compile(r"<!\[if\s+([^\]]*)\]>(.*?)<!\[endif\]>", re.DOTALL | re.IGNORECASE)
_HIDDEN = re.compile(r"<!--\[if\s+([^\]]*)\]>(.*?)<!\[endif\]\s*-->", re.DOTALL | re.IGNORECASE)
_TOKEN = re.compile(r"\s*([()&|!]|[A-Za-z]+|[0-9.]+)")
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "lt": lt,
    "lte": le,
    "gt": gt,
    "gte": ge,
    "eq": eq,
}
_FEATURES = {"mso": MSO_VERSION, "vml": 1.0}


def as_word_reads(document: str) -> str:
    """The document with what is meant for Word shown, and what is hidden from it gone."""
    for pattern in (_REVEALED, _HIDDEN, _REVEALED_BARE):
        document = pattern.sub(_chosen, document)
    return document


def holds_in_word(condition: str) -> bool:
    """Whether `mso`, `!mso`, `(gte mso 9)|(IE)` ... holds in Outlook for Windows; an expression
    that is none does not."""
    return _Reading(condition).whole()


def _chosen(match: re.Match[str]) -> str:
    return match[2] if holds_in_word(match[1]) else ""


class _Reading:
    """Recursive descent over one condition: or, and, not, comparison, parentheses."""

    def __init__(self, condition: str) -> None:
        self.tokens = [match[1].lower() for match in _TOKEN.finditer(condition)][:64]

    def whole(self) -> bool:
        held = self.either()
        return held and not self.tokens

    def either(self) -> bool:
        held = self.both()
        while self.taken("|"):
            other = self.both()
            held = held or other
        return held

    def both(self) -> bool:
        held = self.one()
        while self.taken("&"):
            other = self.one()
            held = held and other
        return held

    def one(self) -> bool:
        if self.taken("!"):
            return not self.one()
        if self.taken("("):
            held = self.either()
            self.taken(")")
            return held
        word = self.tokens.pop(0) if self.tokens else ""
        if word in _COMPARISONS:
            feature, number = (self.tokens.pop(0) if self.tokens else "" for _ in range(2))
            return feature in _FEATURES and _compare(word, _FEATURES[feature], number)
        if word in _FEATURES and self.tokens and self.tokens[0][0].isdigit():
            return _compare("eq", _FEATURES[word], self.tokens.pop(0))
        return word in _FEATURES or word == "true"

    def taken(self, token: str) -> bool:
        found = bool(self.tokens) and self.tokens[0] == token
        if found:
            self.tokens.pop(0)
        return found


def _compare(word: str, version: float, number: str) -> bool:
    try:
        return _COMPARISONS[word](version, float(number))
    except ValueError:
        return False
