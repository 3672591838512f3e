"""python-markdown's HTML -> HTML that mail programs show alike (composition 7b).

Enters: the tree of an article with nothing forbidden in it. Leaves: the same tree in the shapes
below, ready for the mail template. Refuses to know colours, sizes, addresses and files.

The vocabulary, for whoever writes the CSS. Plain tags: p h2-h6 ul ol li dl dt dd a strong em del
mark sub sup abbr code hr br, and whatever raw HTML the author wrote. Besides:

    table.data > thead > tr > th[scope=col][align]      a real table; cells have align and valign;
               > tbody > tr > td[align]                 a first column of th[scope=row] is possible
    table.callout.callout-note|-tip|-warning > tr > td > p.callout-title > strong, then blocks
    table.quote > tr > td > blockquote                  the cell carries the line on the left
    table.code > tr > td > pre > span.k|.s|.n|.c        keyword, string, number, comment
    table.button > tr > td > a                          [text](url){.button} alone in a paragraph
    p > img.photo, p > a > img.photo                    a picture that stands alone
    div.figure > img.photo, p.caption                   <figure>; p.caption also titles a code block
    li.ticked                                           its box stands for the bullet
    li > p.item, dd > p.item                            only where an item has several paragraphs
    h2.notes, ol.notes > li > a[name]                   footnotes; sup > a is the mark in the text

All tables but table.data have role=presentation. No id is left, and every anchor is `a[name]`
(Gmail and Word, composition 2.62).
"""

from __future__ import annotations

import re

from lxml import etree

from newsletter.compose import tree
from newsletter.compose.highlight import highlight

Element = etree._Element

CALLOUTS = {
    **dict.fromkeys(("tip", "hint", "success"), "tip"),
    **dict.fromkeys(
        ("warning", "caution", "danger", "error", "attention", "failure", "bug"), "warning"
    ),
}
# GitHub's alerts: a quotation that begins with [!NOTE].
ALERT = re.compile(r"\s*\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*\n?", re.IGNORECASE)
TEXT_ALIGN = re.compile(r"(?:^|;)\s*text-align\s*:\s*(left|right|center)\s*(?=;|$)", re.IGNORECASE)
LANGUAGE = re.compile(r"lang(?:uage)?-([\w.+#-]+)")
LABELS = frozenset({"highlight", "hljs", "codehilite", "sourcecode", "literal-block"})
HOLDERS = frozenset("p div li dd dt td th span h1 h2 h3 h4 h5 h6 strong em".split())  # noqa: SIM905


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


def shape(root: Element, *, notes: str) -> None:
    """Change the tree in place; `notes` is the word above the footnotes."""
    _demote_headings(root)
    _shape_footnotes(root, notes)
    for table in list(root.iter("table")):
        _shape_table(table)
    _name_anchors(root)
    for part in list(root.iter("li", "dd")):
        _tighten(part)
    for part in list(root.iter("figcaption", "summary")):
        _shape_caption(part)
    for pre in list(root.iter("pre")):
        _shape_code(pre)
    for part in list(root.iter("div", "blockquote")):
        _shape_callout(part)
    for part in list(root.iter("blockquote")):
        table, cell = tree.one_cell("quote")
        tree.wrap(part, table, cell)
    for part in list(root.iter("p", "div")):
        _shape_lonely(part)


def _demote_headings(root: Element) -> None:
    """The template's title is the only h1; a table of contents would point nowhere."""
    for heading in root.iter("h1"):
        heading.tag = "h2"
    for part in list(root.iter("p")):
        if len(part) == 0 and (part.text or "").strip() == "[TOC]":
            tree.drop(part)


def _shape_footnotes(root: Element, title: str) -> None:
    names: dict[str, str] = {}
    for box in list(root.iter("div")):
        if "footnote" in tree.classes(box):
            _shape_notes(box, title, names)
    for mark in root.iter("a"):
        if "footnote-ref" in tree.classes(mark):
            tree.set_classes(mark, ())
            mark.set("href", names.get(mark.get("href", ""), "#"))


def _shape_notes(box: Element, title: str, names: dict[str, str]) -> None:
    notes = box.find("ol")
    if notes is None:
        return
    for back in [a for a in box.iter("a") if "footnote-backref" in tree.classes(a)]:
        _drop_back_link(back)
    for note in notes.iterchildren("li"):
        _tighten(note)
        name = f"fn{len(names) + 1}"
        names[f"#{note.get('id', name)}"] = f"#{name}"
        tree.take(note, "id")
        first = note.find("p")
        _put_anchor(note if first is None else first, name)
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


def is_note_link(part: Element) -> bool:
    """Whether the link leads to a footnote of this mail, the only anchors that stay inside."""
    parent = part.getparent()
    inside = re.fullmatch(r"#fn[0-9]+", part.get("href", "")) is not None
    return inside and parent is not None and parent.tag == "sup"


