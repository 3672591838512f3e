"""python-markdown's HTML -> HTML that mail programs show alike (composition 7b).

Enters: the tree of an article with nothing forbidden in it. Leaves: the same tree in the shapes
below, ready for the mail template. Refuses to know colours, sizes, addresses and files.

The vocabulary, for whoever writes the CSS. Plain tags: p h2-h6 ul ol li dl dt dd a strong em del
mark sub sup abbr code hr br, and whatever raw HTML the author wrote. Besides:

    table.data > thead > tr > th[scope=col][align]      a real table; cells have align and valign;
               > tbody > tr > td[align]                 a first column of th[scope=row] is possible
    table.callout.callout-note|-tip|-warning > tr > td > p.callout-title > strong, then blocks
    table.quote > tr > td > blockquote                  the cell carries the line on the left
    table.quote.pull > tr > td > blockquote             a pull quote: > ... {.pull}, !!! pull
               blockquote > p.source                    its last line, begun with a dash
    table.code > tr > td > pre > span.k|.s|.n|.c        keyword, string, number, comment
               td > pre, p.more > a                     a long block is cut: the rest is online
    table.button > tr > td > a                          [text](url){.button} alone in a paragraph
    table.rule > tr > td                                a divider; the cell has one character
    p > img.photo, p > a > img.photo                    a picture that stands alone
    div.figure > img.photo, p.caption                   one with a title, a line in emphasis below
                                                        it, or <figure>; p.caption also titles a
                                                        code block
    li.ticked                                           its box stands for the bullet
    li > p.item, dd > p.item                            only where an item has several paragraphs
    h2.notes, ol.notes > li > a[name]                   footnotes; sup > a is the mark in the text

All tables but table.data have role=presentation. No id is left, and every anchor is `a[name]`
(Gmail and Word, composition 2.62).
"""

from __future__ import annotations

from lxml import etree

from newsletter.compose import tree
from newsletter.compose.callouts import shape_callouts
from newsletter.compose.code_blocks import shape_code
from newsletter.compose.footnotes import shape_footnotes
from newsletter.compose.sheet import Sheet
from newsletter.compose.tables import shape_table

Element = etree._Element

HOLDERS = frozenset("p div li dd dt td th span h1 h2 h3 h4 h5 h6 strong em".split())  # noqa: SIM905
LEVELS = ("h1", "h2", "h3", "h4", "h5", "h6")


def tick_boxes(root: Element) -> None:
    """Task lists' check boxes as characters: a mail has no form controls."""
    for box in list(root.iter("input")):
        parent = box.getparent()
        if (box.get("type") or "").lower() == "checkbox" and parent is not None:
            tree.replace(box, "☐" if box.get("checked") is None else "☑")
            if parent.tag == "label":
                tree.unwrap(parent)
    for part in root.iter("ul", "ol", "li"):
        names = tree.classes(part)
        if "task-list" in names or "task-list-item" in names:
            boxed = ("ticked",) if part.tag == "li" else ()
            kept = (name for name in names if not name.startswith("task-list"))
            tree.set_classes(part, (*kept, *boxed))


def shape(root: Element, sheet: Sheet) -> None:
    """Change the tree in place."""
    _demote_headings(root)
    shape_footnotes(root, sheet.strings.notes)
    for table in list(root.iter("table")):
        shape_table(table, sheet)
    _name_anchors(root)
    for part in list(root.iter("li", "dd")):
        tree.tighten(part)
    for part in list(root.iter("figcaption", "summary")):
        _shape_caption(part)
    for pre in list(root.iter("pre")):
        shape_code(pre, sheet)
    shape_callouts(root, sheet.strings)
    for rule in list(root.iter("hr")):
        _shape_rule(rule)
    for part in list(root.iter("p", "div")):
        _shape_lonely(part)
    for link in root.iter("a"):
        _shape_link(link)


def _demote_headings(root: Element) -> None:
    """The template's title is the only h1: where the author has some too, all headings go down
    one level. A table of contents would point nowhere."""
    if next(root.iter("h1"), None) is not None:
        for heading in root.iter(*LEVELS):
            heading.tag = LEVELS[min(LEVELS.index(str(heading.tag)) + 1, 5)]
    for part in list(root.iter("p")):
        if len(part) == 0 and (part.text or "").strip() == "[TOC]":
            tree.drop(part)


