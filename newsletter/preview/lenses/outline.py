"""The headings of a mail, as people who listen to it move through it."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from newsletter.lint.page import squeeze, tree_of, words_in
from newsletter.preview.lenses.document import named, written

_TAGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BADGE = (
    "position:absolute; right:0; top:-10px; z-index:9; padding:0 6px; border-radius:3px; "
    "background:{ground}; color:#ffffff; font:bold 11px/16px sans-serif; letter-spacing:0; "
    "white-space:nowrap"
)
_RIGHT, _WRONG = "#1f5f5b", "#b3261e"


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading. `fault` says what is wrong with its level, "" when nothing is (WCAG 1.3.1)."""

    level: int
    words: str
    fault: str = ""


def headings_in(document: str) -> tuple[Heading, ...]:
    """The headings in order."""
    return tuple(heading for _, heading in _headings(tree_of(document)))


def outlined(document: str) -> str:
    """The document with the level of each heading on it, in red where the order is broken."""
    root = tree_of(document)
    for element, heading in _headings(root):
        ground = _WRONG if heading.fault else _RIGHT
        badge = etree.Element("span", style=_BADGE.format(ground=ground))
        badge.text = f"h{heading.level}" + (f": {heading.fault}" if heading.fault else "")
        badge.tail, element.text = element.text, None
        element.insert(0, badge)
        frame = f"position:relative; outline:1px dashed {ground}; outline-offset:2px"
        element.set("style", "; ".join(filter(None, (element.get("style"), frame))))
    return written(root)


def _headings(root: etree._Element) -> list[tuple[etree._Element, Heading]]:
    found: list[tuple[etree._Element, Heading]] = []
    above = 0
    seen_first = False
    for element in named(root, *_TAGS):
        level = int(str(element.tag)[1])
        fault = ""
        if level == 1 and seen_first:
            fault = "a second h1"
        elif level > above + 1:
            fault = f"skips h{above + 1}"
        seen_first, above = seen_first or level == 1, level
        found.append((element, Heading(level, squeeze(words_in(element)), fault)))
    return found
