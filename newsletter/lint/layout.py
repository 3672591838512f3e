"""Rules on tables, conditional comments and what Word makes of boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from newsletter.lint import css
from newsletter.lint.galley import Galley
from newsletter.lint.page import around, holds, is_layout, squeeze, start_tag, style_of, words_in
from newsletter.lint.rule import Finding, Findings, error, warning

WIDEST = 640
# A div up to this is one of several columns.
NARROW = 300
# Word's page. Beyond it a cell is cut and a gap inserted (foundation 534).
TALLEST = 1700
LINE_HEIGHT, LINE_LENGTH = 28, 62
PARTS = re.compile(
    r"(<!--\[if\s[^\]]*\]>(?:<!-->|-->)?)|(<!(?:--<!)?\[endif\]-->)|(<!\[if[^>]*\]>)"
)


def _begins(table: etree._Element) -> str:
    """The beginning of what the table says, to find it by."""
    return squeeze(words_in(table))[:60]


def _about(table: etree._Element) -> tuple[str, ...]:
    return tuple(filter(None, (_begins(table), start_tag(table), "<table")))


@error(
    "table-role",
    "composition 43; WCAG 1.3.1",
    'give layout tables role="presentation", and tables of facts <th scope="col">',
    "screen readers",
)
def tables_say_what_they_are(galley: Galley) -> Findings:
    """A table that is neither for layout nor has headings, or claims to be both."""
    for table in galley.page.named("table"):
        heads = any(around(th, "table") is table for th in table.iterdescendants("th"))
        if is_layout(table) and heads:
            yield Finding(
                f'{start_tag(table)} has <th> and role="presentation"', about=_about(table)
            )
        elif not is_layout(table) and not heads:
            yield Finding(f"{start_tag(table)} has neither role nor <th>", about=_about(table))


@error("th-scope", "composition 43; WCAG 1.3.1", 'add scope="col" or scope="row"', "screen readers")
def headings_have_a_scope(galley: Galley) -> Findings:
    """A `<th>` that does not say what it is the heading of."""
    for cell in galley.page.named("th"):
        if cell.get("scope") not in ("col", "row", "colgroup", "rowgroup"):
            yield Finding(f'<th> "{squeeze(words_in(cell))[:40]}"', about=(words_in(cell), "<th"))


@error(
    "table-attributes",
    "composition 43",
    'write border="0" cellpadding="0" cellspacing="0"',
    "Outlook for Windows",
)
def tables_are_reset(galley: Galley) -> Findings:
    """A layout table without the three attributes: Word adds spaces of its own."""
    for table in filter(is_layout, galley.page.named("table")):
        for name in ("border", "cellpadding", "cellspacing"):
            if not (table.get(name) or "").isdigit():
                yield Finding(f"{start_tag(table)} without {name}", about=_about(table))


@error(
    "width-fixed",
    "composition 44; email-bugs 73",
    'write width="100%" and put max-width:600px on a div around it',
    "Samsung, Gmail on phones",
)
def tables_are_not_too_wide(galley: Galley) -> Findings:
    """An element that is fixed to more than 640 px."""
    for element in galley.page.named("table", "td", "th", "div"):
        width = element.get("width", "")
        if width.isdigit() and int(width) > WIDEST:
            yield Finding(f'<{element.tag} width="{width}">', about=(f'width="{width}"',))
        for name, value, _ in style_of(element):
            px = css.pixels(value) if name in ("width", "min-width") and "%" not in value else None
            if px and px > WIDEST:
                yield Finding(f"{name}:{value} in {start_tag(element)}", about=(value,))


class Conditional(NamedTuple):
    """One opening or closing mark of a conditional comment."""

    text: str
    opens: bool
    place: int


def _conditionals(html: str) -> Iterator[Conditional]:
    for match in PARTS.finditer(html):
        if not match[3]:
            yield Conditional(match[0], match[1] is not None, match.start())


@error(
    "mso-balance",
    "composition 45",
    "close every <!--[if mso]> by <![endif]-->, every <!--[if !mso]><!--> by <!--<![endif]-->",
    "Outlook for Windows",
)
def conditionals_are_balanced(galley: Galley) -> Findings:
    """A conditional comment that is not closed, or closed twice: Word hides all that follows."""
    waiting: Conditional | None = None
    for mark in _conditionals(galley.page.html):
        if mark.opens and waiting is not None:
            yield Finding(f"{waiting.text} is not closed", about=(waiting.text,))
        elif not mark.opens and waiting is None:
            yield Finding(f"{mark.text} closes nothing", about=(mark.text,))
        elif not mark.opens and waiting and _is_shown(waiting.text) != _is_shown(mark.text):
            yield Finding(f"{waiting.text} is closed by {mark.text}", about=(waiting.text,))
        waiting = mark if mark.opens else None
    if waiting is not None:
        yield Finding(f"{waiting.text} is not closed", about=(waiting.text,))


def _is_shown(mark: str) -> bool:
    """Whether what stands inside is no comment for other clients."""
    return mark.endswith(("<!-->", "]>-->")) or mark.startswith("<!--<!")


@error(
    "mso-revealed",
    "composition 45",
    "write <!--[if !mso]><!--> ... <!--<![endif]-->",
)
def revealed_conditionals(galley: Galley) -> Findings:
    """`<![if !mso]>`, which parsers turn into a comment."""
    for match in PARTS.finditer(galley.page.html):
        if match[3]:
            yield Finding(match[3], about=(match[3],))


@error(
    "table-stray",
    "composition 46; HTML 13.2.6.1",
    "put it into a cell: clients move it in front of the table",
)
def strays_in_tables(galley: Galley) -> Findings:
    """Text or blocks between a table and its cells."""
    for element in galley.page.named("table", "tbody", "thead", "tfoot", "tr"):
        texts = [element.text, *(child.tail for child in element)]
        stray = next((text for text in texts if text and text.strip()), None)
        if stray:
            yield Finding(f'"{squeeze(stray)[:40]}" in <{element.tag}>', about=(stray,))
        for child in element:
            if child.tag in ("p", "div", "a", "img", "span", "h1", "h2", "h3", "ul", "ol"):
                yield Finding(f"<{child.tag}> right inside of <{element.tag}>", about=_about(child))


@warning(
    "cell-tall",
    "composition 47; foundation-emails 534",
    "begin a new row: let the template break the article into rows",
    "Outlook for Windows",
)
def cells_are_not_taller_than_a_page(galley: Galley) -> Findings:
    """A cell that is taller than Word's page, where a gap appears."""
    for cell in galley.page.named("td"):
        if holds(cell, "table"):
            continue
        height = _height(cell)
        if height > TALLEST:
            yield Finding(
                f'a cell about {height:,} px tall: "{squeeze(words_in(cell))[:40]}"',
                about=(squeeze(words_in(cell)),),
            )