def _shape_rule(rule: Element) -> None:
    """A cell's border: Word draws an hr with a shadow, in a colour and a width of its own."""
    table, cell = tree.one_cell("rule")
    # An empty cell has no height in Word; a no-break space would be said in the text.
    cell.text = "\u200b"
    tree.replace(rule, table)


def _shape_link(link: Element) -> None:
    """`www.example.org` typed as it is has no scheme; python-markdown takes the one of 1996."""
    if (link.text or "").startswith("www.") and link.get("href") == f"http://{link.text}":
        link.set("href", f"https://{link.text}")
    if "button" in tree.classes(link):
        tree.set_classes(link, (name for name in tree.classes(link) if name != "button"))


def _name_anchors(root: Element) -> None:
    """Ids go; one that a link of the article leads to stays as an anchor for the web copy."""
    wanted = {a.get("href", "")[1:] for a in root.iter("a") if a.get("href", "").startswith("#")}
    for part in list(root.iterdescendants()):
        name = tree.take(part, "id")
        if name and name in wanted:
            if part.tag == "a":
                part.set("name", name)
            elif part.tag in HOLDERS:
                tree.put_anchor(part, name)


def _shape_caption(part: Element) -> None:
    """figcaption and summary are unknown to Gmail, Yahoo and Outlook (composition 2.52)."""
    for inner in list(part.iter("p")):
        tree.unwrap(inner)
    if part.tag == "figcaption":
        tree.set_classes(part, ("caption",))
    else:
        strong = tree.element("strong")
        tree.move(part, strong)
        part.append(strong)
    part.tag = "p"


def _shape_lonely(part: Element) -> None:
    """A paragraph that holds nothing but pictures or buttons."""
    if part.tag == "p":
        _part_caption(part)
    if len(part) == 0 or not _holds_only_elements(part):
        if "figure" in tree.classes(part):
            _mark_photos(part)
        return
    if all(child.tag == "a" and "button" in tree.classes(child) for child in part):
        for child in list(part):
            _shape_button(child)
        tree.unwrap(part)
    elif "figure" in tree.classes(part) or (part.tag == "p" and all(map(_is_picture, part))):
        _mark_photos(part)
        _shape_titled(part)


def _part_caption(part: Element) -> None:
    """A picture and below it a line in emphasis are a figure with its caption."""
    pair = list(part)
    pair = [child for child in pair if child.tag != "br"]
    if len(pair) != 2 or pair[1].tag not in {"em", "i"} or not _holds_only_elements(part):
        return
    picture, words = pair
    if picture.tag == "br" or not _is_picture(picture) or "\n" not in _between(picture, words):
        return
    for image in picture.iter("img"):
        tree.take(image, "title")
    caption = tree.element("p", class_="caption")
    tree.move(words, caption)
    for child in list(part):
        part.remove(child)
    part.tag, part.text, picture.tail = "div", None, "\n"
    part.extend((picture, caption))
    tree.set_classes(part, ("figure", *tree.classes(part)))


def _between(picture: Element, words: Element) -> str:
    """What stands between the two, line breaks as line feeds."""
    after = picture.getnext()
    return "\n" if after is not words else picture.tail or ""


def _shape_titled(part: Element) -> None:
    """The title of a picture that stands alone is its caption."""
    images = list(part.iter("img"))
    title = " ".join((images[0].get("title") or "").split()) if len(images) == 1 else ""
    if not title or part.tag != "p":
        return
    part.tag = "div"
    tree.set_classes(part, ("figure", *tree.classes(part)))
    part.append(tree.element("p", title, class_="caption"))


def _holds_only_elements(part: Element) -> bool:
    return tree.is_blank(part.text) and all(tree.is_blank(child.tail) for child in part)


def _is_picture(part: Element) -> bool:
    if part.tag == "a":
        alone = _holds_only_elements(part) and len(part) > 0
        return alone and all(child.tag == "img" for child in part)
    return part.tag in {"img", "br"}


def _mark_photos(part: Element) -> None:
    for image in part.iter("img"):
        tree.set_classes(image, ("photo", *tree.classes(image)))


def _shape_button(link: Element) -> None:
    tree.set_classes(link, (name for name in tree.classes(link) if name != "button"))
    table, cell = tree.one_cell("button", full_width=False)
    tree.wrap(link, table, cell)
