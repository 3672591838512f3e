"""Typewriter's signs -> the quotation marks, apostrophes, dashes and dots of a language.

Enters: text, or a tree of HTML, and a language tag. Leaves: the same with “ ” for " ", ’ for ',
– for --, — for --- and … for three dots. Code, addresses on the web and signs behind a backslash
stay as typed. One set of rules for titles and bodies, so that they never differ.

python-markdown's smarty is not used: with French or German marks it takes the apostrophe for a
closing quotation mark (`l ›eau`, `geht‘s`), and it loses sight of a quotation at each element.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from newsletter.compose.text_inline import BLOCKS

APOSTROPHE = "’"
# Double left, right, single left, right (CLDR), where they are not the English ones.
LOW_HIGH = ("„", "“", "‚", "‘")
POINTED = ("«", "»", "“", "”")
RIGHT_ONLY = ("”", "”", "’", "’")
MARKS = {
    "ar": POINTED,
    "cs": LOW_HIGH,
    "de": LOW_HIGH,
    "de-ch": ("«", "»", "‹", "›"),
    "el": POINTED,
    "es": POINTED,
    "fi": RIGHT_ONLY,
    "fr": ("«\u202f", "\u202f»", "“", "”"),
    "fr-ch": ("«\u202f", "\u202f»", "‹\u202f", "\u202f›"),
    "hu": ("„", "”", "»", "«"),
    "it": POINTED,
    "nb": ("«", "»", "‘", "’"),
    "pl": ("„", "”", "«", "»"),
    "ro": ("„", "”", "«", "»"),
    "ru": ("«", "»", "„", "“"),
    "sk": LOW_HIGH,
    "sl": LOW_HIGH,
    "sv": RIGHT_ONLY,
    "uk": ("«", "»", "„", "“"),
}
ENGLISH = ("“", "”", "‘", "’")

# What a backslash protects, as the characters that stand for it until the signs are set.
PROTECTED = {'"': "\ufdd0", "'": "\ufdd1", "-": "\ufdd2", ".": "\ufdd3"}
_UNPROTECTED = {ord(stand_in): sign for sign, stand_in in PROTECTED.items()}
ESCAPED = re.compile(r"\\([\"'.-])")
SIGN = re.compile(
    r"(?P<verbatim>`[^`\n]+`|(?:https?://|www\.|mailto:)[^\s<>]+)"
    r"|(?P<dash>(?<!-)-{2,3}(?!-))|(?P<dots>(?<!\.)\.{3}(?!\.))|(?P<quote>[\"'])"
)
CONTRACTED = re.compile(r"(?:\d\d(?:s|er|ers|ern)?|n|em|til|tis|twas|cause|s|t|k)\b", re.I)
OPENERS = frozenset("([{<«‹„‚“‘»›”\"'/–—-¿¡\u202f\ufdd2")
# Stands for a picture or code in the middle of a sentence.
THING = "\ufffc"
UNTOUCHED = frozenset("code kbd listing pre samp script style textarea tt var xmp".split())  # noqa: SIM905


def smarten(text: str, language: str) -> str:
    """The line of plain text with the signs of the language. Code between backticks
    keeps them and its signs."""
    protected = ESCAPED.sub(lambda match: PROTECTED[match[1]], text)
    return _typeset(protected, _marks(language)).translate(_UNPROTECTED)


def smarten_tree(root: etree._Element, language: str) -> None:
    """Change the tree's texts in place; a quotation may begin and end in different elements of
    one paragraph."""
    marks, flow = _marks(language), _Flow([])
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, part in walk:
        is_block = part.tag in BLOCKS
        if is_block:
            flow.typeset(marks)
        if event == "end":
            flow.add(part, "tail")
        elif part.tag in UNTOUCHED:
            flow.say(THING)
            _unprotect(part)
            walk.skip_subtree()
        else:
            flow.say({"br": "\n", "img": THING}.get(str(part.tag), ""))
            flow.add(part, "text")
    flow.typeset(marks)
    for part in root.iter(etree.Element):
        _smarten_attributes(part, language)


def _unprotect(part: etree._Element) -> None:
    for inner in part.iter(etree.Element):
        inner.text = (inner.text or "").translate(_UNPROTECTED)
        if inner is not part:
            inner.tail = (inner.tail or "").translate(_UNPROTECTED)


def _smarten_attributes(part: etree._Element, language: str) -> None:
    for name, value in part.attrib.items():
        if part.tag in {"a", "abbr", "img"} and name in {"alt", "title"}:
            part.set(str(name), _typeset(str(value), _marks(language)).translate(_UNPROTECTED))
        elif any(stand_in in value for stand_in in PROTECTED.values()):
            part.set(str(name), str(value).translate(_UNPROTECTED))


@dataclass(slots=True)
class _Flow:
    """The texts of one paragraph in reading order; one without an element is there to be seen."""

    texts: list[tuple[etree._Element | None, str, str]]

    def say(self, text: str) -> None:
        if text:
            self.texts.append((None, "", text))

    def add(self, part: etree._Element, place: str) -> None:
        text = part.text if place == "text" else part.tail
        if text:
            self.texts.append((part, place, text))

    def typeset(self, marks: tuple[str, ...]) -> None:
        """Set the signs of all texts, seen as one, and forget them."""
        whole = "".join(text for _, _, text in self.texts)
        if SIGN.search(whole) or any(sign in whole for sign in PROTECTED.values()):
            pieces = list(_pieces(whole, marks))
            for part, place, text in self.texts:
                said = "".join(pieces[: len(text)]).translate(_UNPROTECTED)
                del pieces[: len(text)]
                if part is not None:
                    setattr(part, place, said)
        self.texts.clear()


def _marks(language: str) -> tuple[str, ...]:
    tag = language.lower().replace("_", "-")
    return MARKS.get(tag) or MARKS.get(tag.partition("-")[0], ENGLISH)


def _typeset(text: str, marks: tuple[str, ...]) -> str:
    return "".join(_pieces(text, marks))


def _pieces(text: str, marks: tuple[str, ...]) -> Iterable[str]:
    """For each character of the text what it becomes; the rest of a sign becomes nothing."""
    pieces, quotes = list(text), _Quotes(text, marks)
    for match in SIGN.finditer(text):
        start, end = match.span()
        if match["dash"] or match["dots"]:
            pieces[start] = "…" if match["dots"] else "–" if end - start == 2 else "—"
            pieces[start + 1 : end] = [""] * (end - start - 1)
        elif match["quote"]:
            pieces[start] = quotes.mark(start)
    return pieces


class _Quotes:
    """The quotations of one paragraph that are open while it is read."""

    def __init__(self, text: str, marks: tuple[str, ...]) -> None:
        self.text, self.marks = text, marks
        self.open = {'"': 0, "'": 0}

    def mark(self, place: int) -> str:
        """What the typewriter's quotation mark at that place becomes."""
        sign = self.text[place]
        before = self.text[place - 1] if place else " "
        after = self.text[place + 1] if place + 1 < len(self.text) else " "
        if sign == "'" and self._is_apostrophe(place, before, after):
            return APOSTROPHE
        starts = before.isspace() or before in OPENERS
        if not starts and self.open[sign]:
            return self._close(sign)
        if after.isspace():
            return self._lonely(sign, before)
        if starts or sign == '"':
            self.open[sign] += 1
            return self.marks[0 if sign == '"' else 2]
        return APOSTROPHE

    def _is_apostrophe(self, place: int, before: str, after: str) -> bool:
        if _is_word(before):
            return _is_word(after)
        match = CONTRACTED.match(self.text, place + 1)
        # Behind another mark a single letter is a quoted one.
        return match is not None and (before not in "'\"" or len(match[0]) > 1)

    def _close(self, sign: str) -> str:
        self.open[sign] -= 1
        return self.marks[1 if sign == '"' else 3]

    def _lonely(self, sign: str, before: str) -> str:
        """A mark with a blank behind it and nothing to close: inches, minutes, plurals."""
        if self.open[sign] and not before.isspace():
            return self._close(sign)
        return APOSTROPHE if sign == "'" and before.isalpha() else sign


def _is_word(character: str) -> bool:
    return character.isalnum() or character == THING
