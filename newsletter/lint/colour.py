"""Colours and how well they can be told apart (WCAG 2.2, 1.4.3).

Enters: a colour as CSS or HTML writes it. Leaves: numbers. Knows no page.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from tinycss2.color3 import parse_color

_BARE_HEX = re.compile(r"[0-9a-fA-F]{6}|[0-9a-fA-F]{3}")


class Colour(NamedTuple):
    """Red, green, blue and alpha, each from 0 to 1, in sRGB."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def over(self, ground: Colour) -> Colour:
        """What is seen when it is painted on an opaque ground."""
        mixed = (a * self.alpha + b * (1 - self.alpha) for a, b in zip(self, ground, strict=True))
        red, green, blue, _ = mixed
        return Colour(red, green, blue)

    @property
    def luminance(self) -> float:
        red, green, blue = map(linear, self[:3])
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def __str__(self) -> str:
        return "#" + "".join(f"{round(part * 255):02x}" for part in self[:3])


BLACK, WHITE = Colour(0, 0, 0), Colour(1, 1, 1)
# What a link has that is given no colour (HTML 15.3.1).
LINK = Colour(0, 0, 0xEE / 255)


@lru_cache(maxsize=1024)
def parse(text: str) -> Colour | None:
    """The colour, None for what is none or is unknown: `inherit`, `var(--x)`, a gradient."""
    typed = f"#{text}" if _BARE_HEX.fullmatch(text) else text
    found = parse_color(typed)
    return Colour(*found) if found is not None and found != "currentColor" else None


def contrast(ink: Colour, ground: Colour) -> float:
    """The ratio from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((ink.luminance, ground.luminance), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def linear(part: float) -> float:
    """A part of an sRGB colour as light (IEC 61966-2-1)."""
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
