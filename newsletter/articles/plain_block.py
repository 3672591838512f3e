"""Pelican's `Key: value` and Nikola's `.. key: value` -> entries.

Neither has quoting or types: a value is the rest of its line. Pelican's continuation lines are
indented. Keys are case-insensitive in both, so `Title` and `title` are the same key twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from newsletter.articles.entries import Block, Entry, first_of_two

# python-markdown's meta extension, which Pelican uses, accepts up to three blanks before the key
# and none after the colon; `https://...` as a first line is no key.
PELICAN_LINE = re.compile(r" {0,3}([A-Za-z0-9_-]+):(?!//)[ \t]*(.*)")
NIKOLA_LINE = re.compile(r"\.\.[ \t]+([A-Za-z0-9_-]+):(?:[ \t]+(.*))?$")


def read_pelican(block: Block) -> tuple[list[Entry], int]:
    """The entries at the start of the block, and how many lines they take. As in Pelican, the
    first line that is neither `Key: value` nor indented ends them."""
    entries: list[Entry] = []
    taken = 0
    for line in block.text.split("\n"):
        found = PELICAN_LINE.match(line)
        if found:
            entries.append(Entry(found[1], found[2].strip() or None, block.line + taken))
        elif line[:1] in (" ", "\t") and line.strip() and entries:
            last = entries[-1]
            value = f"{last.value} {line.strip()}" if last.value else line.strip()
            entries[-1] = replace(last, value=value)
        else:
            break
        taken += 1
    return entries, taken


def read_nikola(block: Block) -> Iterator[Entry]:
    """The entries of all lines that are `.. key: value`; Nikola passes over the others."""
    for number, line in enumerate(block.text.split("\n"), block.line):
        found = NIKOLA_LINE.match(line.strip())
        if found:
            yield Entry(found[1], (found[2] or "").strip() or None, number)


def once_each(block: Block, entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries, when no key stands twice. Raises ArticleError."""
    seen: dict[str, Entry] = {}
    for entry in entries:
        first = seen.setdefault(entry.key.lower(), entry)
        if first is not entry:
            raise first_of_two(block, entry.key, first.line, entry.line)
    return tuple(seen.values())
