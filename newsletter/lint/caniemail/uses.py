"""A mail's HTML -> what it uses of the features that can do harm, and where.

Enters: a parsed Page. Leaves: Uses by feature, in the order of the mail. Looks inside of comments
that only Word reads too. Refuses to judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from lxml import etree

from newsletter.lint import css
from newsletter.lint.caniemail import features
from newsletter.lint.caniemail.harms import HARMS
from newsletter.lint.caniemail.selectors import kinds_of, pseudos_of
from newsletter.lint.css import Declaration, StyleRule, StyleSheet
from newsletter.lint.page import Page, read_page, start_tag, style_of

MSO_ONLY = re.compile(r"<!--\[if\s([^\]]*)\]>(?!<!-->)")
FUNCTION = re.compile(r"(?<![\w-])([a-z][a-z-]*)\(", re.IGNORECASE)
UNIT = re.compile(r"(?<![\w#.-])[-+]?[0-9]*\.?[0-9]+([a-z]+|%)(?![\w-])", re.IGNORECASE)
WORD = re.compile(r"(?<![\w-])[a-z][a-z-]*(?![\w(-])", re.IGNORECASE)
LITERAL = re.compile(r"url\([^)]*\)|\"[^\"]*\"|'[^']*'")


class Where(StrEnum):
    """In which circumstances a client meets the feature."""

    BODY = "in the mail"
    KEPT = "in <style>"
    MEDIA = "in @media"
    MSO = "for Word"


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """One use of a feature. `said` is how people name it: `display:flex`, `<ruby>`, `:has()`.

    `value` is the declaration's or the attribute's; `beside` are the declarations it stands among;
    `selector` that of its rule, "" in a style attribute; `about` are words to find it by.
    """

    slug: str
    where: Where
    said: str
    about: tuple[str, ...]
    value: str = ""
    element: etree._Element | None = None
    selector: str = ""
    beside: tuple[Declaration, ...] = ()

    @property
    def tag(self) -> str:
        return str(self.element.tag) if self.element is not None else ""

    @property
    def place(self) -> str:
        """`<td class="x">`, `.card` or "" when `said` is the place itself."""
        if self.selector:
            return self.selector if self.selector not in self.said else ""
        shown = start_tag(self.element) if self.element is not None else ""
        return shown if not self.said.startswith("<") else ""


def _watched(table: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """From words to those features that can do harm."""
    return features.by_word({slug: words for slug, words in table.items() if slug in HARMS})


PROPERTIES = _watched(features.PROPERTIES)
FUNCTIONS = _watched(features.FUNCTIONS)
UNITS = _watched(features.UNITS)
WORDS = _watched({slug: words for slug, (_, words) in features.VALUES.items()})
ELEMENTS = _watched(features.ELEMENTS)
ATTRIBUTES = _watched(features.ATTRIBUTES)
PICTURES = _watched(features.PICTURES)
PSEUDOS = _watched(features.PSEUDOS)
SELECTORS = _watched(features.SELECTORS)


def uses_of(page: Page) -> dict[str, tuple[Use, ...]]:
    """All uses, by the feature's slug."""
    found: dict[str, list[Use]] = {}
    for use in (*_in_elements(page), *_in_sheets(page), *_for_word(page.html)):
        found.setdefault(use.slug, []).append(use)
    return {slug: tuple(uses) for slug, uses in found.items()}


def _in_elements(page: Page) -> Iterator[Use]:
    for element in page.elements:
        tag = str(element.tag)
        for slug in ELEMENTS.get(tag, ()):
            yield Use(slug, Where.BODY, f"<{tag}>", (f"<{tag}",), element=element)
        for name, typed in ((str(key), str(value)) for key, value in element.attrib.items()):
            if name == "style":
                yield from _in_style(element, typed)
            for slug in ATTRIBUTES.get(name, ()):
                said, about = f"{name}=", (f'{name}="{typed}"', f"{name}=")
                yield Use(slug, Where.BODY, said, about, typed, element)
        if tag == "img":
            yield from _in_source(element, element.get("src", ""))


def _in_style(element: etree._Element, style: str) -> Iterator[Use]:
    for slug, said, declaration in signs(style):
        # `<td class="x">` is found again, `<td>` anywhere.
        tag = start_tag(element)
        about = (*_typed(declaration), *((tag,) if " " in tag else ()))
        beside = css.declarations(style)
        yield Use(slug, Where.BODY, said, about, declaration.value, element, "", beside)


def _typed(declaration: Declaration) -> tuple[str, str]:
    """The declaration with and without a space, as people type it."""
    name, value, _ = declaration
    return f"{name}:{value}", f"{name}: {value}"


