"""Callouts, quotations and pull quotes -> one-cell tables.

Enters: the tree of an article: python-markdown's admonitions, quotations, GitHub's alerts. Leaves:
the same tree in tables, because Word pads nothing but cells (composition 2.49). Refuses to know
colours.
"""

from __future__ import annotations

import re

from lxml import etree

from newsletter.compose import tree
from newsletter.compose.strings import Strings

Element = etree._Element

# What a callout looks like, by its kind; every other kind looks like a note.
LOOKS = {
    **dict.fromkeys(("tip", "hint", "success", "important"), "tip"),
    **dict.fromkeys(
        ("warning", "caution", "danger", "error", "attention", "failure", "bug"), "warning"
    ),
}
# GitHub's alerts, `[!NOTE]`, and Obsidian's, which may name any kind, fold, and have a title.
ALERT = re.compile(r"\s*\[!([A-Za-z][\w-]*)\][+-]?[ \t]*([^\n]*)\n?")
PULLED = frozenset({"pull", "pullquote", "pull-quote", "epigraph"})
# Admonitions that are quotations.
QUOTING = PULLED | {"quote", "cite"}
# A line that begins with a dash says whose words they were.
SOURCE = re.compile(r"(?:^|\n)[ \t]*(?=[–—―])")


def shape_callouts(root: Element, strings: Strings) -> None:
    """Change the tree in place."""
    for part in list(root.iter("div", "blockquote")):
        if part.tag == "blockquote":
            _shape_alert(part, strings)
        elif "admonition" in tree.classes(part):
            _shape_admonition(part, strings)
    for part in list(root.iter("blockquote")):
        _shape_quotation(part)


def _shape_admonition(part: Element, strings: Strings) -> None:
    kind = next((name for name in tree.classes(part) if name != "admonition"), "note")
    title = next((p for p in part if "admonition-title" in tree.classes(p)), None)
    # python-markdown's own title is the kind in English.
    if title is not None and tree.words(title).strip().lower() == kind.lower():
        tree.set_words(title, strings.name_callout(kind))
        if kind in QUOTING:
            tree.drop(title)
    if kind in QUOTING:
        part.tag = "blockquote"
        tree.set_classes(part, (kind,))
        return
    _shape_callout(part, kind, title)


def _shape_alert(quote: Element, strings: Strings) -> None:
    """A quotation that begins with a mark is a callout."""
    first = next(iter(quote), None)
    match = ALERT.match(first.text or "") if first is not None and first.tag == "p" else None
    if first is None or match is None:
        return
    kind, said = match.group(1).lower(), match.group(2).strip()
    if said and "\n" not in match.group() and len(first) and first[0].tag != "br":
        # The title goes on in an element: all of it stays a sentence of the body.
        said, first.text = "", (first.text or "")[match.start(2) :]
    else:
        first.text = (first.text or "")[match.end() :]
    if len(first) and first[0].tag == "br" and not first.text:
        tree.drop(first[0])
    if len(first) == 0 and tree.is_blank(first.text):
        tree.drop(first)
    if kind in QUOTING:
        tree.set_classes(quote, (kind,))
        return
    _shape_callout(quote, kind, tree.element("p", said or strings.name_callout(kind)))


def _shape_callout(part: Element, kind: str, title: Element | None) -> None:
    table, cell = tree.one_cell(f"callout callout-{LOOKS.get(kind, 'note')}")
    if title is not None:
        label = etree.SubElement(cell, "p", {"class": "callout-title"})
        tree.move(title, etree.SubElement(label, "strong"))
        tree.drop(title)
    tree.move(part, cell)
    tree.replace(part, table)


def _shape_quotation(quote: Element) -> None:
    """A cell carries the line beside it; `{.pull}` makes it a pull quote."""
    names = {name for part in (quote, *quote.iterchildren("p")) for name in tree.classes(part)}
    for part in (quote, *quote.iterchildren("p")):
        tree.set_classes(part, (name for name in tree.classes(part) if name not in QUOTING))
    _part_source(quote)
    table, cell = tree.one_cell("quote pull" if names & PULLED else "quote")
    tree.wrap(quote, table, cell)


def _part_source(quote: Element) -> None:
    """Whose words they were, as a paragraph of its own."""
    last = quote[-1] if len(quote) else None
    if last is None or last.tag != "p":
        return
    if SOURCE.match(last.text or "") and len(quote) > 1:
        tree.set_classes(last, (*tree.classes(last), "source"))
        return
    source = tree.split(last, SOURCE)
    if source is not None:
        source.set("class", "source")
