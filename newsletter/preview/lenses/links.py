"""Where the links of a mail lead: numbered in the mail, and as a list."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from newsletter.lint.page import squeeze, tree_of, words_in
from newsletter.preview.lenses.document import named, written

_ANCHOR = "position:relative; display:inline; line-height:0; font-size:0"
_BADGE = (
    "position:absolute; left:-13px; bottom:8px; z-index:9; min-width:14px; padding:0 4px; "
    "border-radius:9px; background:#b3261e; color:#ffffff; font:bold 10px/15px sans-serif; "
    "text-align:center; text-decoration:none; letter-spacing:0"
)


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One target: its number in the overlay, the address, and the words of every link to it."""

    number: int
    href: str
    words: tuple[str, ...]


def links_in(document: str) -> tuple[LinkRow, ...]:
    """The targets in the order in which they first come, each once."""
    said: dict[str, list[str]] = {}
    for link in _links(tree_of(document)):
        said.setdefault(link.get("href", ""), []).append(_words(link))
    return tuple(
        LinkRow(number, href, tuple(dict.fromkeys(words)))
        for number, (href, words) in enumerate(said.items(), 1)
    )


def linked(document: str) -> str:
    """The document with the number of its target on each link, as in `links_in`."""
    root = tree_of(document)
    numbers: dict[str, int] = {}
    for link in _links(root):
        number = numbers.setdefault(link.get("href", ""), len(numbers) + 1)
        anchor = etree.Element("span", style=_ANCHOR)
        badge = etree.SubElement(anchor, "span", style=_BADGE)
        badge.text = str(number)
        anchor.tail, link.text = link.text, None
        link.insert(0, anchor)
    return written(root)


def _links(root: etree._Element) -> list[etree._Element]:
    return [link for link in named(root, "a") if "href" in link.attrib]


def _words(link: etree._Element) -> str:
    """What a reader sees, else what a screen reader says of it."""
    alts = (image.get("alt", "") for image in link.iterdescendants("img"))
    return squeeze(words_in(link)) or squeeze(" ".join(alts)) or link.get("aria-label", "")