def _in_source(image: etree._Element, source: str) -> Iterator[Use]:
    try:
        suffix = PurePosixPath(urlsplit(source).path.lower()).suffix
    except ValueError:
        return
    for slug in PICTURES.get(suffix, ()):
        yield Use(slug, Where.BODY, suffix, (source,), source, image)


@lru_cache(maxsize=4096)
def signs(style: str) -> tuple[tuple[str, str, Declaration], ...]:
    """The features in a style attribute: slug, what to call it, and the declaration."""
    return tuple(
        (slug, said, declaration)
        for declaration in css.declarations(style)
        for slug, said in _signs_of(declaration)
    )


def _signs_of(declaration: Declaration) -> Iterator[tuple[str, str]]:
    """The features in a declaration, each with what to call it."""
    name, value, _ = declaration
    if name.startswith("--"):
        yield "css-variables", name
        return
    bare = LITERAL.sub("", value.lower())
    found = (
        *PROPERTIES.get(name, ()),
        *(slug for word in FUNCTION.findall(bare) for slug in FUNCTIONS.get(word, ())),
        *(slug for word in UNIT.findall(bare) for slug in UNITS.get(word, ())),
        *(s for word in WORD.findall(bare) for s in WORDS.get(word, ()) if _belongs(s, name)),
    )
    for slug in dict.fromkeys(found):
        yield slug, f"{name}:{value}"


def _belongs(slug: str, name: str) -> bool:
    """Whether the word means the feature in a property of that name."""
    names, _ = features.VALUES[slug]
    return not names or name in names


def _in_sheets(page: Page) -> Iterator[Use]:
    hidden = [e for e in page.elements if css.longhand(style_of(e), "display") == "none"]
    for sheet in page.sheets:
        yield from _in_sheet(sheet)
        for rule in sheet.rules:
            yield from _shown_by(rule, hidden)


def _in_sheet(sheet: StyleSheet) -> Iterator[Use]:
    for rule in sheet.rules:
        where = Where.MEDIA if any(map(_is_condition, rule.within)) else Where.KEPT
        if not rule.within or where is Where.MEDIA:
            yield from _in_selector(rule.selector, where)
        for declaration in rule.declarations:
            for slug, said in _signs_of(declaration):
                about = (rule.selector, *_typed(declaration))
                among = (rule.selector, rule.declarations)
                yield Use(slug, where, said, about, declaration.value, None, *among)


def _is_condition(at_rule: str) -> bool:
    return at_rule.startswith(("@media", "@supports"))


def _in_selector(selector: str, where: Where) -> Iterator[Use]:
    for pseudo in pseudos_of(selector):
        for slug in PSEUDOS.get(pseudo.strip(":"), ()):
            if ("-element-" in slug) == (pseudo in _ELEMENT_PSEUDOS or pseudo.startswith("::")):
                yield Use(slug, where, f"{pseudo} in {selector}", (selector,), selector=selector)
    for kind in kinds_of(selector):
        for slug in SELECTORS.get(kind, ()):
            yield Use(slug, where, f"the selector {selector}", (selector,), selector=selector)


_ELEMENT_PSEUDOS = frozenset((":before", ":after", ":first-letter", ":first-line"))


def _shown_by(rule: StyleRule, hidden: list[etree._Element]) -> Iterator[Use]:
    """What nobody sees without the media query: hidden in the mail, shown by the rule."""
    media = next((at for at in rule.within if at.startswith("@media")), "")
    shown = css.longhand(rule.declarations, "display")
    if not media or "prefers-color-scheme" in media or shown in ("", "none"):
        return
    names = set(re.findall(r"\.([\w-]+)", rule.selector))
    for element in hidden:
        if names & set(element.get("class", "").split()):
            said = f"{start_tag(element)} shown only by {media}"
            yield Use("css-at-media", Where.BODY, said, (rule.selector, media), shown, element)
            return


def _for_word(html: str) -> Iterator[Use]:
    read = 0
    for match in MSO_ONLY.finditer(html):
        if match.start() < read or "mso" not in match[1] or "!" in match[1]:
            continue
        read = html.find("<![endif]-->", match.end())
        if read < 0:
            return
        yield from _word_uses(html[match.end() : read])


@lru_cache(maxsize=256)
def _word_uses(inside: str) -> tuple[Use, ...]:
    """What stands in a comment that only Word reads; the same comments stand in every mail."""
    if "style" not in inside:
        return ()
    page = read_page(inside)
    uses = (*_in_elements(page), *(u for sheet in page.sheets for u in _in_sheet(sheet)))
    return tuple(
        Use(u.slug, Where.MSO, u.said, u.about, u.value, u.element, u.selector, u.beside)
        for u in uses
    )
