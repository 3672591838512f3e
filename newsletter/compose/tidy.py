"""What is left to do once the CSS is inlined.

Enters: the tree of a document and the CSS it keeps. Leaves: the same tree without what no client
needs: class names and ids that the kept CSS does not name, presentational attributes where HTML
has none, white space that nobody sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from lxml import etree

# Of the five blanks that HTML collapses, the runs that are not one space or one line end already.
# Not \s: no-break and figure spaces are content.
BLANKS = re.compile(r"[ \t\n\r\f]{2,}|[\t\r\f]")
VERBATIM = frozenset({"pre", "textarea", "style", "script", "title"})
PRESERVING = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)", re.I)
# Between these, text that is only blanks is not rendered (HTML 4.9, 8.1.2.4).
SKELETON = frozenset({"html", "head", "table", "thead", "tbody", "tfoot", "tr", "colgroup"})

CELLS = frozenset({"td", "th"})
ROWS = frozenset({"tr", "thead", "tbody", "tfoot"}) | CELLS
ALLOWED = {
    "bgcolor": frozenset({"body", "table"}) | ROWS,
    "valign": ROWS | {"col", "colgroup"},
    "align": frozenset({"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "caption"})
    | ROWS
    | {"table", "col", "colgroup"},
}
ALIGNMENTS = frozenset({"left", "right", "center", "justify", "middle", "top", "bottom"})
AROUND_SIGNS = re.compile(r"\s*([:;,])\s*")
# In an address or a quoted name a blank may be meant.
QUOTING = re.compile(r"[\"'(]")
CLASS_OR_ID = re.compile(r"([.#])([A-Za-z_][\w-]*)")


def tidy(tree: etree._ElementTree, kept_css: str) -> None:
    """Change the tree in place."""
    _drop_names(tree, kept_css)
    _drop_attributes(tree)
    _shorten_styles(tree)
    _collapse(tree)


def _shorten_styles(tree: etree._ElementTree) -> None:
    """Take out the blanks that mean nothing: styles are half of a mail, and a tenth of them."""
    for element in tree.iter(etree.Element):
        style = element.get("style")
        if style:
            element.set("style", _shortened(style))


@lru_cache(maxsize=1024)  # a mail has some forty styles on four hundred elements
def _shortened(style: str) -> str:
    return style if QUOTING.search(style) else AROUND_SIGNS.sub(r"\1", style).strip("; ")


def _drop_names(tree: etree._ElementTree, kept_css: str) -> None:
    named = CLASS_OR_ID.findall(kept_css)
    classes = {name for sign, name in named if sign == "."}
    ids = {name for sign, name in named if sign == "#"} | set(_targets(tree))
    for element in tree.iter(etree.Element):
        worn = element.get("class")
        if worn is not None:
            needed = [name for name in worn.split() if name in classes]
            if needed:
                element.set("class", " ".join(needed))
            else:
                del element.attrib["class"]
        if "id" in element.attrib and element.get("id") not in ids:
            del element.attrib["id"]


def _targets(tree: etree._ElementTree) -> Iterator[str]:
    """The ids that something in the document points to."""
    for element in tree.iter(etree.Element):
        if element.get("href", "").startswith("#"):
            yield element.get("href", "")[1:]
        for attribute in ("for", "headers", "aria-labelledby", "aria-describedby"):
            yield from element.get(attribute, "").split()


def _drop_attributes(tree: etree._ElementTree) -> None:
    """premailer copies background-color, text-align and vertical-align into attributes, which
    Word needs on cells, on any element and with any value."""
    for element in tree.iter(etree.Element):
        for attribute, tags in ALLOWED.items():
            value = element.get(attribute)
            if value is None:
                continue
            known = attribute == "bgcolor" or value.lower() in ALIGNMENTS | {"baseline"}
            if element.tag not in tags or not known:
                del element.attrib[attribute]


def _collapse(tree: etree._ElementTree) -> None:
    verbatim: set[etree._Element] = set()
    for node in tree.iter():
        parent = node.getparent()
        if parent is not None and parent not in verbatim:
            node.tail = _shrink(node.tail, bare=parent.tag in SKELETON)
        if not isinstance(node.tag, str):
            continue
        if parent in verbatim or node.tag in VERBATIM or _preserves(node.get("style", "")):
            verbatim.add(node)
        else:
            node.text = _shrink(node.text, bare=node.tag in SKELETON)


@lru_cache(maxsize=1024)
def _preserves(style: str) -> bool:
    return PRESERVING.search(style) is not None


def _shrink(text: str | None, *, bare: bool) -> str | None:
    if not text:
        return text
    if bare and not text.strip(" \t\n\r\f"):
        return "\n" if "\n" in text else ""
    return BLANKS.sub(lambda run: "\n" if "\n" in run[0] else " ", text)
