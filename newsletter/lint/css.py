"""CSS as written -> declarations and rules that can be judged.

Enters: the text of a style attribute or block. Leaves: its parts in order, without repair; what
cannot be parsed is left out. The only door to tinycss2. Knows no HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import tinycss2

MOST_DEPTH = 8
LENGTH = re.compile(r"\s*(-?[0-9]*\.?[0-9]+)(px|pt|em|rem|%|)\s*", re.IGNORECASE)
# Python turns no more than 4,300 digits into a number, and tinycss2 lets its ValueError through.
ENDLESS = re.compile(r"[0-9]{4000}")
_PIXELS = {"px": 1.0, "pt": 4 / 3, "rem": 16.0}


class Declaration(NamedTuple):
    """`name:value`, the name in lower case, the value without `!important`."""

    name: str
    value: str
    important: bool


@dataclass(frozen=True, slots=True)
class StyleRule:
    """A selector list and its declarations; `within` are the at-rules around it, outermost first,
    as `@media (max-width:599px)`."""

    selector: str
    declarations: tuple[Declaration, ...]
    within: tuple[str, ...] = ()

    @property
    def selectors(self) -> list[str]:
        return [selector.strip() for selector in self.selector.split(",")]


@dataclass(frozen=True, slots=True)
class StyleSheet:
    """One style block. `at_rules` are the at-rules with those around them, `nested` the selectors
    of rules inside of rules."""

    text: str
    rules: tuple[StyleRule, ...]
    at_rules: tuple[tuple[str, ...], ...]
    nested: tuple[str, ...]


@lru_cache(maxsize=8192)
def declarations(style: str) -> tuple[Declaration, ...]:
    """What a style attribute declares, in order."""
    if ENDLESS.search(style):
        return ()
    nodes = tinycss2.parse_declaration_list(style, skip_comments=True, skip_whitespace=True)
    return tuple(map(_declaration, (node for node in nodes if node.type == "declaration")))


@lru_cache(maxsize=64)
def style_sheet(text: str) -> StyleSheet:
    """The style block, parsed."""
    reading = _Reading([], [], [])
    if ENDLESS.search(text):
        return StyleSheet(text, (), (), ())
    reading.rules_in(
        tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True), within=()
    )
    return StyleSheet(text, tuple(reading.rules), tuple(reading.at_rules), tuple(reading.nested))


@dataclass(frozen=True, slots=True)
class _Reading:
    rules: list[StyleRule]
    at_rules: list[tuple[str, ...]]
    nested: list[str]

    def rules_in(self, nodes: list[Any], within: tuple[str, ...]) -> None:
        for node in nodes:
            if node.type == "qualified-rule":
                self.rule(node, within)
            elif node.type == "at-rule":
                self.at_rule(node, within)

    def rule(self, node: Any, within: tuple[str, ...]) -> None:
        selector = tinycss2.serialize(node.prelude).strip()
        inside = tinycss2.parse_blocks_contents(
            node.content, skip_comments=True, skip_whitespace=True
        )
        found = tuple(_declaration(part) for part in inside if part.type == "declaration")
        self.rules.append(StyleRule(selector, found, within))
        self.nested.extend(
            tinycss2.serialize(part.prelude).strip()
            for part in inside
            if part.type in ("qualified-rule", "at-rule")
        )

    def at_rule(self, node: Any, within: tuple[str, ...]) -> None:
        prelude = tinycss2.serialize(node.prelude).strip()
        named = (*within, f"@{node.lower_at_keyword} {prelude}".strip())
        self.at_rules.append(named)
        if node.content is None or len(named) > MOST_DEPTH:
            return
        if node.lower_at_keyword in ("font-face", "page"):
            found = tinycss2.parse_declaration_list(node.content, skip_comments=True)
            kept = tuple(_declaration(part) for part in found if part.type == "declaration")
            self.rules.append(StyleRule("", kept, named))
            return
        self.rules_in(
            tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True), named
        )


def _declaration(node: Any) -> Declaration:
    value = tinycss2.serialize(node.value).strip()
    return Declaration(node.lower_name, value, bool(node.important))


def longhand(found: tuple[Declaration, ...], name: str) -> str:
    """The last value of a property, "" when it is not declared."""
    return next((part.value for part in reversed(found) if part.name == name), "")


def pixels(text: str, base: float = 16.0) -> float | None:
    """A length in px; `base` is what em and % are of. None for anything else."""
    match = LENGTH.fullmatch(text)
    if match is None:
        return None
    number, unit = float(match[1]), match[2].lower()
    if unit == "em":
        return number * base
    if unit == "%":
        return number * base / 100
    if not unit and number:
        return None
    return number * _PIXELS.get(unit, 1.0)


def sides(value: str) -> tuple[str, str, str, str]:
    """Top, right, bottom and left of a `margin` or `padding` shorthand."""
    parts = value.split() or ["0"]
    top = parts[0]
    right = parts[1] if len(parts) > 1 else top
    bottom = parts[2] if len(parts) > 2 else top
    return top, right, bottom, parts[3] if len(parts) > 3 else right


def box(found: tuple[Declaration, ...], name: str) -> tuple[str, str, str, str]:
    """The four sides of `margin` or `padding`, the longhands over the shorthand."""
    values = list(sides(longhand(found, name) or "0"))
    for place, side in enumerate(("top", "right", "bottom", "left")):
        values[place] = longhand(found, f"{name}-{side}") or values[place]
    return values[0], values[1], values[2], values[3]


def is_nothing(value: str) -> bool:
    """Whether a length is zero, whatever its unit."""
    return pixels(value) == 0


def all_declarations(sheets: tuple[StyleSheet, ...]) -> Iterator[tuple[StyleRule, Declaration]]:
    """Each declaration of the style blocks with its rule."""
    for sheet in sheets:
        for rule in sheet.rules:
            for declaration in rule.declarations:
                yield rule, declaration
