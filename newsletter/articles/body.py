"""Markdown -> its H1, its lead, and the body without either's marks.

Offsets and line numbers are kept: what is removed leaves an empty line. Fenced code is never
looked into. Knows only as much Markdown as a first heading and a "more" mark need.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

# python-markdown also takes `#Title` for a heading (blockprocessors.HashHeaderProcessor).
H1 = re.compile(
    r"^ {0,3}#(?!#)[ \t]*+(?P<atx>\S[^\n]*)$"
    r"|^ {0,3}(?P<setext>[^\s#>\-*+=|`~<][^\n]*)\n {0,3}=+[ \t]*$",
    re.MULTILINE,
)
FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
# Hugo and Jekyll, Zola, Nikola (which may carry a link text), Docusaurus (and in MDX).
MORE = re.compile(
    r"(?<!`)(?:<!--[ \t]{0,9}(?:more|TEASER_END(?::[^\n>]{0,200}?)?|truncate)[ \t]{0,9}-->"
    r"|\{/\*[ \t]{0,9}truncate[ \t]{0,9}\*/\})(?!`)",
    re.IGNORECASE,
)
LONGEST_LINE = 2000  # of a title; the patterns below look back
BLANK_LINES = re.compile(r"(?:[ \t]*\n)*+")
INLINE = (
    (re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s[^()]*)?\)"), r"\1"),
    (re.compile(r"!?\[([^\[\]]*)\]\[[^\[\]]*\]"), r"\1"),
    (re.compile(r"</?[A-Za-z][^<>]*>"), ""),
    (re.compile(r"[ \t]\{[:#.][^{}]*\}$"), ""),
    (re.compile(r"`+([^`]+)`+"), r"\1"),
    (re.compile(r"(\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])([*_])(?=\S)(.+?)(?<=\S)\1(?![\w*])"), r"\2"),
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)
QUOTES = str.maketrans("\u2018\u2019\u201c\u201d\u2013\u2014\u00a0", "''\"\"-- ")


@dataclass(frozen=True, slots=True)
class Body:
    """Markdown whose first line is line `line` of the file."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Heading:
    """An H1: its words without markup, and the offsets of its source."""

    words: str
    start: int
    end: int


def first_heading(body: Body) -> tuple[Heading | None, bool]:
    """The first H1, and whether the article has no other or begins with it: only then it is the
    title of the whole and not of a section."""
    found = H1.finditer(mask_code(body.text))
    first = next(found, None)
    if first is None:
        return None, False
    whole = first.start() == _content_start(body.text) or next(found, None) is None
    return _heading(body.text, first), whole


def top_heading(body: Body) -> Heading | None:
    """The H1 that the body begins with; comments may stand before it."""
    found = H1.match(body.text, _content_start(body.text))
    return _heading(body.text, found) if found else None


def _heading(text: str, found: re.Match[str]) -> Heading:
    typed = text[slice(*found.span(found.lastgroup or 0))].rstrip()
    if found.lastgroup == "atx":
        bare = typed.rstrip("#")
        typed = bare.rstrip() if bare != typed and bare.endswith((" ", "\t")) else typed
    return Heading(plain(typed), found.start(), found.end())


def _content_start(text: str) -> int:
    """The offset of the line where something is said: after blank lines and comments."""
    offset = 0
    while True:
        blank = BLANK_LINES.match(text, offset)
        offset = blank.end() if blank else offset
        if not text.startswith("<!--", offset) or MORE.match(text, offset):
            return offset
        end = text.find("-->", offset)
        line_end = text.find("\n", end)
        if end < 0 or line_end < 0 or text[end + 3 : line_end].strip():
            return offset
        offset = line_end + 1


def without(body: Body, heading: Heading) -> Body:
    """The body without the heading, trimmed."""
    breaks = "\n" * body.text.count("\n", heading.start, heading.end)
    return trimmed(Body(body.text[: heading.start] + breaks + body.text[heading.end :], body.line))


def trimmed(body: Body) -> Body:
    """The body without blank lines at its start, its line number kept right."""
    blank = BLANK_LINES.match(body.text)
    end = blank.end() if blank else 0
    return Body(body.text[end:], body.line + body.text.count("\n", 0, end)) if end else body


def take_lead(body: Body, separator: str | None = None) -> tuple[str | None, Body]:
    """The Markdown before the first "more" mark (None without one) and the body without the mark.

    `separator` is Jekyll's excerpt_separator, a mark of the author's own.
    """
    span = _mark(body.text, separator)
    if span is None:
        return None, body
    start, end = span
    lead = body.text[:start].strip()
    breaks = "\n" * body.text.count("\n", start, end)
    return lead or None, trimmed(Body(body.text[:start] + breaks + body.text[end:], body.line))


def _mark(text: str, separator: str | None) -> tuple[int, int] | None:
    own = separator.strip() if separator else ""
    if not (own and own in text) and "<!--" not in text and "{/*" not in text:
        return None
    masked = mask_code(text)
    spans = [found.span() for found in MORE.finditer(masked) if not _indented(text, found.start())]
    if own and (at := masked.find(own)) >= 0:
        spans.append((at, at + len(own)))
    return min(spans, default=None)


def _indented(text: str, offset: int) -> bool:
    """Whether the offset follows only four blanks or a tab on its line: code, to Markdown."""
    before = text[text.rfind("\n", 0, offset) + 1 : offset]
    return not before.strip() and before.expandtabs(4).startswith("    ")


def mask_code(text: str) -> str:
    """The text with fenced code blotted out; offsets stay."""
    if "```" not in text and "~~~" not in text:
        return text
    parts: list[str] = []
    done, opened, fence = 0, 0, ""
    for found in FENCE.finditer(text):
        if not fence:
            # An info string with a backtick is inline code (CommonMark 4.5).
            if found[1][0] == "~" or "`" not in found[2]:
                fence, opened = found[1], found.start()
        elif found[1].startswith(fence) and not found[2].strip():
            parts += (text[done:opened], _blots(text[opened : found.end()]))
            done, fence = found.end(), ""
    if fence:
        parts += (text[done:opened], _blots(text[opened:]))
        done = len(text)
    return "".join((*parts, text[done:]))


def _blots(code: str) -> str:
    return "\n".join("\x00" * len(line) for line in code.split("\n"))


def plain(markdown: str) -> str:
    """One line of Markdown without its markup."""
    if len(markdown) > LONGEST_LINE:
        return " ".join(markdown.split())
    for pattern, kept in INLINE:
        markdown = pattern.sub(kept, markdown)
    return " ".join(html.unescape(markdown).split())


def same_words(one: str, other: str) -> bool:
    """Whether two titles read the same, whatever their case, quotes and dashes."""
    first, second = (plain(text).translate(QUOTES).casefold() for text in (one, other))
    return first == second
