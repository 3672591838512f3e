"""Colours as CSS and HTML write them.

Enters: text. Leaves: colours, whose contrast the model measures. Knows no page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import tinycss2
from tinycss2.color3 import parse_color

from newsletter.model.colour import BLACK, WHITE, Colour, contrast, linear

__all__ = ["BLACK", "LINK", "WHITE", "Colour", "contrast", "linear", "parse", "repainted"]

_BARE_HEX = re.compile(r"[0-9a-fA-F]{6}|[0-9a-fA-F]{3}")

# No colour is longer; tinycss2 raises ValueError at a number of 4,300 digits.
LONGEST = 200
# What a link has that is given no colour (HTML 15.3.1).
LINK = Colour(0, 0, 0xEE / 255)


@lru_cache(maxsize=1024)
def parse(text: str) -> Colour | None:
    """The colour, None for what is none or is unknown: `inherit`, `var(--x)`, a gradient."""
    if len(text) > LONGEST:
        return None
    typed = f"#{text}" if _BARE_HEX.fullmatch(text) else text
    found = parse_color(typed)
    return Colour(*found) if found is not None and found != "currentColor" else None


def repainted(value: str, turn: Callable[[Colour], Colour]) -> str:
    """The CSS value with `turn` of every colour in it that can be seen, gradients included."""
    nodes = tinycss2.parse_component_value_list(value)
    return "".join(_repainted(node, turn) for node in nodes)


def _repainted(node: Any, turn: Callable[[Colour], Colour]) -> str:
    found = parse_color(node) if node.type in ("hash", "ident", "function") else None
    if found is not None and found != "currentColor":
        return _css(turn(Colour(*found))) if found.alpha else str(node.serialize())
    if node.type == "function" and node.lower_name != "url":
        inside = "".join(_repainted(each, turn) for each in node.arguments)
        return f"{node.name}({inside})"
    return str(node.serialize())


def _css(colour: Colour) -> str:
    """As every client reads it: six hex digits, or rgba() with commas."""
    if colour.alpha == 1:
        return str(colour)
    red, green, blue = (round(part * 255) for part in colour[:3])
    return f"rgba({red},{green},{blue},{colour.alpha:g})"
