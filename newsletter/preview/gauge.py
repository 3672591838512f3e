"""How near a mail is to the size at which Gmail clips it, and what weighs most in it.

Enters: the HTML as a reader gets it. Leaves: its weight, and its heaviest blocks with their words.
Counts decoded UTF-8 bytes, as the check `size-clip` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from newsletter.lint.page import is_layout, squeeze, tree_of, words_in
from newsletter.lint.size import CLIPPED, NEARLY_CLIPPED

BLOCKS = frozenset(("p", "ul", "ol", "table", "pre", "blockquote", "h1", "h2", "h3", "h4"))
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the mail: its tag, its first words, its weight in bytes."""

    tag: str
    words: str
    size: int


@dataclass(frozen=True, slots=True)
class Gauge:
    """The weight of the HTML in bytes, whose mail was weighed, and what to cut first."""

    size: int
    reader: str
    heaviest: tuple[Block, ...]

    @property
    def level(self) -> str:
        """ok, high or clipped."""
        if self.size > CLIPPED:
            return "clipped"
        return "high" if self.size > NEARLY_CLIPPED else "ok"

    @property
    def limit(self) -> int:
        return CLIPPED

    @property
    def percent(self) -> int:
        return round(100 * self.size / CLIPPED)


def weigh(document: str, reader: str) -> Gauge:
    """The gauge of one reader's mail."""
    blocks = sorted(_blocks(tree_of(document)), key=lambda block: -block.size)
    return Gauge(len(document.encode("utf-8", "replace")), reader, tuple(blocks[:SHOWN]))


def _blocks(root: etree._Element) -> Iterator[Block]:
    """The outermost blocks that are not the layout's own tables."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        for child in element:
            if not isinstance(child.tag, str):
                continue
            if child.tag in BLOCKS and not is_layout(child):
                size = len(etree.tostring(child, encoding="utf-8", with_tail=False, method="html"))
                yield Block(child.tag, squeeze(words_in(child))[:60], size)
            else:
                waiting.append(child)
