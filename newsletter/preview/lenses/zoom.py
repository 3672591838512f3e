"""The mail with larger text, as people set it on their phones; boxes keep their size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from newsletter.lint.css import Declaration, StyleRule
from newsletter.lint.page import tree_of
from newsletter.preview.lenses.document import (
    put_style,
    restyle,
    restyle_sheets,
    written,
)

USUAL_PX = 16
_LENGTH = re.compile(r"(?<![\w.#-])([0-9]*\.?[0-9]+)(px|pt)\b", re.IGNORECASE)
_SCALED = ("font-size", "line-height", "font")


def zoomed(document: str, factor: float) -> str:
    """The document with every font size and line height in px or pt times `factor`."""
    root = tree_of(document)
    restyle(root, lambda _, said: _larger(said, factor))

    def larger(rule: StyleRule) -> StyleRule:
        return replace(rule, declarations=tuple(_larger(rule.declarations, factor)))

    restyle_sheets(root, larger)
    put_style(root, f"html{{font-size:{USUAL_PX * factor:g}px}}")
    return written(root)


def _larger(declarations: Iterable[Declaration], factor: float) -> Iterator[Declaration]:
    def grown(match: re.Match[str]) -> str:
        return f"{float(match[1]) * factor:g}{match[2]}"

    for name, value, important in declarations:
        grows = name in _SCALED
        yield Declaration(name, _LENGTH.sub(grown, value) if grows else value, important)