def _height(cell: etree._Element) -> int:
    """About how tall the cell is, in px."""
    blocks = list(cell.iterdescendants("p", "li", "pre", "h1", "h2", "h3", "h4"))
    lines = sum(
        max(b.tag == "pre" and words_in(b).count("\n"), len(words_in(b)) // LINE_LENGTH) + 1
        for b in blocks
    )
    pictures = (image.get("height", "") for image in cell.iterdescendants("img"))
    tall = sum(int(height) for height in pictures if height.isdigit())
    return lines * LINE_HEIGHT + len(blocks) * 20 + tall


@warning(
    "table-floating",
    "composition 48; email-bugs 158",
    "put the columns into cells, or into inline-block divs",
    "Outlook for Windows",
)
def floating_tables(galley: Galley) -> Findings:
    """A table that floats: Word crops the text beside it."""
    for table in galley.page.named("table"):
        if table.get("align", "").lower() in ("left", "right") and around(table, "td") is not None:
            yield Finding(f"{start_tag(table)} with align", about=_about(table))


@warning(
    "box-padding",
    "composition 40, 49; caniemail css-padding",
    "put the padding on a table cell",
    "Outlook for Windows",
)
def padding_outside_of_cells(galley: Galley) -> Findings:
    """Padding and background on something that is no cell, where Word ignores the padding."""
    for element in galley.page.elements:
        style = style_of(element)
        if element.tag in ("td", "th", "body", "ul", "ol", "a") or not style:
            continue
        padded = any(not css.is_nothing(side) for side in css.box(style, "padding"))
        if padded and (css.longhand(style, "background-color") or element.tag == "table"):
            yield Finding(f"padding on {start_tag(element)}", about=_about(element))


@warning(
    "box-margin",
    "composition 40; caniemail css-margin",
    "use padding on the cell around it",
    "Outlook for Windows, Outlook.com",
)
def margins_that_do_nothing(galley: Galley) -> Findings:
    """A margin on a cell, or one that is negative or auto, which Outlook drops."""
    for element in galley.page.elements:
        style = style_of(element)
        for side in css.box(style, "margin") if style else ():
            on_cell = element.tag in ("td", "th", "tr") and not css.is_nothing(side)
            if on_cell or side.startswith("-") or (side == "auto" and element.tag != "table"):
                yield Finding(f"margin {side} on {start_tag(element)}", about=_about(element))
                break


@warning(
    "width-css-only",
    "composition 41; caniemail css-max-width",
    "put a table of that width around it, inside of <!--[if mso]>",
    "Outlook for Windows",
)
def widths_that_word_ignores(galley: Galley) -> Findings:
    """A div whose width is given in CSS only, so that Word makes it as wide as the window, or a
    column as wide as the letter."""
    for div in galley.page.named("div"):
        style = style_of(div)
        limit = css.longhand(style, "max-width") or css.longhand(style, "width")
        px = css.pixels(limit) if "%" not in limit else None
        if not px or is_bounded(div):
            continue
        if px <= NARROW or not any(is_bounded(above) for above in div.iterancestors()):
            yield Finding(f"max-width:{limit} on {start_tag(div)}", about=_about(div))


def is_bounded(element: etree._Element) -> bool:
    """Whether a conditional comment right before it opens a cell for Word."""
    before = element.getprevious()
    for _ in range(4):
        if before is None:
            return False
        if not isinstance(before.tag, str) and re.match(
            r"\[if .*<td", before.text or "", re.DOTALL
        ):
            return True
        before = before.getprevious()
    return False
