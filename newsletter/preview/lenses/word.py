"""A sketch of Outlook for Windows, whose engine is Word.

What caniemail and composition section 2 (rules 17, 18, 27, 32, 33, 40, 41, 47) say that Word drops
is dropped; how Word breaks lines, paginates and draws VML is not imitated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from lxml import etree

from newsletter.lint import css
from newsletter.lint.css import Declaration, StyleRule
from newsletter.lint.page import tree_of, words_in
from newsletter.preview.lenses.conditional import as_word_reads
from newsletter.preview.lenses.document import (
    drop,
    named,
    put_style,
    restyle,
    restyle_sheets,
    without_pictures,
    written,
)

DROPPED = frozenset(
    (
        *("border-radius", "box-shadow", "text-shadow", "opacity", "transform", "transition"),
        *("max-width", "min-width", "max-height", "min-height", "object-fit", "box-sizing"),
        *("position", "top", "right", "bottom", "left", "z-index", "float", "clear", "overflow"),
        *("animation", "filter", "gap", "flex", "outline", "white-space", "word-wrap"),
        *("background-size", "background-position", "background-repeat", "word-break"),
    )
)
# Word knows width and height of cells, tables and pictures, those by their attributes.
_SIZED = frozenset(("table", "td", "th", "tr"))
_PADDED = frozenset(("td", "th"))
_MARGINLESS = frozenset(("table", "tbody", "tr", "td", "th", "div", "span", "a", "img", "body"))
_SHEET_SELECTOR = re.compile(r"[A-Za-z0-9_.#*-]+(?:\s+[A-Za-z0-9_.#*-]+)*")
_MODERN_PICTURE = re.compile(r"\.(?:webp|avif|svg)(?:$|[?#])", re.IGNORECASE)
WORD_FONTS = frozenset(
    (
        *("arial", "arial black", "calibri", "cambria", "candara", "comic sans ms", "consolas"),
        *("constantia", "corbel", "courier new", "georgia", "impact", "lucida console"),
        *("lucida sans unicode", "palatino linotype", "segoe ui", "sylfaen", "symbol", "tahoma"),
        *("times new roman", "trebuchet ms", "verdana", "webdings", "wingdings", "serif"),
        *("sans-serif", "monospace", "aptos", "garamond", "book antiqua", "century gothic"),
    )
)
FALLBACK_FONT = '"Times New Roman", serif'


def word_sketch(document: str) -> str:
    """The document with the branches for Word shown, those hidden from it gone, and without the
    styles that it does not know."""
    root = tree_of(as_word_reads(document))
    families = _web_fonts(root)

    def known(element: etree._Element, said: tuple[Declaration, ...]) -> Iterator[Declaration]:
        # Word ignores a declaration in an attribute that is marked important.
        kept = (part for part in said if not part.important)
        return _known(str(element.tag), kept, families)

    restyle(root, known)
    restyle_sheets(root, _rule_for_word(families))
    for element in list(root.iter("img", "svg", "video", "picture", "source", "form", "xml")):
        _replace(element)
    put_style(
        root,
        f"body,td,th,p,li,h1,h2,h3,h4,h5,h6{{font-family:{FALLBACK_FONT}}}"
        "ul,ol{padding:0}a{text-decoration:underline}",
    )
    return written(root)


def _web_fonts(root: etree._Element) -> frozenset[str]:
    """The families that the mail loads itself: Word takes Times in place of the whole stack."""
    sheets = (css.style_sheet(words_in(style)) for style in named(root, "style"))
    rules = (rule for sheet in sheets for rule in sheet.rules if not rule.selector)
    return frozenset(
        _name(part.value)
        for rule in rules
        for part in rule.declarations
        if part.name == "font-family"
    )


def _rule_for_word(families: frozenset[str]) -> Callable[[StyleRule], StyleRule | None]:
    def change(rule: StyleRule) -> StyleRule | None:
        kept = [each for each in rule.selectors if _SHEET_SELECTOR.fullmatch(each)]
        if rule.within or not kept:
            return None
        found = tuple(_known(_last_tag(kept[0]), rule.declarations, families))
        return replace(rule, selector=",".join(kept), declarations=found)

    return change


def _last_tag(selector: str) -> str:
    """The tag that a selector is about, "p" when it names none: the mildest guess."""
    return re.split(r"[.#]", selector.rsplit(maxsplit=1)[-1])[0].lower() or "p"


def _known(
    tag: str, declarations: Iterable[Declaration], families: frozenset[str]
) -> Iterator[Declaration]:
    """What of them Word applies to such an element."""
    for declaration in without_pictures(declarations):
        name, value, _ = declaration
        if name in DROPPED or _is_lost(tag, name, value):
            continue
        if name == "font-family":
            yield declaration._replace(value=_family(value, families))
        else:
            yield declaration


def _is_lost(tag: str, name: str, value: str) -> bool:
    if name == "display":
        return value.lower() not in ("none", "block", "inline")
    if name in ("width", "height"):
        return tag not in _SIZED
    if name.startswith("padding"):
        return tag not in _PADDED
    if name.startswith("margin"):
        return tag in _MARGINLESS or "-" in value or "auto" in value
    return "calc(" in value or "var(" in value or "gradient(" in value


def _family(stack: str, web_fonts: frozenset[str]) -> str:
    """The first family of the stack that Windows has; Times when the mail loads the first one."""
    names = [_name(each) for each in stack.split(",")]
    if names[0] in web_fonts:
        return FALLBACK_FONT
    found = next((name for name in names if name in WORD_FONTS), None)
    return (
        f'"{found}", {names[-1]}' if found and found not in names[-1:] else found or FALLBACK_FONT
    )


def _name(family: str) -> str:
    return family.strip().strip("'\"").strip().lower()


def _replace(element: etree._Element) -> None:
    """Pictures of kinds that Word cannot draw show their words; forms and films are gone."""
    if element.tag != "img":
        if element.tag in ("form", "picture"):
            return
        drop(element)
    elif _MODERN_PICTURE.search(element.get("src", "")):
        element.attrib.pop("src")