def _shape_table(table: Element) -> None:
    """Author's tables: with a header they are data, without one they are layout."""
    if table.get("role") in {"presentation", "none"}:
        return
    for name in ("border", "cellpadding", "cellspacing"):
        tree.default(table, name, "0")
    _move_empty_header(table)
    if table.find(".//th") is None:
        table.set("role", "presentation")
        return
    tree.set_classes(table, ("data", *tree.classes(table)))
    tree.default(table, "width", "100%")
    for cell in table.iter("th", "td"):
        _shape_cell(cell)


def _move_empty_header(table: Element) -> None:
    """Markdown tables need a header row; one left empty means headers at the left."""
    head = table.find("thead")
    if head is None or tree.words(head).strip() or head.find(".//img") is not None:
        return
    tree.drop(head)
    for row in table.iter("tr"):
        if len(row) > 1 and row[0].tag == "td" and tree.words(row[0]).strip():
            row[0].tag = "th"
            row[0].set("scope", "row")


def _shape_cell(cell: Element) -> None:
    style = cell.get("style", "")
    aligned = TEXT_ALIGN.search(style)
    if aligned:
        cell.set("align", aligned.group(1).lower())
        rest = TEXT_ALIGN.sub("", style).strip("; ")
        tree.take(cell, "style")
        if rest:
            cell.set("style", rest)
    tree.default(cell, "align", "left")
    tree.default(cell, "valign", "top")
    if cell.tag == "th":
        tree.default(cell, "scope", "col")


def _name_anchors(root: Element) -> None:
    """Ids go; one that a link of the article leads to stays as an anchor for the web copy."""
    wanted = {a.get("href", "")[1:] for a in root.iter("a") if a.get("href", "").startswith("#")}
    for part in list(root.iterdescendants()):
        name = tree.take(part, "id")
        if name and name in wanted:
            if part.tag == "a":
                part.set("name", name)
            elif part.tag in HOLDERS:
                _put_anchor(part, name)


def _put_anchor(part: Element, name: str) -> None:
    anchor = tree.element("a", name=name)
    anchor.text, anchor.tail, part.text = None, part.text, None
    part.insert(0, anchor)


def _tighten(item: Element) -> None:
    """A loose list's paragraph inside an item doubles the margins."""
    paragraphs = [part for part in item if part.tag == "p"]
    if len(paragraphs) == 1:
        tree.unwrap(paragraphs[0])
        return
    for part in paragraphs:
        tree.set_classes(part, (*tree.classes(part), "item"))


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


def _shape_code(pre: Element) -> None:
    title = tree.take(pre, "title")
    code = pre.find("code")
    if code is not None:
        language = _language(pre, code)
        coloured = tree.element("pre")
        for run in highlight(tree.words(pre).strip("\n"), language):
            if run.kind:
                coloured.append(tree.element("span", run.text, class_=run.kind))
            else:
                tree.say_last(coloured, run.text)
        tree.replace(pre, coloured)
        pre = coloured
    table, cell = tree.one_cell("code")
    tree.wrap(pre, table, cell)
    parent = table.getparent()
    if title and parent is not None:
        parent.insert(parent.index(table), tree.element("p", title, class_="caption"))


def _language(pre: Element, code: Element) -> str:
    names = [name for name in (*tree.classes(code), *tree.classes(pre)) if name not in LABELS]
    marked = [match.group(1) for match in map(LANGUAGE.fullmatch, names) if match]
    return (marked or names or [""])[0]


def _shape_callout(part: Element) -> None:
    names = tree.classes(part)
    if part.tag == "blockquote":
        kind = _take_alert(part)
        title: Element | None = tree.element("p", kind.capitalize())
    else:
        kind = next((name for name in names if name != "admonition"), "note")
        kind = kind if "admonition" in names else ""
        title = next((p for p in part if "admonition-title" in tree.classes(p)), None)
    if not kind:
        return
    table, cell = tree.one_cell(f"callout callout-{CALLOUTS.get(kind, 'note')}")
    if title is not None:
        label = etree.SubElement(cell, "p", {"class": "callout-title"})
        tree.move(title, etree.SubElement(label, "strong"))
        tree.drop(title)
    tree.move(part, cell)
    tree.replace(part, table)


def _take_alert(quote: Element) -> str:
    """The kind of GitHub's alert, its mark taken out; "" for a plain quotation."""
    first = next(iter(quote), None)
    match = ALERT.match(first.text or "") if first is not None and first.tag == "p" else None
    if first is None or match is None:
        return ""
    first.text = (first.text or "")[match.end() :]
    if len(first) and first[0].tag == "br" and not first.text:
        tree.drop(first[0])
    if len(first) == 0 and tree.is_blank(first.text):
        tree.drop(first)
    return match.group(1).lower()


def _shape_lonely(part: Element) -> None:
    """A paragraph that holds nothing but pictures or buttons."""
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
