"""Lines of text by display width.

In: plain text. Out: lines no wider than asked for, as a terminal counts columns. Refuses to know
HTML. URLs and slot tokens are never cut; text in Han and kana wraps between characters, and
right-to-left text stays in logical order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import wcwidth

from newsletter.slots import TOKEN

WIDTH = 72
LONGEST_LINE = 998  # bytes without the line end, RFC 5322 2.1.1
SLOT_WIDTH = 10  # about a first name: the value is not known when the line is cut

# A space where no line may end. NUL cannot come out of an HTML parser, so it cannot be content.
GLUE = "\0"

_BLANK = re.compile(r"[ \t\r\f\v\0]+")
_HAN_KANA = (
    "\u2e80-\u2fff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uff9d\U00020000-\U0003ffff"
)
_OPENING = "(\\[（「『【〔《〈〖〘｛［“‘｢"
_CLOSING = (
    "、。，．！？：；）」』】〕》〉〗〙｝］・ー々〻‥…ぁぃぅぇぉっゃゅょゎ゛゜ゝゞ"
    "ァィゥェォッャュョヮヵヶヽヾ｡｣､･ｰ”’!?,.;:)\\]}%"
    "\u0300-\u036f\u200d\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef"
)
# JIS X 4051 in small: no line starts with a closing sign or ends with an opening one.
_ATOM = re.compile(
    rf"[{_OPENING}]*(?:[a-z]+://|mailto:)\S+"
    rf"|[{_OPENING}]*(?:[{_HAN_KANA}]|(?:(?![a-z]+://)[^{_HAN_KANA}{_OPENING}{GLUE}])+)"
    rf"[{_CLOSING}]*(?:{GLUE}[^{_HAN_KANA}{GLUE}]+)*|[{_OPENING}{_CLOSING}{GLUE}]+"
)
_BREAKS_INSIDE = re.compile(rf"[{_HAN_KANA}]")
_INDIVISIBLE = re.compile(r"[a-z]+://\S+|xslot[0-9a-f]{12}x|\s|\S", re.DOTALL)


def columns(text: str) -> int:
    """How many terminal columns the text takes; a slot token counts as its likely value."""
    if "xslot" in text:
        text = TOKEN.sub("~" * SLOT_WIDTH, text)
    if text.isascii():
        return len(text)
    width = wcwidth.wcswidth(text)
    # wcswidth answers -1 for the whole string when it holds one control character.
    return width if width >= 0 else sum(max(wcwidth.wcwidth(char), 0) for char in text)


def wrap(text: str, width: int = WIDTH, indent: str = "") -> str:
    """The text with every line at most `width` columns, `indent` included and put before each
    line. Line ends in the text stay; runs of blanks become one space; a word that is wider than a
    line has a line of its own."""
    room = max(width - columns(indent), 1)
    lines = (
        line
        for paragraph in text.replace("\r\n", "\n").split("\n")
        for line in wrap_line(_BLANK.sub(" ", paragraph), room)
    )
    return "\n".join((indent + line).rstrip() for line in lines)


def wrap_line(text: str, width: int, *, hanging: int = 0) -> list[str]:
    """At least one line, the first at most `width` columns, the others `hanging` less. Only GLUE
    and U+0020 count as blanks."""
    if text.isascii() and len(text) <= width and "xslot" not in text:
        return [text.strip(" ").replace(GLUE, " ")]
    lines: list[str] = []
    line, used, room = "", 0, width
    for gap, atom in _atoms(text):
        size = columns(atom)
        if line and used + len(gap) + size > room:
            lines.append(line)
            line, used, room = atom, size, width - hanging
        else:
            line += (gap if line else "") + atom
            used += (len(gap) if used else 0) + size
    lines.append(line)
    return [line.replace(GLUE, " ") for line in lines]


def _atoms(text: str) -> Iterator[tuple[str, str]]:
    """What no line end may cut, each with the blank before it."""
    for word in text.split(" "):
        if not word:
            continue
        if word.isascii() or not _BREAKS_INSIDE.search(word):
            yield " ", word
            continue
        gap = " "
        for match in _ATOM.finditer(word):
            yield gap, match.group()
            gap = ""


def fold_octets(line: str, limit: int = LONGEST_LINE) -> list[str]:
    """The line cut so that no piece is longer than `limit` bytes of UTF-8.

    Only a URL that is longer by itself stays whole: cut it is dead, and quoted-printable folds it
    on the wire anyway (RFC 2045 6.7)."""
    if len(line) * 4 <= limit or len(line.encode()) <= limit:
        return [line]
    pieces, piece, size = [], "", 0
    for match in _INDIVISIBLE.finditer(line):
        part = match.group()
        octets = len(part.encode())
        if piece and size + octets > limit:
            pieces.append(piece)
            piece, size = "", 0
        piece += part
        size += octets
    return [*pieces, piece]
