"""Small changes to a tree of HTML, each leaving the words around it in place.

Enters and leaves: lxml elements. Refuses to know what the elements are for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml import etree

# libxml2 stops at NUL, UTF-8 has no surrogates, and one C1 character makes Gmail clip the mail
# (email-bugs 41, 140).
UNFIT = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

NAME = re.compile(r"[a-z][a-z0-9_-]*")


def parse(fragment: str) -> etree._Element:
    """One element that holds the whole fragment; comments and processing instructions are left
    out. Without huge_tree libxml2 drops what is nested deeper than 256 elements."""
    parser = etree.HTMLParser(
        encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True
    )
    source = UNFIT.sub("", fragment)
    document = etree.fromstring(f"<html><body><div>{source}</div></body></html>".encode(), parser)
    root = etree.Element("div")
    body = document.find("body")
    for number, part in enumerate([] if body is None else list(body)):
        root.append(part)
        if number == 0:
            unwrap(part)
    for part in root.iterdescendants():
        _drop_malformed(part)
    return root


def _drop_malformed(part: etree._Element) -> None:
    """Take away attributes whose names libxml2 reads but lxml cannot name: `<a href=x [b]>`."""
    names = list(map(str, part.attrib))
    if all(map(NAME.fullmatch, names)):
        return
    sound = {name: part.get(name, "") for name in names if NAME.fullmatch(name)}
    part.attrib.clear()
    for name, value in sound.items():
        part.set(name, value)


def serialize(root: etree._Element) -> str:
    """The HTML inside of the element."""
    whole = etree.tostring(root, method="html", encoding="unicode", with_tail=False)
    return UNFIT.sub("", whole[whole.index(">") + 1 :].removesuffix("</div>")).strip("\n")


def element(tag: str, text: str = "", /, **attributes: str) -> etree._Element:
    """A new element; a trailing underscore in an attribute's name is dropped."""
    made = etree.Element(tag)
    made.text = text
    for name, value in attributes.items():
        made.set(name.rstrip("_"), value)
    return made


def words(part: etree._Element) -> str:
    """The element's text without its tail."""
    return "".join(map(str, part.itertext()))


def is_blank(text: str | None) -> bool:
    return not (text or "").strip()


def drop(part: etree._Element) -> None:
    """Take the element out with all it holds; its tail stays."""
    parent = part.getparent()
    if parent is None:
        return
    _say_before(part, part.tail)
    parent.remove(part)


def unwrap(part: etree._Element) -> None:
    """Take the element out and leave what it holds."""
    parent = part.getparent()
    if parent is None:
        return
    place = parent.index(part)
    children = list(part)
    _say_before(part, part.text)
    if children:
        children[-1].tail = (children[-1].tail or "") + (part.tail or "") or None
    else:
        _say_before(part, part.tail)
    parent[place : place + 1] = children


def replace(part: etree._Element, other: etree._Element | str) -> None:
    """Put another element or words in the place of the element."""
    if isinstance(other, str):
        _say_before(part, other)
        drop(part)
        return
    other.tail, part.tail = part.tail, None
    parent = part.getparent()
    if parent is not None:
        parent.replace(part, other)


def wrap(part: etree._Element, outer: etree._Element, inner: etree._Element | None = None) -> None:
    """Put `outer` in the place of the element, and the element into `inner`, the innermost part
    of `outer` (itself by default)."""
    replace(part, outer)
    (outer if inner is None else inner).append(part)


def move(source: etree._Element, target: etree._Element) -> None:
    """Put all that `source` holds at the end of `target`."""
    say_last(target, source.text)
    target.extend(list(source))
    source.text = None


def set_words(part: etree._Element, text: str) -> None:
    """Put words in the place of all that the element holds."""
    for child in list(part):
        part.remove(child)
    part.text = text


def split(part: etree._Element, pattern: re.Pattern[str]) -> etree._Element | None:
    """Cut the element in two at the last match among its own words; the second half, which follows
    the first, or None where nothing matches. The words that matched are gone."""
    texts = [part.text, *(child.tail for child in part)]
    found = [(place, match) for place, text in enumerate(texts) for match in
             pattern.finditer(text or "") if place or match.start()]  # fmt: skip
    parent = part.getparent()
    if not found or parent is None:
        return None
    place, match = found[-1]
    rest = element(str(part.tag), match.string[match.end() :])
    rest.extend(list(part)[place:])
    if place:
        part[place - 1].tail = match.string[: match.start()]
    else:
        part.text = match.string[: match.start()]
    parent.insert(parent.index(part) + 1, rest)
    rest.tail, part.tail = part.tail, "\n"
    return rest


def tighten(item: etree._Element) -> None:
    """Unwrap an item's only paragraph, which doubles the margins in a loose list; several are
    named `item`."""
    paragraphs = [part for part in item if part.tag == "p"]
    if len(paragraphs) == 1:
        unwrap(paragraphs[0])
        return
    for part in paragraphs:
        set_classes(part, (*classes(part), "item"))


def put_anchor(part: etree._Element, name: str) -> None:
    """Put an `a[name]` before all that the element holds: Gmail and Word know no ids
    (composition 2.62)."""
    anchor = element("a", name=name)
    anchor.text, anchor.tail, part.text = None, part.text, None
    part.insert(0, anchor)


def say_last(part: etree._Element, text: str | None) -> None:
    """Put words behind all that the element holds."""
    if not text:
        return
    if len(part):
        part[-1].tail = (part[-1].tail or "") + text
    else:
        part.text = (part.text or "") + text


def classes(part: etree._Element) -> list[str]:
    return (part.get("class") or "").split()


def set_classes(part: etree._Element, names: Iterable[str]) -> None:
    joined = " ".join(dict.fromkeys(names))
    if joined:
        part.set("class", joined)
    else:
        take(part, "class")


def take(part: etree._Element, name: str) -> str | None:
    """The attribute's value, after taking the attribute away."""
    value = part.get(name)
    if value is not None:
        del part.attrib[name]
    return value


def default(part: etree._Element, name: str, value: str) -> None:
    """Set an attribute that the element does not have."""
    if part.get(name) is None:
        part.set(name, value)


def one_cell(kind: str, *, full_width: bool = True) -> tuple[etree._Element, etree._Element]:
    """A layout table and its only cell: Word pads nothing but cells (composition 2.40, 2.49)."""
    table = element(
        "table", class_=kind, role="presentation", border="0", cellpadding="0", cellspacing="0"
    )
    if full_width:
        table.set("width", "100%")
    cell = etree.SubElement(etree.SubElement(table, "tr"), "td")
    return table, cell


def _say_before(part: etree._Element, text: str | None) -> None:
    """Put words before the element."""
    if not text:
        return
    before, parent = part.getprevious(), part.getparent()
    if before is not None:
        before.tail = (before.tail or "") + text
    elif parent is not None:
        parent.text = (parent.text or "") + text
