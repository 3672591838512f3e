"""python-markdown's footnotes -> a titled list with anchors that Gmail and Word follow.

Enters: the tree of an article. Leaves: the same tree with h2.notes, ol.notes and marks that are
plain links in the text; no way back, since no phone follows one. Refuses to know languages.
"""

from __future__ import annotations

import re

from lxml import etree

from newsletter.compose import tree

Element = etree._Element


def shape_footnotes(root: Element, title: str) -> None:
    """Change the tree in place; `title` is the word above the notes."""
    names: dict[str, str] = {}
    for box in list(root.iter("div")):
        if "footnote" in tree.classes(box):
            _shape_notes(box, title, names)
    for mark in root.iter("a"):
        if "footnote-ref" in tree.classes(mark):
            tree.set_classes(mark, ())
            mark.set("href", names.get(mark.get("href", ""), "#"))


def is_note_link(part: Element) -> bool:
    """Whether the link leads to a footnote of this mail, the only anchors that stay inside."""
    parent = part.getparent()
    inside = re.fullmatch(r"#fn[0-9]+", part.get("href", "")) is not None
    return inside and parent is not None and parent.tag == "sup"


def _shape_notes(box: Element, title: str, names: dict[str, str]) -> None:
    notes = box.find("ol")
    if notes is None:
        return
    for back in [a for a in box.iter("a") if "footnote-backref" in tree.classes(a)]:
        _drop_back_link(back)
    for note in notes.iterchildren("li"):
        tree.tighten(note)
        name = f"fn{len(names) + 1}"
        names[f"#{note.get('id', name)}"] = f"#{name}"
        tree.take(note, "id")
        first = note.find("p")
        tree.put_anchor(note if first is None else first, name)
    for rule in box.findall("hr"):
        tree.drop(rule)
    notes.set("class", "notes")
    box.insert(box.index(notes), tree.element("h2", title, class_="notes"))
    tree.unwrap(box)


def _drop_back_link(back: Element) -> None:
    before, parent = back.getprevious(), back.getparent()
    tree.drop(back)
    if before is not None:
        before.tail = (before.tail or "").rstrip()
    elif parent is not None:
        parent.text = (parent.text or "").rstrip()
        if parent.tag == "p" and len(parent) == 0 and not parent.text:
            tree.drop(parent)
