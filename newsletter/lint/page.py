"""The HTML of a mail, parsed once: elements, styles, links, and every run of text as it is painted.

Enters: the HTML as a reader gets it. Leaves: a frozen Page. What is computed is what inline styles
and attributes say, which is all that a client without `<style>` sees (composition 0.13). Refuses
to judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

from lxml import etree

from newsletter.lint import colour, css
from newsletter.lint.colour import BLACK, WHITE, Colour
from newsletter.lint.css import Declaration, StyleSheet

# What libxml2 cannot read at all; rules that look for these read `Page.html`.
_UNREADABLE = re.compile("[\x00\ud800-\udfff]")
_SPACES = re.compile(r"\s+")
_HEADINGS = {"h1": 32.0, "h2": 24.0, "h3": 18.72, "h4": 16.0, "h5": 13.28, "h6": 10.72}
_SIZES = {
    "xx-small": 9.0,
    "x-small": 10.0,
    "small": 13.0,
    "medium": 16.0,
    "large": 18.0,
    "x-large": 24.0,
    "xx-large": 32.0,
}
_BOLD = frozenset(("b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"))
_LITERAL = frozenset(("code", "pre", "kbd", "samp", "tt"))
_SILENT = frozenset(("style", "script", "head", "title", "template", "noscript"))
# Figure spaces, joiners and soft hyphens: padding after a preheader, not words.
INVISIBLE = re.compile("[\u00ad\u034f\u061c\u200b-\u200f\u2007\u2028-\u202e\u2060-\u206f\ufeff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ink:
    """How text is painted at one place: what it inherited and what was said there.

    `size` is in px; `leading` is the line height as a multiple of it, None when nobody said;
    `literal` is true inside of code.
    """

    colour: Colour = BLACK
    ground: Colour = WHITE
    size: float = 16.0
    leading: float | None = None
    leading_px: float | None = None
    bold: bool = False
    align: str = ""
    hidden: bool = False
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text with nothing else in it, on one line in `words`, and the element it stands
    in."""

    text: str
    words: str
    element: etree._Element
    ink: Ink

    @property
    def is_large(self) -> bool:
        """Large as WCAG has it, which needs less contrast."""
        return self.ink.size >= 24 or (self.ink.bold and self.ink.size >= 18.66)


@dataclass(frozen=True, slots=True)
class Link:
    """An `<a href>`. `words` are what a reader sees, else what a screen reader says of it."""

    href: str
    words: str
    element: etree._Element
    is_picture: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A mail's HTML. `elements` are all of them in order, comments left out; `sheets` the style
    blocks that are no conditional comment's; `runs` the text of the body; `words` all of it that a
    reader sees, on one line."""

    html: str
    body: etree._Element
    elements: tuple[etree._Element, ...]
    sheets: tuple[StyleSheet, ...]
    runs: tuple[Run, ...]
    links: tuple[Link, ...]
    words: str

    def named(self, *tags: str) -> Iterator[etree._Element]:
        """Every element of these names, in order."""
        return (element for element in self.elements if element.tag in tags)

    @property
    def seen(self) -> Iterator[Run]:
        """The runs that a reader sees."""
        return (run for run in self.runs if not run.ink.hidden)

    @property
    def head(self) -> str:
        """The source up to the body."""
        match = re.search(r"<body\b", self.html, re.IGNORECASE)
        return self.html[: match.start()] if match else self.html


def read_page(html: str) -> Page:
    """The page, however broken it is."""
    root = tree_of(html)
    elements = tuple(root.iter(etree.Element))
    sheets = tuple(css.style_sheet(words_in(e)) for e in elements if e.tag == "style")
    body = next((part for part in elements if part.tag == "body"), root)
    runs = tuple(runs_of(body))
    return Page(
        html=html,
        body=body,
        elements=elements,
        sheets=sheets,
        runs=runs,
        links=tuple(_link(part) for part in elements if part.tag == "a" and "href" in part.attrib),
        words=" ".join(run.words for run in runs if run.words and not run.ink.hidden),
    )


def tree_of(html: str) -> etree._Element:
    """The root of the document's tree, comments included, however broken it is."""
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_pis=True)
    source = _UNREADABLE.sub("", html)
    # libxml2 makes nothing at all of a document without elements.
    root = etree.fromstring(f"<!-- -->{source}".encode(), parser)
    return etree.Element("html") if root is None else root


def style_of(element: etree._Element) -> tuple[Declaration, ...]:
    """What the style attribute declares."""
    style = element.get("style")
    return css.declarations(style) if style else ()


def words_in(element: etree._Element) -> str:
    """The text of an element and all it holds."""
    return "".join(map(str, element.itertext()))


def squeeze(text: str) -> str:
    """The text on one line, without spaces at its ends and invisible padding."""
    return _SPACES.sub(" ", INVISIBLE.sub("", text)).strip()


def start_tag(element: etree._Element) -> str:
    """`<td class="outer">`: how people find an element again."""
    named = next((name for name in ("class", "id", "name", "src") if element.get(name)), None)
    return f'<{element.tag} {named}="{element.get(named)}">' if named else f"<{element.tag}>"


