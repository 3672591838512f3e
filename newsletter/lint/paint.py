"""Rules on how colours and backgrounds are written, and which clients then drop them."""

from __future__ import annotations

import re

from newsletter.lint import colour, css
from newsletter.lint.galley import Galley
from newsletter.lint.page import start_tag
from newsletter.lint.rule import Finding, Findings, error, warning
from newsletter.lint.styles import all_css, inline, style_attributes

MODERN = re.compile(r"\b(?:oklch|oklab|lch|lab|hwb|color-mix|color|light-dark)\(", re.IGNORECASE)
SPACED = re.compile(r"\b(?:rgba?|hsla?)\(\s*[^,()\s]+\s+[^,()]+\)", re.IGNORECASE)
SHORT_HEX = re.compile(r"#[0-9a-fA-F]{3,4}(?![0-9a-zA-Z_-])")
NO_COLOUR = frozenset(("transparent", "inherit", "initial", "unset", "currentcolor", "none"))
NEAR_WHITE = re.compile(r"#(?!ffffff)f[cdef]f[cdef]f[cdef](?![0-9a-f])", re.IGNORECASE)


@error(
    "color-modern",
    "composition 23; caniemail css-modern-color",
    "write the colour as six hex digits",
    "Gmail, Outlook",
)
def modern_colours(galley: Galley) -> Findings:
    """`oklch()`, `color-mix()` and other functions that mail clients do not know."""
    for text in all_css(galley):
        for match in MODERN.finditer(text):
            yield Finding(f"{match[0]}...)", about=(match[0],))


@error(
    "color-spaces",
    "composition 23; caniemail css-rgb",
    "write rgb(0,128,0) with commas, or six hex digits",
    "Gmail",
)
def space_separated_colours(galley: Galley) -> Findings:
    """Colours with spaces in place of commas: Gmail drops the whole style attribute or block."""
    for text in all_css(galley):
        for match in SPACED.finditer(text):
            yield Finding(match[0], about=(match[0],))


@warning(
    "background-several",
    "composition 34; caniemail css-background",
    "one background-color and one background-image, each by itself",
    "Yahoo",
)
def several_backgrounds(galley: Galley) -> Findings:
    """Several backgrounds in one declaration, or a size in the shorthand."""
    for element, (name, value, _) in inline(galley):
        bare = re.sub(r"\([^)]*\)", "", value)
        if name in ("background", "background-image") and ("," in bare or "/" in bare):
            yield Finding(
                f"{name}:{value} in {start_tag(element)}", about=(value, start_tag(element))
            )


@error(
    "background-fallback",
    "composition 34",
    "add bgcolor and background-color: Word and blocked pictures show those",
    "Outlook for Windows",
)
def background_without_colour(galley: Galley) -> Findings:
    """A background picture on an element without a background colour."""
    for element in galley.page.elements:
        style = css.declarations(element.get("style", ""))
        values = " ".join(value for name, value, _ in style if name.startswith("background"))
        pictured = "url(" in values or element.get("background")
        plain = element.get("bgcolor") or colour.parse(css.longhand(style, "background-color"))
        if pictured and not plain:
            yield Finding(f"{start_tag(element)} has no colour", about=(start_tag(element),))


@error(
    "color-attribute",
    "composition 35",
    "write six hex digits",
    "Outlook for Windows, Lotus Notes",
)
def colours_in_attributes(galley: Galley) -> Findings:
    """A colour in an attribute that is not six hex digits."""
    for element in galley.page.elements:
        for name in ("bgcolor", "color", "text", "link", "bordercolor"):
            value = element.get(name)
            if value is not None and not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
                yield Finding(f'{name}="{value}" in <{element.tag}>', about=(f'{name}="{value}"',))


@warning("color-short", "composition 35", "write six hex digits", "Outlook for Windows")
def short_colours(galley: Galley) -> Findings:
    """A colour of three hex digits."""
    for text in style_attributes(galley):
        for match in SHORT_HEX.finditer(re.sub(r"url\([^)]*\)", "", text)):
            yield Finding(match[0], about=(match[0],))


@warning(
    "color-near-white",
    "composition 36; email-bugs 156",
    "use #ffffff",
    "Yahoo",
)
def near_white(galley: Galley) -> Findings:
    """A colour just beside white, an old trick that Yahoo's dark mode turns green."""
    for text in all_css(galley):
        for match in NEAR_WHITE.finditer(text):
            if match[0].lower() in ("#fffffe", "#fefefe", "#feffff", "#fffeff", "#fdfdfd"):
                yield Finding(match[0], about=(match[0],))


@warning(
    "ink-hidden",
    "SpamAssassin HTML_FONT_LOW_CONTRAST; rspamd MANY_INVISIBLE_PARTS",
    "leave its colour out: an empty cell needs none",
)
def ink_is_no_ground(galley: Galley) -> Findings:
    """Something in the colour of its own background, if only a blank: filters see hidden text."""
    for run in galley.page.runs:
        own = css.longhand(css.declarations(run.element.get("style", "")), "color")
        unseen = run.text.strip(" \t\n") and not run.words and run.ink.colour == run.ink.ground
        if own and unseen and not run.ink.hidden:
            tag = start_tag(run.element)
            yield Finding(f"{run.ink.colour} on {run.ink.ground} in {tag}", about=(tag,))


@warning(
    "link-color",
    "composition 39",
    "give each link a color of its own",
    "Outlook, Gmail",
)
def links_have_a_colour(galley: Galley) -> Findings:
    """A link without a colour of its own: these clients then choose one."""
    for link in galley.page.links:
        inside = (link.element, *link.element.iterdescendants())
        styles = (css.declarations(element.get("style", "")) for element in inside)
        if link.words and not any(css.longhand(style, "color") for style in styles):
            yield Finding(f'"{link.words[:40]}"', about=(link.href, link.words))


@warning("color-named", "composition 35", "write six hex digits", "Outlook for Windows")
def named_colours(galley: Galley) -> Findings:
    """A colour by its name, of which some old clients know sixteen."""
    for text in style_attributes(galley):
        for name, value, _ in css.declarations(text):
            word = value.strip().lower()
            named = word.isalpha() and word not in NO_COLOUR and colour.parse(word) is not None
            if name in ("color", "background-color", "background") and named:
                yield Finding(f"{name}:{word}", about=(f"{name}:{word}", word))
