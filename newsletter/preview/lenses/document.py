"""A mail's HTML taken apart and put together again, for the lenses.

Enters: the tree of a whole document (`lint.page.tree_of`). Leaves: the tree changed, and a document
again. Comments stay, so that what is meant for Word alone is still there afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import TypeAlias

from lxml import etree

from newsletter.lint import css
from newsletter.lint.css import Declaration, StyleRule
from newsletter.lint.page import words_in

_BACKGROUNDS = ("background", "background-image")
_URL = re.compile(r"url\([^)]*\)", re.IGNORECASE)

Declarations: TypeAlias = Iterable[Declaration]


def written(root: etree._Element) -> str:
    """The tree as a document, with the doctype that keeps browsers out of quirks mode."""
    text = etree.tostring(root, method="html", encoding="unicode", with_tail=False)
    return f"<!DOCTYPE html>\n{text}"


def elements(root: etree._Element) -> Iterator[etree._Element]:
    """Every element in order, comments left out. The tree may be changed meanwhile."""
    return iter(list(root.iter(etree.Element)))


def named(root: etree._Element, *tags: str) -> Iterator[etree._Element]:
    """Every element of these names. The tree may be changed meanwhile."""
    return iter(list(root.iter(*tags)))


def drop(element: etree._Element) -> None:
    """Take the element out; what follows it stays."""
    parent, tail = element.getparent(), element.tail
    if parent is None:
        return
    _append_text(element.getprevious(), parent, tail)
    parent.remove(element)


def unwrap(element: etree._Element) -> None:
    """Take the tags off; what is between them stays."""
    parent = element.getparent()
    if parent is None:
        return
    place = parent.index(element)
    inside = list(element)
    before = parent[place - 1] if place else None
    _append_text(before, parent, element.text)
    for number, child in enumerate(inside):
        parent.insert(place + number, child)
    last = parent[place + len(inside) - 1] if place + len(inside) else None
    _append_text(last, parent, element.tail)
    element.tail = None
    parent.remove(element)


def _append_text(before: etree._Element | None, parent: etree._Element, text: str | None) -> None:
    """Add text after an element, or at the beginning of its parent when there is none."""
    if text and before is not None:
        before.tail = (before.tail or "") + text
    elif text:
        parent.text = (parent.text or "") + text


def forget(element: etree._Element, *names: str) -> None:
    """Take the attributes off, where they are."""
    for name in names:
        if name in element.attrib:
            del element.attrib[name]


def head_of(root: etree._Element) -> etree._Element:
    """The head, made if there is none."""
    found = root.find("head")
    if found is None:
        found = etree.Element("head")
        root.insert(0, found)
    return found


def put_style(root: etree._Element, text: str) -> None:
    """Add a style block before all others, so that what the mail itself says wins."""
    style = etree.Element("style")
    style.text = text
    head_of(root).insert(0, style)


def restyle(
    root: etree._Element, change: Callable[[etree._Element, tuple[Declaration, ...]], Declarations]
) -> None:
    """Let `change` say what each style attribute declares."""
    for element in elements(root):
        typed = element.get("style")
        if typed is None:
            continue
        before = css.declarations(typed)
        after = tuple(change(element, before))
        if not after:
            del element.attrib["style"]
        elif after != before:
            element.set("style", "; ".join(map(declared, after)))


def restyle_sheets(root: etree._Element, change: Callable[[StyleRule], StyleRule | None]) -> None:
    """Let `change` say what each rule of the style blocks is, None for none at all."""
    for style in named(root, "style"):
        sheet = css.style_sheet(words_in(style))
        style.text = sheet_text(rule for rule in map(change, sheet.rules) if rule is not None)


def sheet_text(rules: Iterable[StyleRule]) -> str:
    """The rules as a style block. Comments and rules without declarations are gone."""
    return "\n".join(
        _within(list(within), list(group)) for within, group in groupby(rules, lambda r: r.within)
    )


def _within(within: list[str], rules: list[StyleRule]) -> str:
    if within and not rules[0].selector:
        return f"{within[-1]}{{{_body(rules[0])}}}"
    text = "\n".join(f"{rule.selector}{{{_body(rule)}}}" for rule in rules)
    for at_rule in reversed(within):
        text = f"{at_rule}{{\n{text}\n}}"
    return text


def _body(rule: StyleRule) -> str:
    return ";".join(map(declared, rule.declarations))


def declared(declaration: Declaration) -> str:
    """`color:#ffffff`, with `!important` when it is."""
    name, value, important = declaration
    return f"{name}:{value} !important" if important else f"{name}:{value}"


def without_pictures(declarations: Declarations) -> Iterator[Declaration]:
    """What is left of them without background pictures; a colour in the shorthand stays."""
    for declaration in declarations:
        name, value, important = declaration
        if name not in _BACKGROUNDS or "url(" not in value.lower():
            yield declaration
        elif name == "background" and _URL.sub("", value).strip():
            yield Declaration(name, _URL.sub("", value).strip(), important)
