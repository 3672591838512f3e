"""The elements and attributes that may travel in a mail.

Enters: the tree of an article, raw HTML of any kind included. Leaves: the same tree with nothing
in it that a mail program strips, or that a browser would run (deliverability 7.9, composition
2.19, 2.52). Every loss that an author would notice is a finding. Refuses to know Markdown.
"""

from __future__ import annotations

import re

from lxml import etree

from newsletter.compose import tree
from newsletter.compose.findings import Findings, Rule
from newsletter.model import Severity

HTML_REMOVED = Rule(
    "html-removed", Severity.WARNING, "mail programs strip it; link to a web page instead"
)
HTML_UNKNOWN = Rule(
    "html-unknown", Severity.WARNING, "write &lt; for a literal <, or put it between backticks"
)
TOO_DEEP = Rule("html-depth", Severity.ERROR, "lists and quotations are nested too deeply")
DEEPEST = 80

# Taken out with all they hold.
REMOVED = frozenset(
    "script style iframe object embed applet form input select textarea button meta link base "  # noqa: SIM905
    "video audio source track svg math canvas frame frameset noframes noembed template title head "
    "dialog portal slot param map area datalist output progress meter marquee xml".split()
)
# Removed, but what they hold is for the reader.
EMPTIED = frozenset(
    "form fieldset legend label optgroup option html body noscript picture center-block dialog "  # noqa: SIM905
    "button output slot marquee map hgroup bdi rb rtc blink keygen command plaintext".split()
)
SECTIONS = frozenset("section article header footer main nav aside figure details search".split())  # noqa: SIM905
ALLOWED = frozenset(
    "a abbr acronym address b bdo big blockquote br caption center cite code col colgroup dd del "  # noqa: SIM905
    "dfn div dl dt em figcaption font h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt "
    "ruby s samp small span strike strong sub summary sup table tbody td tfoot th thead time tr tt "
    "u ul var wbr".split()
)
RENAMED = {"xmp": "pre", "listing": "pre", "dir": "ul", "menu": "ul", "image": "img"}
CODE = frozenset({"code", "pre", "kbd", "samp", "tt"})

ATTRIBUTES = frozenset(
    "abbr align alt aria-hidden aria-label background bgcolor border cellpadding cellspacing class "  # noqa: SIM905
    "color colspan dir face height href hspace lang name nowrap rel reversed role rowspan scope "
    "size span src start style target title type valign value vspace width".split()
)
# What a style attribute must not hold: code, files, and what makes clients drop the attribute.
# Backslashes hide the rest; a comment loses the attribute in Mail.ru (composition 2.26).
BAD_STYLE = re.compile(
    r"\\|/\*|expression\s*\(|javascript:|vbscript:|-moz-binding|behavior\s*:|@import"
    r"|url\s*+\(\s*+[\"']?+\s*+(?!https://)|position\s*:\s*(?:fixed|sticky)",
    re.IGNORECASE,
)


def keep_allowed(root: etree._Element, findings: Findings) -> None:
    """Change the tree in place. Task list boxes must have become characters by now."""
    for part in list(root.iterdescendants()):
        if not isinstance(part.tag, str):
            tree.drop(part)
        elif part.getparent() is not None:
            _judge(part, findings)
    _flatten(root, findings)


def _judge(part: etree._Element, findings: Findings) -> None:
    tag = str(part.tag)
    if tag in ALLOWED:
        _keep_attributes(part, findings)
    elif tag in RENAMED:
        part.tag = RENAMED[tag]
        _keep_attributes(part, findings)
    elif tag in SECTIONS:
        part.tag = "div"
        tree.set_classes(part, ["figure"] if tag == "figure" else tree.classes(part))
        _keep_attributes(part, findings)
    else:
        _remove(part, tag, findings)


def _remove(part: etree._Element, tag: str, findings: Findings) -> None:
    if tag in REMOVED:
        findings.add(HTML_REMOVED, f"<{tag}> cannot be in a mail and was removed", f"<{tag}")
    elif tag not in EMPTIED:
        findings.add(HTML_UNKNOWN, f"<{tag}> is no HTML element and was removed", f"<{tag}")
    if tag in REMOVED and tag not in EMPTIED:
        tree.drop(part)
    else:
        tree.unwrap(part)


def _keep_attributes(part: etree._Element, findings: Findings) -> None:
    for name in list(part.attrib):
        known = str(name)
        if known.startswith("on"):
            message = f"the attribute {known} would run a script and was removed"
            findings.add(HTML_REMOVED, message, known)
        if known not in ATTRIBUTES and not (known == "id" and part.get("id")):
            del part.attrib[name]
    style = part.get("style")
    if style is not None and BAD_STYLE.search(style):
        findings.add(HTML_REMOVED, f'style="{style}" was removed', style)
        del part.attrib["style"]


def _flatten(root: etree._Element, findings: Findings) -> None:
    """Unwrap what is deeper than any real article: the inliner and mail programs recurse."""
    depth, deep = 0, []
    for event, part in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if event == "start" and depth > DEEPEST:
            deep.append(part)
    for part in reversed(deep):
        tree.unwrap(part)
    if deep:
        findings.add(TOO_DEEP, f"more than {DEEPEST} elements inside each other", "")
