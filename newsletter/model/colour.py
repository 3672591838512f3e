"""Colours and how well they can be told apart (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
from typing import NamedTuple

HEX = re.compile(r"#[0-9a-fA-F]{6}")


class Colour(NamedTuple):
    """Red, green, blue and alpha, each from 0 to 1, in sRGB."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    @classmethod
    def of(cls, digits: str) -> Colour:
        """The colour of `#1f6b54`. Raises ValueError for anything but six digits."""
        if not HEX.fullmatch(digits):
            raise ValueError(f"{digits!r} is no colour of six hex digits, such as #1f6b54")
        return cls(*(int(digits[place : place + 2], 16) / 255 for place in (1, 3, 5)))

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


def contrast(ink: Colour, ground: Colour) -> float:
    """The ratio from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((ink.luminance, ground.luminance), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def linear(part: float) -> float:
    """One part of an sRGB colour as light is measured (IEC 61966-2-1)."""
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