def holds(element: etree._Element, *tags: str) -> bool:
    """Whether one of these is inside of it."""
    return next(element.iterdescendants(*tags), None) is not None


def around(element: etree._Element, *tags: str) -> etree._Element | None:
    """The nearest of these that the element is in."""
    return next(element.iterancestors(*tags), None)


def is_layout(table: etree._Element) -> bool:
    """Whether the table says that it holds no rows and columns of facts."""
    return table.get("role", "").lower() in ("presentation", "none")


def _link(element: etree._Element) -> Link:
    alts = [image.get("alt", "") for image in element.iterdescendants("img")]
    seen = squeeze(words_in(element))
    spoken = seen or squeeze(" ".join(alts)) or squeeze(element.get("aria-label", ""))
    return Link(element.get("href", ""), spoken, element, not seen and bool(alts))


# What a style sheet says over the style attributes, by element.
Over: TypeAlias = Mapping[etree._Element, dict[str, str]]


def runs_of(body: etree._Element, over: Over = MappingProxyType({})) -> Iterator[Run]:
    """The text of the body in order, as painted. No recursion: a hostile mail nests without end."""
    inks = {body: _ink(body, Ink(), over)}
    waiting: list[tuple[etree._Element, bool]] = [(body, False)]
    while waiting:
        element, tail = waiting.pop()
        if tail:
            parent = element.getparent()
            if parent is not None and element.tail:
                yield Run(element.tail, squeeze(element.tail), parent, inks[parent])
            continue
        if not _is_element(element) or element.tag in _SILENT:
            continue
        if element is not body:
            parent = element.getparent()
            inks[element] = _ink(element, inks[parent] if parent is not None else Ink(), over)
        if element.text:
            yield Run(element.text, squeeze(element.text), element, inks[element])
        for child in reversed(element):
            waiting.extend(((child, True), (child, False)))


def _is_element(node: etree._Element) -> bool:
    """Whether it is no comment; lxml gives those a function for a tag."""
    return isinstance(node.tag, str)


def _ink(element: etree._Element, above: Ink, over: Over) -> Ink:
    """How the element's own text is painted."""
    tag, style = str(element.tag), style_of(element)
    said = {part.name: part.value for part in style} | over.get(element, {})
    size = _size(said.get("font-size"), above.size, _HEADINGS.get(tag, above.size))
    leading, leading_px = _leading(said.get("line-height"), size, above)
    if not (style or tag in _BOLD or tag in _LITERAL or element.attrib or tag == "a"):
        return replace(above, leading=leading) if leading != above.leading else above
    weight = said.get("font-weight", "")
    ground = _ground(element, said, above)
    return Ink(
        colour=_colour(element, said, above).over(ground),
        ground=ground,
        size=size,
        leading=leading,
        leading_px=leading_px,
        bold=_is_bold(weight) if weight else above.bold or tag in _BOLD,
        align=_align(element, said, above),
        hidden=above.hidden or said.get("display", "").lower() == "none",
        literal=above.literal or tag in _LITERAL,
    )


def _align(element: etree._Element, said: dict[str, str], above: Ink) -> str:
    """As browsers have it: `align` on a box aligns what is in it as far as the next table, and
    they call that -webkit-center; `text-align` goes on."""
    if "text-align" in said:
        return said["text-align"]
    typed = element.get("align", "").lower()
    if typed and element.tag in ("td", "th", "tr", "div"):
        return f"-webkit-{typed}"
    if element.tag == "table":
        return "" if above.align.startswith("-webkit-") else above.align
    return typed or above.align


def _is_bold(weight: str) -> bool:
    return weight in ("bold", "bolder") or (weight.isdigit() and int(weight) >= 600)


def _colour(element: etree._Element, said: dict[str, str], above: Ink) -> Colour:
    attribute = "color" if element.tag == "font" else "text"
    typed = said.get("color") or element.get(attribute, "")
    found = colour.parse(typed) if typed else None
    if found is None and element.tag == "a" and "href" in element.attrib and not typed:
        return colour.LINK
    return found or above.colour


def _ground(element: etree._Element, said: dict[str, str], above: Ink) -> Colour:
    shorthand = said.get("background", "").split()
    typed = (said.get("background-color"), *shorthand, element.get("bgcolor"))
    found = next((c for c in map(colour.parse, filter(None, typed)) if c), None)
    return found.over(above.ground) if found else above.ground


def _size(said: str | None, above: float, default: float) -> float:
    if not said:
        return default
    return _SIZES.get(said.lower()) or css.pixels(said, above) or above


def _leading(said: str | None, size: float, above: Ink) -> tuple[float | None, float | None]:
    """The line height as a multiple of the size, and in px when it was said in px."""
    if said is None:
        if above.leading_px is not None and size:
            return above.leading_px / size, above.leading_px
        return above.leading, None
    if re.fullmatch(r"[0-9]*\.?[0-9]+", said) and float(said):
        return float(said), None
    px = css.pixels(said, size)
    return (px / size, px) if px is not None and size else (None, None)
