"""Rules on dark mode: the letter as a client paints it that obeys prefers-color-scheme.

Apple Mail, Outlook for Mac and on phones, Samsung and Fastmail do (composition 68); the others
invert colours by recipes of their own, which the shipped palettes are measured against elsewhere.
"""

from __future__ import annotations

from functools import lru_cache

from cssselect import SelectorError
from cssselect import parse as parse_selector
from lxml import etree
from lxml.cssselect import CSSSelector

from newsletter.lint import colour
from newsletter.lint.colour import Colour
from newsletter.lint.css import StyleRule
from newsletter.lint.galley import Galley
from newsletter.lint.page import Page, Run, runs_of, style_of
from newsletter.lint.rule import Finding, Findings, warning

PAINT = ("color", "background-color", "background")
MOST_SELECTORS = 400
Specificity = tuple[int, int, int]


@warning(
    "contrast-dark",
    "composition 68; WCAG 1.4.3",
    "restate the colour for dark mode in kept.css, with its background",
    "Apple Mail, Outlook for Mac, Outlook on phones, Samsung",
)
def contrast_is_enough_in_the_dark(galley: Galley) -> Findings:
    """Text that is hard to tell from its background under the letter's own dark CSS."""
    over = _dark_paint(galley.page)
    if not over:
        return
    worst: dict[tuple[Colour, Colour], Run] = {}
    for run in runs_of(galley.page.body, over):
        if run.words and not run.ink.hidden:
            pair = (run.ink.colour, run.ink.ground)
            if pair not in worst or not run.is_large:
                worst[pair] = run
    for (ink, ground), run in worst.items():
        ratio, wanted = colour.contrast(ink, ground), 3.0 if run.is_large else 4.5
        if ratio < wanted:
            yield Finding(
                f"contrast {ratio:.2f} of {wanted:g} in the dark: {ink} on {ground}: "
                f'"{run.words[:30]}"',
                about=(run.words, str(ink), str(ground)),
            )


def _dark_paint(page: Page) -> dict[etree._Element, dict[str, str]]:
    """What the dark rules paint, by element: the later and more specific wins."""
    said: list[tuple[Specificity, int, etree._Element, dict[str, str]]] = []
    for order, (rule, selector) in enumerate(_dark_selectors(page)):
        compiled = _compiled(selector)
        if compiled is None or order >= MOST_SELECTORS:
            continue
        specificity, find = compiled
        painted = ((element, _paint(rule, element)) for element in _matches(find, page))
        said.extend((specificity, order, element, paint) for element, paint in painted if paint)
    over: dict[etree._Element, dict[str, str]] = {}
    for _, _, element, paint in sorted(said, key=lambda item: item[:2]):
        over.setdefault(element, {}).update(paint)
    return over


def _matches(find: CSSSelector, page: Page) -> list[etree._Element]:
    found = find(page.body.getroottree())
    return [e for e in found if isinstance(e, etree._Element)] if isinstance(found, list) else []


def _dark_selectors(page: Page) -> list[tuple[StyleRule, str]]:
    return [
        (rule, selector)
        for sheet in page.sheets
        for rule in sheet.rules
        if rule.within and "prefers-color-scheme:dark" in rule.within[-1].replace(" ", "")
        for selector in rule.selectors
    ]


def _paint(rule: StyleRule, element: etree._Element) -> dict[str, str]:
    """The colours that win over the element's own style."""
    inline = {part.name for part in style_of(element)}
    return {
        name: value
        for name, value, important in rule.declarations
        if name in PAINT and (important or name not in inline)
    }


@lru_cache(maxsize=1024)
def _compiled(selector: str) -> tuple[Specificity, CSSSelector] | None:
    """Its specificity and what finds its elements; None for what only a browser knows."""
    try:
        [parsed] = parse_selector(selector)
        return parsed.specificity(), CSSSelector(selector, translator="html")
    except (SelectorError, ValueError):
        return None
