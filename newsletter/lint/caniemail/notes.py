"""Which of caniemail's numbered notes concern a use, and so whether a client's "almost" or "no"
is a fault of this mail.

Decided by hand from the notes; a test holds that each note of a partly supported feature that can
do harm is decided here, or is one on mailboxes of other providers, which the table marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from newsletter.lint import css
from newsletter.lint.caniemail.uses import Use

Concerns: TypeAlias = Callable[[Use], bool]


def always(_: Use) -> bool:
    return True


def never(_: Use) -> bool:
    return False


def says(*words: str) -> Concerns:
    """The value has one of the words in it."""
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, words))})(?![\w-])")
    return lambda use: pattern.search(use.value.lower()) is not None


def has(*parts: str) -> Concerns:
    """The value has one of the parts in it, anywhere."""
    return lambda use: any(part in use.value.lower() for part in parts)


def on(*tags: str) -> Concerns:
    """The use is on one of these elements."""
    return lambda use: use.tag in tags


def asks(*words: str) -> Concerns:
    """The media query asks for one of these."""
    return lambda use: any(word in use.said for word in words)


def with_a_class(use: Use) -> bool:
    """The pseudo-class follows a class or an id: `.item:first-child`."""
    return re.search(r"[.#][\w-]+::?[a-z]", use.selector) is not None


def thick(use: Use) -> bool:
    """A border of more than 8 px, where Word stops."""
    widths = (css.pixels(part) for part in use.value.split())
    return any(width is not None and width > 8 for width in widths)


def around_a_table(use: Use) -> bool:
    return use.element is not None and next(use.element.iterdescendants("table"), None) is not None


def with_numbers(use: Use) -> bool:
    """An item of a list that says its number itself."""
    items = use.element.iterdescendants("li") if use.element is not None else ()
    return any("value" in item.attrib for item in items)


def backwards(use: Use) -> bool:
    return use.element is not None and "reversed" in use.element.attrib


def several(use: Use) -> bool:
    """More than one word in the value."""
    return len(use.value.split()) > 1


_TYPE_SELECTORS_ONLY: dict[int, Concerns] = {1: with_a_class}
_PSEUDO_ELEMENTS: dict[int, Concerns] = {2: with_a_class, 3: with_a_class}
_INSETS = ("absolute", "fixed", "sticky")

CONCERNS: Mapping[str, Mapping[int, Concerns]] = {
    "css-animation": {1: always, 2: never},
    "css-at-media": {1: never, 2: never, 7: asks("height"), 8: asks("orientation"), 10: never},
    "css-background-position": {1: has(",")},
    "css-background-repeat": {1: has(",")},
    "css-border": {1: thick, 2: on("p", "div")},
    "css-border-inline-block-individual": {1: always},
    "css-border-radius": {2: has("/")},
    "css-clear": {1: says("inline-start", "inline-end")},
    "css-clip-path": {1: has("path("), 2: has("url(")},
    # display:none and display:flex are features of their own.
    "css-display": {
        1: says("flow-root", "contents", "initial", "revert", "unset"),
        2: never,
        3: never,
        4: never,
        5: says("inline-block", "table", "table-cell", "table-row", "inline-table", "contents"),
        6: says("flow-root", "contents", "revert"),
        7: never,
    },
    "css-display-none": {1: around_a_table, 2: on("img")},
    "css-filter": {1: several},
    "css-float": {2: says("inline-start", "inline-end")},
    "css-font-size-adjust": {1: several, 3: several},
    "css-function-light-dark": {1: always, 2: always},
    "css-gap": {1: always, 2: never},
    "css-height": {1: never, 2: on("body", "span", "div", "p")},
    "css-intrinsic-size": {1: says("max-content")},
    "css-left-right-top-bottom": {1: always, 2: has("%")},
    "css-letter-spacing": {1: has("-"), 2: has("em")},
    "css-linear-gradient": {3: always},
    "css-list-style": dict.fromkeys((1, 2, 3, 4), has("url(")),
    "css-overflow": {1: says("auto", "scroll"), 3: never, 4: never},
    "css-position": {
        1: says("sticky", "fixed"),
        2: says("relative", "absolute", "fixed"),
        3: says(*_INSETS),
        4: says("absolute", "fixed"),
        6: never,
    },
    "css-pseudo-class-checked": _TYPE_SELECTORS_ONLY,
    "css-pseudo-class-default": {1: always},
    "css-pseudo-class-first-child": _TYPE_SELECTORS_ONLY,
    "css-pseudo-class-first-of-type": _TYPE_SELECTORS_ONLY,
    "css-pseudo-class-last-child": _TYPE_SELECTORS_ONLY,
    "css-pseudo-class-last-of-type": _TYPE_SELECTORS_ONLY,
    "css-pseudo-class-only-child": _TYPE_SELECTORS_ONLY,
    "css-pseudo-class-only-of-type": _TYPE_SELECTORS_ONLY,
    "css-pseudo-class-target": {1: with_a_class, 2: always},
    "css-pseudo-element-after": _PSEUDO_ELEMENTS,
    "css-pseudo-element-before": _PSEUDO_ELEMENTS,
    "css-pseudo-element-first-letter": _PSEUDO_ELEMENTS,
    "css-pseudo-element-first-line": _PSEUDO_ELEMENTS,
    "css-radial-gradient": {2: always},
    "css-selector-adjacent-sibling": {2: never},
    "css-text-align": {1: says("start", "end"), 3: says("match-parent"), 5: never},
    "css-text-decoration": {2: several, 3: says("overline"), 4: several, 5: several},
    "css-text-indent": {1: has("-"), 2: has("-")},
    "css-text-transform": {1: says("lowercase")},
    "css-transition": dict.fromkeys((1, 2, 3), always),
    "css-unit-initial": {1: never},
    "css-unit-vh": {2: always},
    "css-unit-vmax": {2: always},
    "css-unit-vmin": {2: always},
    "css-white-space": {2: says("pre")},
    "css-word-spacing": {1: has("rem", "ch")},
    "html-dir": {1: has("rtl"), 2: on("table", "td"), 3: on("a")},
    "html-hidden": {1: never},
    "html-lists": {1: backwards, 2: with_numbers},
    "html-marquee": {1: always, 2: never, 3: never},
    "image-heif": {1: never, 3: always},
}
