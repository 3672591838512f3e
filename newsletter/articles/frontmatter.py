"""The text of a file -> its front matter, dialect told apart, and its body.

Enters: a Source. Leaves: entries with their lines, and Markdown with the line it starts on. What
a key means, what the file is called and what the Markdown says are other modules' business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from newsletter.articles.entries import Block, Dialect, Entry
from newsletter.articles.plain_block import (
    NIKOLA_LINE,
    PELICAN_LINE,
    once_each,
    read_nikola,
    read_pelican,
)
from newsletter.articles.source import Source
from newsletter.articles.typed_block import read_json, read_toml
from newsletter.articles.yaml_block import read_yaml

MAX_FRONT_MATTER = 64_000  # bytes; deliverability 7.23

BLANK_LINES = re.compile(r"(?:[ \t]*\n)*+")
YAML_END = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
TOML_END = re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE)
JSON_START = re.compile(r"\{[ \t\n]*[\"}]")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")

# An article without front matter may begin "Note: ..."; a Pelican block has one of these.
PELICAN_KEYS = frozenset(("title", "date", "slug", "subject"))


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands above the body. `body` has no blank lines at its start; its first line is line
    `body_line` of the file."""

    dialect: Dialect
    entries: tuple[Entry, ...]
    body: str
    body_line: int


def split(source: Source) -> FrontMatter:
    """The front matter and body of the text. Raises ArticleError."""
    start = _skip_blank(source.text, 0)
    head = source.text[start : start + 200].partition("\n")[0].rstrip()
    front: FrontMatter | None = None
    if head in FENCED:
        front = _fenced(source, start)
    elif head.startswith("{") and JSON_START.match(source.text, start):
        front = _json(source, start)
    elif head.startswith("<!--"):
        front = _nikola_comment(source, start)
    elif NIKOLA_LINE.match(head):
        front = _nikola_bare(source, start)
    elif PELICAN_LINE.match(head):
        front = _pelican(source, start)
    return front or _rest(source, Dialect.NONE, (), start)


FENCED: dict[str, tuple[Dialect, re.Pattern[str], Callable[[Block], Iterable[Entry]]]] = {
    "---": (Dialect.YAML, YAML_END, read_yaml),
    "+++": (Dialect.TOML, TOML_END, read_toml),
}


def _fenced(source: Source, start: int) -> FrontMatter:
    dialect, closing, read = FENCED[source.text[start : start + 3]]
    fence = source.text[start : start + 3]
    inside = _next_line(source.text, start)
    end = closing.search(source.text, inside)
    if end is None:
        raise source.error(
            f"the front matter opened by {fence} is never closed",
            _line_at(source, start),
            f"end it with a line of {fence}",
        )
    block = _block(source, inside, end.start())
    return _rest(source, dialect, read(block), end.end() + 1)


def _json(source: Source, start: int) -> FrontMatter:
    block = _block(source, start, min(len(source.text), start + 2 * MAX_FRONT_MATTER), check=False)
    entries, end = read_json(block)
    _block(source, start, start + end)
    return _rest(source, Dialect.JSON, entries, start + end)


def _nikola_comment(source: Source, start: int) -> FrontMatter | None:
    end = source.text.find("-->", start)
    if end < 0:
        return None
    inside = start + len("<!--")
    if not any(map(NIKOLA_LINE.match, map(str.strip, source.text[inside:end].split("\n")))):
        return None
    block = _block(source, inside, end)
    entries = once_each(block, read_nikola(block))
    return _rest(source, Dialect.NIKOLA, entries, end + len("-->"))


def _nikola_bare(source: Source, start: int) -> FrontMatter:
    taken = 0
    for line in source.text[start:].split("\n"):
        if not NIKOLA_LINE.match(line.rstrip()):
            break
        taken += 1
    end = _offset_after(source.text, start, taken)
    block = _block(source, start, end)
    return _rest(source, Dialect.NIKOLA, once_each(block, read_nikola(block)), end)


def _pelican(source: Source, start: int) -> FrontMatter | None:
    first_part = source.text[start : start + MAX_FRONT_MATTER + 1]
    entries, taken = read_pelican(Block(source, first_part, _line_at(source, start)))
    if PELICAN_KEYS.isdisjoint(entry.key.lower() for entry in entries):
        return None
    end = _offset_after(source.text, start, taken)
    block = _block(source, start, end)
    return _rest(source, Dialect.PELICAN, once_each(block, entries), end)


def _rest(source: Source, dialect: Dialect, entries: Iterable[Entry], end: int) -> FrontMatter:
    start = _skip_blank(source.text, min(end, len(source.text)))
    line = _line_at(source, start)
    return FrontMatter(dialect, tuple(entries), source.text[start:], line)


def _block(source: Source, start: int, end: int, *, check: bool = True) -> Block:
    """The text between two offsets as a Block. Raises ArticleError when it is too long or holds
    control characters, which no dialect has a use for."""
    text, line = source.text[start:end], _line_at(source, start)
    if not check:
        return Block(source, text, line)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_FRONT_MATTER:
        raise source.error(
            "the front matter is larger than 64 kB", line, "is its closing line missing?"
        )
    bad = CONTROL.search(text)
    if bad:
        raise source.error(
            f"the front matter holds the control character U+{ord(bad[0]):04X}",
            line + text.count("\n", 0, bad.start()),
            "remove it",
        )
    return Block(source, text, line)


def _skip_blank(text: str, offset: int) -> int:
    found = BLANK_LINES.match(text, offset)
    return found.end() if found else offset


def _next_line(text: str, offset: int) -> int:
    end = text.find("\n", offset)
    return len(text) if end < 0 else end + 1


def _offset_after(text: str, start: int, lines: int) -> int:
    for _ in range(lines):
        start = _next_line(text, start)
    return start


def _line_at(source: Source, offset: int) -> int:
    return source.text.count("\n", 0, offset) + 1
