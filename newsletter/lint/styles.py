"""Rules on CSS: what makes a client drop a declaration, a rule or a whole block."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from newsletter.lint import css
from newsletter.lint.css import Declaration
from newsletter.lint.galley import Galley
from newsletter.lint.page import start_tag
from newsletter.lint.rule import Finding, Findings, error, note, warning

RANGE = re.compile(r"[<>]=?")
FEATURE = re.compile(r"\(\s*([\w-]+)")
KNOWN_FEATURES = frozenset(
    ("min-width", "max-width", "prefers-color-scheme", "-webkit-min-device-pixel-ratio")
)
IMPORTANT = re.compile(r"!\s*important\b", re.IGNORECASE)
NO_CLASS = re.compile(r"^[_-]|__$")
ODD_CLASS = re.compile(r"[:/%.\[\]()]")
GENERIC = frozenset(
    ("serif", "sans-serif", "monospace", "cursive", "fantasy", "system-ui", "inherit", "initial")
)


def inline(galley: Galley) -> Iterator[tuple[etree._Element, Declaration]]:
    """Each inline declaration and its element."""
    for element in galley.page.elements:
        style = element.get("style")
        if style:
            for declaration in css.declarations(style):
                yield element, declaration


OBSOLETE = re.compile(
    r"\.ExternalClass|\.ReadMsgBody|\.yshortcuts|\.a6S|\[style\*=\"margin: 16px 0\"\]"
    r"|#outlook a|-device-width:\s*(?:375|414|812)px"
)


def style_attributes(galley: Galley) -> Iterator[str]:
    """Each different style attribute."""
    styles = (element.get("style") for element in galley.page.elements)
    return iter(dict.fromkeys(style for style in styles if style))


def all_css(galley: Galley) -> Iterator[str]:
    yield from (sheet.text for sheet in galley.page.sheets)
    yield from style_attributes(galley)


@error(
    "css-at-nested",
    "composition 21; email-bugs 21",
    "take the inner rule out; repeat the outer condition",
    "Gmail",
)
def at_rules_in_at_rules(galley: Galley) -> Findings:
    """An at-rule inside of another: Gmail drops the whole block."""
    for sheet in galley.page.sheets:
        for at_rule in sheet.at_rules:
            if len(at_rule) > 1:
                yield Finding(f"{at_rule[-1]} inside of {at_rule[-2]}", about=(at_rule[-1],))


@error(
    "css-nesting",
    "composition 25, 32; caniemail css-nesting",
    "write the inner rule by itself, with the whole selector",
    "Gmail, Yahoo, Outlook",
)
def nested_rules(galley: Galley) -> Findings:
    """A rule inside of another."""
    for sheet in galley.page.sheets:
        for selector in sheet.nested:
            yield Finding(f"`{selector}` is nested", about=(selector,))


def _media(galley: Galley) -> Iterator[str]:
    for sheet in galley.page.sheets:
        for at_rule in sheet.at_rules:
            if at_rule[-1].startswith("@media"):
                yield at_rule[-1]


@error(
    "css-media-list",
    "composition 22; email-bugs 149",
    "write one @media rule for each condition",
    "Yahoo",
)
def media_lists(galley: Galley) -> Findings:
    """A list of media queries: Yahoo cuts the rest of the block."""
    for media in _media(galley):
        if "," in media:
            yield Finding(f"{media}: a comma", about=(media,))


@error(
    "css-media-range",
    "composition 24",
    "write (max-width:599px) in place of (width <= 599px)",
    "Outlook, Yahoo, older phones",
)
def media_ranges(galley: Galley) -> Findings:
    """Range syntax in a media query."""
    for media in _media(galley):
        if RANGE.search(media):
            yield Finding(f"{media}: range syntax", about=(media,))


@warning(
    "css-media-feature",
    "composition 25; caniemail css-at-media",
    "ask only for min-width, max-width and prefers-color-scheme",
    "Yahoo, AOL, Gmail",
)
def media_features(galley: Galley) -> Findings:
    """A media query on something that Yahoo or Gmail does not know."""
    for media in _media(galley):
        for feature in FEATURE.findall(media):
            if feature.lower() not in KNOWN_FEATURES and not RANGE.search(media):
                yield Finding(f"{media}: {feature}", about=(media,))


@error(
    "css-comment",
    "composition 26; email-bugs 25; caniemail css-comments",
    "use a template comment {# ... #}, which never reaches the mail",
    "Yahoo, AOL, Orange, Mail.ru",
)
def css_comments(galley: Galley) -> Findings:
    """A comment in CSS: Yahoo drops the rule that follows, Mail.ru the style attribute."""
    for text in all_css(galley):
        for match in re.finditer(r"/\*.{0,40}", text):
            yield Finding(f"{match[0]}", about=(match[0], "/*"))


@error(
    "important-case",
    "composition 27; caniemail css-important",
    "write !important in lower case",
    "Gmail",
)
def loud_important(galley: Galley) -> Findings:
    """`!IMPORTANT` in upper case."""
    for text in all_css(galley):
        for match in IMPORTANT.finditer(text):
            if not match[0].islower():
                yield Finding(match[0], about=(match[0],))


@error(
    "important-inline",
    "composition 27; caniemail css-important",
    "drop it: an inline style wins already",
    "Outlook for Windows",
)
def important_inline(galley: Galley) -> Findings:
    """`!important` in a style attribute: Word ignores the declaration."""
    for element, declaration in inline(galley):
        if declaration.important:
            yield Finding(f"{declaration.name} in {start_tag(element)}", about=("!important",))


@warning(
    "important-missing",
    "composition 27",
    "add !important: the inline style wins otherwise",
)
def important_missing(galley: Galley) -> Findings:
    """A declaration in a media query that cannot win over an inline style."""
    written = {name for _, (name, _, _) in inline(galley)}
    for rule, declaration in css.all_declarations(galley.page.sheets):
        media = rule.within and rule.within[-1].startswith("@media")
        if media and not declaration.important and declaration.name in written:
            yield Finding(
                f"{rule.selector} {{{declaration.name}}} without !important",
                about=(rule.selector,),
            )


@error(
    "class-name",
    "composition 29; email-bugs 22",
    "let it begin with a letter and not end in __",
    "Yahoo",
)
def class_names(galley: Galley) -> Findings:
    """Class names that Yahoo does not find again."""
    for name in _classes(galley):
        if NO_CLASS.search(name):
            yield Finding(f'class="{name}"', about=(name,))


@warning("class-characters", "composition 29", "use letters, digits and hyphens", "Gmail, Yahoo")
def class_characters(galley: Galley) -> Findings:
    """Class names with characters that some clients cannot match."""
    for name in _classes(galley):
        if ODD_CLASS.search(name):
            yield Finding(f'class="{name}"', about=(name,))


def _classes(galley: Galley) -> Iterator[str]:
    names = (name for e in galley.page.elements for name in e.get("class", "").split())
    return iter(dict.fromkeys(names))


@warning(
    "selector-attribute",
    "composition 30; caniemail css-selector-attribute",
    "use a class; only [data-ogsc], [data-ogsb] and a[x-apple-data-detectors] are worth it",
    "Outlook.com, Gmail",
)
def attribute_selectors(galley: Galley) -> Findings:
    """Attribute selectors."""
    for rule, selector in _selectors(galley):
        bare = re.sub(
            r"\[data-ogs[cb]\] |a\[x-apple-data-detectors\]|\[data-ogs[cb]\]", "", selector
        )
        if "[" in bare:
            yield Finding(selector, about=(selector, rule))


@warning(
    "selector-chained",
    "composition 31; caniemail css-selector-chaining",
    "use one class that means both",
    "Outlook.com, Outlook for Windows",
)
def chained_classes(galley: Galley) -> Findings:
    """`.a.b`, which Outlook applies to every .a."""
    for rule, selector in _selectors(galley):
        if re.search(r"\.[\w-]+\.[\w-]+", selector):
            yield Finding(selector, about=(selector, rule))


def _selectors(galley: Galley) -> Iterator[tuple[str, str]]:
    for sheet in galley.page.sheets:
        for rule in sheet.rules:
            for selector in rule.selectors:
                yield rule.selector, selector


@warning(
    "font-generic",
    "composition 38",
    "end the list in serif, sans-serif or monospace",
)
def fonts_without_a_family(galley: Galley) -> Findings:
    """A list of fonts that does not end in a generic family."""
    for _, (name, value, _) in inline(galley):
        if name == "font-family" and value.split(",")[-1].strip().lower() not in GENERIC:
            yield Finding(f"font-family:{value}", about=(value,))


@warning(
    "font-weight",
    "composition 37; caniemail css-font-weight",
    "write bold, normal or a hundred from 100 to 900",
)
def odd_weights(galley: Galley) -> Findings:
    """A font weight that not all clients read."""
    allowed = {"bold", "normal", "bolder", "lighter", "inherit", *map(str, range(100, 1000, 100))}
    for element, (name, value, _) in inline(galley):
        if name == "font-weight" and value not in allowed:
            yield Finding(
                f"font-weight:{value} in {start_tag(element)}",
                about=(f"font-weight:{value}", value),
            )


@note(
    "css-obsolete",
    "composition 78",
    "drop it: the client that needed it is gone",
)
def rules_for_clients_that_are_gone(galley: Galley) -> Findings:
    """CSS for clients that are gone: Hotmail's .ExternalClass and others."""
    for sheet in galley.page.sheets:
        for match in OBSOLETE.finditer(sheet.text):
            yield Finding(match[0], about=(match[0],))


@warning(
    "mso-line-height",
    "composition 37; Cerberus",
    "add mso-line-height-rule:exactly for Word, as in email.html",
    "Outlook for Windows",
)
def word_keeps_line_heights(galley: Galley) -> Findings:
    """Line heights in px, and nothing tells Word to keep to them."""
    exact = "mso-line-height-rule" in galley.page.html
    if not exact and any(run.ink.leading_px for run in galley.page.seen):
        yield Finding("no mso-line-height-rule", about=("<!--[if mso]>", "<head"))
