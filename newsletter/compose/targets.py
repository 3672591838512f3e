"""Every address in an article: links, pictures, backgrounds.

Enters: the tree of an article and its Sheet. Leaves: absolute addresses that a mail may carry,
and a finding for each that was taken away. Refuses to know how an address is resolved (`links`)
and where a file is (`images`).
"""

from __future__ import annotations

import re

from lxml import etree

from newsletter.compose import images, links, tree
from newsletter.compose.findings import Rule
from newsletter.compose.footnotes import is_note_link
from newsletter.compose.sheet import Sheet
from newsletter.errors import ComposeError
from newsletter.model import Severity

SLOT_IN_LINK = Rule(
    "slot-in-link",
    Severity.ERROR,
    "write the address itself; only {{ unsubscribe_url }} may stand at its beginning",
)
SLOT_IN_STYLE = Rule("slot-in-style", Severity.ERROR, "a subscriber's value cannot be CSS")
ALT_MISSING = Rule(
    "alt-missing",
    Severity.WARNING,
    "say in a few words what it shows; for a mere ornament add {role=presentation}",
)
# The part of an address that decides whom it reaches.
AUTHORITY = re.compile(r"(?:https?:)?//[^/?#\\]*", re.IGNORECASE)
# An address of this slot is the mail's own.
OWN_LINK = "unsubscribe_url"


def aim(root: etree._Element, sheet: Sheet) -> None:
    """Change the tree in place."""
    for part in list(root.iterdescendants()):
        style = part.get("style", "")
        if style and sheet.slot_in(style):
            sheet.findings.add(SLOT_IN_STYLE, f'a slot in style="{style}"', style)
            del part.attrib["style"]
        background = tree.take(part, "background")
        if background and background.startswith("https://") and not sheet.slot_in(background):
            part.set("background", background)
        if part.tag == "img":
            _aim_image(part, sheet)
            continue
        for name in ("href", "src"):
            if name in part.attrib and (part.tag, name) != ("a", "href"):
                del part.attrib[name]
        if part.tag == "a" and part.get("href") is not None and not is_note_link(part):
            _aim_link(part, sheet)
            if part.get("href") is None and part.get("name") is None:
                tree.unwrap(part)


def _aim_link(part: etree._Element, sheet: Sheet) -> None:
    href = (tree.take(part, "href") or "").strip(links.AROUND)
    start = sheet.braces.words.match(href)
    if start:
        slot = sheet.declared(sheet.braces.named_by(start))
        if slot and slot.name != OWN_LINK:
            sheet.findings.add(SLOT_IN_LINK, f"a link to whatever {start.group()} is", href)
        else:
            part.set("href", href)
        return
    try:
        url = links.resolve(href, sheet.issue, sheet.letter)
    except ComposeError as error:
        about = href if href.strip("#") else _typed(part, href, sheet)
        sheet.findings.add(_rule(error, Severity.WARNING), error.message, about)
        return
    if _is_open_ended(url, sheet):
        sheet.findings.add(SLOT_IN_LINK, f"a slot decides which site {href} leads to", href)
        return
    part.set("href", url)


def _typed(part: etree._Element, href: str, sheet: Sheet) -> str:
    """How a link that leads nowhere may have been written, as the article has it."""
    words = "".join(map(str, part.itertext()))
    typed = (f"[{words}]({href})", f'href="{href}"', f"href='{href}'", f"]({href})", words)
    return next((each for each in typed if each and each in sheet.issue.article.body), "")


def _is_open_ended(url: str, sheet: Sheet) -> bool:
    authority = AUTHORITY.match(url)
    return authority is not None and sheet.slot_in(authority.group()) is not None


def _aim_image(part: etree._Element, sheet: Sheet) -> None:
    source = part.get("src", "").strip(links.AROUND)
    for name in ("title", "href"):
        tree.take(part, name)
    tree.default(part, "alt", "")
    alt = part.get("alt", "")
    if not alt.strip() and part.get("role") not in {"presentation", "none"}:
        wordless = f"![]({source}"
        about = wordless if wordless in sheet.issue.article.body else source
        sheet.findings.add(ALT_MISSING, f"the picture {source} has no alternative text", about)
    if images.is_remote(source):
        if _is_open_ended(source, sheet):
            sheet.findings.add(
                SLOT_IN_LINK, f"a slot decides which site {source} comes from", source
            )
            tree.replace(part, alt)
        elif source.startswith("//"):
            part.set("src", f"https:{source}")
        return
    _place_picture(part, source, sheet)


def _place_picture(part: etree._Element, source: str, sheet: Sheet) -> None:
    article, letter = sheet.issue.article, sheet.letter
    asked = re.fullmatch(r"\s*([0-9]{1,4})(?:px)?\s*", part.get("width", ""))
    width = int(asked.group(1)) or None if asked else None
    try:
        shown = images.picture(article, letter, source, width)
    except ComposeError as error:
        sheet.findings.add(_rule(error, Severity.ERROR), error.message, source)
        tree.replace(part, part.get("alt", ""))
        return
    for remark in shown.remarks:
        sheet.findings.add(remark.rule, remark.message, source)
    part.set("src", shown.url)
    part.set("width", str(shown.width))
    part.set("height", str(shown.height))


def _rule(error: ComposeError, severity: Severity) -> Rule:
    worst = error.code in {"link-scheme", "link-missing"}
    return Rule(error.code, Severity.ERROR if worst else severity, error.hint or "")
