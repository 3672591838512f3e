"""Code blocks -> one-cell tables, coloured, and cut where they would fill a mail.

Enters: the tree of an article. Leaves: the same tree; a long block ends in a link to the issue's
page, which has the whole. Refuses to know colours and which languages there are.
"""

from __future__ import annotations

import re

from lxml import etree

from newsletter.compose import tree
from newsletter.compose.findings import Rule
from newsletter.compose.highlight import highlight
from newsletter.compose.sheet import Sheet
from newsletter.model import Severity

Element = etree._Element

# Two screens of a phone. Nobody follows more code than that in a mail, and Gmail clips at 102 kB.
MOST_LINES = 40
# A block is shown whole rather than cut by a line or two.
SPARED = 5
CODE_LONG = Rule("code-long", Severity.INFO, "the issue's page on the web has all of it")

LANGUAGE = re.compile(r"lang(?:uage)?-([\w.+#-]+)")
LABELS = frozenset({"highlight", "hljs", "codehilite", "sourcecode", "literal-block"})


def shape_code(pre: Element, sheet: Sheet) -> None:
    """Change the block in place."""
    title = tree.take(pre, "title")
    code = pre.find("code")
    rest = 0
    if code is not None:
        text, rest = _head(tree.words(pre).strip("\n"))
        coloured = _coloured(text, _language(pre, code))
        if rest:
            about = next(filter(str.strip, text.splitlines()), "")
            lines = MOST_LINES + rest
            message = f"{lines} lines of code: the mail shows {MOST_LINES} and a link to the rest"
            sheet.findings.add(CODE_LONG, message, about)
        tree.replace(pre, coloured)
        pre = coloured
    table, cell = tree.one_cell("code")
    tree.wrap(pre, table, cell)
    if rest:
        more = etree.SubElement(cell, "p", {"class": "more"})
        more.append(tree.element("a", sheet.strings.read_online, href=sheet.issue.url))
    parent = table.getparent()
    if title and parent is not None:
        parent.insert(parent.index(table), tree.element("p", title, class_="caption"))


def _head(code: str) -> tuple[str, int]:
    """What of the code a mail shows, and how many lines are left out."""
    lines = code.split("\n")
    if len(lines) <= MOST_LINES + SPARED:
        return code, 0
    return "\n".join(lines[:MOST_LINES]), len(lines) - MOST_LINES


def _coloured(code: str, language: str) -> Element:
    block = tree.element("pre")
    for run in highlight(code, language):
        if run.kind:
            block.append(tree.element("span", run.text, class_=run.kind))
        else:
            tree.say_last(block, run.text)
    return block


def _language(pre: Element, code: Element) -> str:
    names = [name for name in (*tree.classes(code), *tree.classes(pre)) if name not in LABELS]
    marked = [match.group(1) for match in map(LANGUAGE.fullmatch, names) if match]
    return (marked or names or [""])[0]
