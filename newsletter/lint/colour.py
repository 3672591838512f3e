"""Colours as CSS and HTML write them.

Enters: text. Leaves: colours, whose contrast the model measures. Knows no page.
"""

from __future__ import annotations

import re
from functools import lru_cache

from tinycss2.color3 import parse_color

from newsletter.model.colour import BLACK, WHITE, Colour, contrast, linear

__all__ = ["BLACK", "LINK", "WHITE", "Colour", "contrast", "linear", "parse"]

_BARE_HEX = re.compile(r"[0-9a-fA-F]{6}|[0-9a-fA-F]{3}")

# What a link has that is given no colour (HTML 15.3.1).
LINK = Colour(0, 0, 0xEE / 255)


@lru_cache(maxsize=1024)
def parse(text: str) -> Colour | None:
    """The colour, None for what is none or is unknown: `inherit`, `var(--x)`, a gradient."""
    typed = f"#{text}" if _BARE_HEX.fullmatch(text) else text
    found = parse_color(typed)
    return Colour(*found) if found is not None and found != "currentColor" else None
