"""An author's tables -> tables of facts with headers, or tables of layout.

Enters: the tree of an article. Leaves: the same tree; a table with headers is table.data, its
alignment in attributes, which Word and GMX keep (composition 7b). Refuses to know colours.
"""

from __future__ import annotations

import re

from lxml import etree

from newsletter.compose import tree
from newsletter.compose.findings import Findings, Rule
from newsletter.compose.sheet import Sheet
from newsletter.compose.strings import direction
from newsletter.model import Severity

Element = etree._Element

TEXT_ALIGN = re.compile(r"(?:^|;)\s*text-align\s*:\s*(left|right|center)\s*(?=;|$)", re.IGNORECASE)
# Composition 7: a phone of 320 px leaves each of five columns room for one short word.
MOST_COLUMNS = 4
TABLE_WIDE = Rule(
    "table-wide",
    Severity.WARNING,
    "phones have room for four columns: turn it round, split it, or make it a list",
)


def shape_table(table: Element, sheet: Sheet) -> None:
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
    start = "right" if direction(sheet.language) == "rtl" else "left"
    for cell in table.iter("th", "td"):
        _shape_cell(cell, start)
    _count_columns(table, sheet.findings)


def _count_columns(table: Element, findings: Findings) -> None:
    rows = [[cell for cell in row if cell.tag in {"th", "td"}] for row in table.iter("tr")]
    widest = max(rows, key=len, default=[])
    if len(widest) > MOST_COLUMNS:
        words = (tree.words(cell).strip() for cell in widest)
        about = next(filter(None, words), "")
        findings.add(TABLE_WIDE, f"a table of {len(widest)} columns", about)


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


def _shape_cell(cell: Element, start: str) -> None:
    style = cell.get("style", "")
    aligned = TEXT_ALIGN.search(style)
    if aligned:
        cell.set("align", aligned.group(1).lower())
        rest = TEXT_ALIGN.sub("", style).strip("; ")
        tree.take(cell, "style")
        if rest:
            cell.set("style", rest)
    tree.default(cell, "align", start)
    tree.default(cell, "valign", "top")
    if cell.tag == "th":
        tree.default(cell, "scope", "col")
