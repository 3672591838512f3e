"""The mail as a client shows it that darkens light mails by itself. An approximation: see
`lint.inversion` for the recipe and its source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from lxml import etree

from newsletter.lint import colour
from newsletter.lint.colour import BLACK, LINK, WHITE, Colour
from newsletter.lint.css import Declaration, StyleRule
from newsletter.lint.inversion import MIDDLE, inverted_ground, inverted_ink, lch_of
from newsletter.lint.page import tree_of
from newsletter.preview.lenses.document import (
    drop,
    elements,
    named,
    put_style,
    restyle,
    restyle_sheets,
    written,
)

GROUNDS = frozenset(("background", "background-color"))
_BORDERS = tuple(
    f"border{side}{what}"
    for side in ("", "-top", "-right", "-bottom", "-left")
    for what in ("", "-color")
)
LINES = frozenset(("outline", "outline-color", *_BORDERS))
INKS = frozenset(("color", "text-decoration", "text-decoration-color"))


def _turned_line(line: Colour) -> Colour:
    """A line contrasts with its ground as before: both ways, or light hairlines would glare."""
    return inverted_ground(line) if lch_of(line).lightness > MIDDLE else inverted_ink(line)


_ATTRIBUTES: dict[str, Callable[[Colour], Colour]] = {
    "bgcolor": inverted_ground,
    "color": inverted_ink,
    "text": inverted_ink,
    "link": inverted_ink,
    "bordercolor": _turned_line,
}


def inverted(document: str) -> str:
    """The document with every colour of text and lines, and every colour of a ground, turned over
    by itself. The mail's own dark rules are dropped: these clients do not read them. Pictures stay
    as they are."""
    root = tree_of(document)
    restyle(root, lambda _, said: _turned(said))
    restyle_sheets(root, _turned_rule)
    for element in elements(root):
        _turn_attributes(element)
    for meta in named(root, "meta"):
        if meta.get("name", "").lower() in ("color-scheme", "supported-color-schemes"):
            drop(meta)
    ground, ink, link = inverted_ground(WHITE), inverted_ink(BLACK), inverted_ink(LINK)
    put_style(
        root,
        ":root{color-scheme:only light}"
        f"html,body{{background-color:{ground};color:{ink}}}a{{color:{link}}}",
    )
    return written(root)


def _turned(declarations: Iterable[Declaration]) -> Iterator[Declaration]:
    for declaration in declarations:
        name, value, important = declaration
        if name in GROUNDS:
            yield Declaration(name, colour.repainted(value, inverted_ground), important)
        elif name in LINES:
            yield Declaration(name, colour.repainted(value, _turned_line), important)
        elif name in INKS:
            yield Declaration(name, colour.repainted(value, inverted_ink), important)
        elif name not in ("color-scheme", "supported-color-schemes"):
            yield declaration


def _turned_rule(rule: StyleRule) -> StyleRule | None:
    """The rule turned over; None for the mail's own dark rules."""
    within = " ".join(rule.within).replace(" ", "")
    if "prefers-color-scheme:dark" in within or "[data-ogs" in rule.selector:
        return None
    return replace(rule, declarations=tuple(_turned(rule.declarations)))


def _turn_attributes(element: etree._Element) -> None:
    for name, turn in _ATTRIBUTES.items():
        typed = element.get(name)
        found = colour.parse(typed) if typed else None
        if found is not None:
            element.set(name, str(turn(found)))
