"""Colours as a client shows them that darkens a light mail by itself. An approximation.

The Gmail app and Outlook for Windows do so, whatever the mail's own dark CSS says (composition 68);
neither says how. This is the recipe that the preview servers of the trade agree on (Maizzle's and
react-email's emulated dark mode): foregrounds and backgrounds apart, each turned over at the middle
of CIE lightness, three quarters as far out, with four fifths of the chroma. What is on the right
side already stays as light as it is. It errs on the safe side: black on white keeps a contrast of
12, where composition section 7 measured 11 for a dark grey by a recipe of its own.

Enters: a Colour. Leaves: a Colour. Knows no page.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from newsletter.lint.colour import Colour, linear

MIDDLE = 50.0
REACH = 0.75
CHROMA = 0.8
# CIE 15, 8.2.1: lightness, and the white of sRGB (D65, IEC 61966-2-1).
_WHITE_X, _WHITE_Z = 0.95047, 1.08883
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27
_SLACK = 1e-6
_HALVINGS = 24


class Lch(NamedTuple):
    """CIE lightness from 0 to 100, chroma from 0, hue in radians."""

    lightness: float
    chroma: float
    hue: float


@lru_cache(maxsize=1024)
def inverted_ink(colour: Colour) -> Colour:
    """What text, a border or an outline of this colour becomes: never darker than it was."""
    lightness, chroma, hue = lch_of(colour)
    lighter = lightness if lightness >= MIDDLE else MIDDLE + (MIDDLE - lightness) * REACH
    return _painted(Lch(lighter, chroma * CHROMA, hue), colour.alpha)


@lru_cache(maxsize=1024)
def inverted_ground(colour: Colour) -> Colour:
    """What a background of this colour becomes: never lighter than it was. White becomes
    #212121."""
    lightness, chroma, hue = lch_of(colour)
    darker = lightness if lightness <= MIDDLE else MIDDLE - (lightness - MIDDLE) * REACH
    return _painted(Lch(darker, chroma * CHROMA, hue), colour.alpha)


def lch_of(colour: Colour) -> Lch:
    """The colour without its alpha as lightness, chroma and hue."""
    red, green, blue = map(linear, colour[:3])
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / _WHITE_X
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / _WHITE_Z
    fx, fy, fz = map(_compressed, (x, y, z))
    a, b = 500 * (fx - fy), 200 * (fy - fz)
    return Lch(116 * fy - 16, math.hypot(a, b), math.atan2(b, a))


def _painted(wanted: Lch, alpha: float) -> Colour:
    """The colour a screen can show: where sRGB has none so strong, a weaker one of the same hue
    and lightness."""
    low, high = 0.0, wanted.chroma
    parts = _srgb(wanted)
    if not _is_shown(parts):
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (
                (middle, high)
                if _is_shown(_srgb(wanted._replace(chroma=middle)))
                else (low, middle)
            )
        parts = _srgb(wanted._replace(chroma=low))
    red, green, blue = (min(1.0, max(0.0, part)) for part in parts)
    return Colour(red, green, blue, alpha)


def _is_shown(parts: tuple[float, float, float]) -> bool:
    return all(-_SLACK <= part <= 1 + _SLACK for part in parts)


def _srgb(colour: Lch) -> tuple[float, float, float]:
    """Red, green and blue, outside of 0 to 1 where no screen shows them."""
    fy = (colour.lightness + 16) / 116
    fx = fy + colour.chroma * math.cos(colour.hue) / 500
    fz = fy - colour.chroma * math.sin(colour.hue) / 200
    x, y, z = _WHITE_X * _expanded(fx), _expanded(fy), _WHITE_Z * _expanded(fz)
    return (
        _gamma(3.2404542 * x - 1.5371385 * y - 0.4985314 * z),
        _gamma(-0.9692660 * x + 1.8760108 * y + 0.0415560 * z),
        _gamma(0.0556434 * x - 0.2040259 * y + 1.0572252 * z),
    )


def _compressed(part: float) -> float:
    return math.cbrt(part) if part > _EPSILON else (_KAPPA * part + 16) / 116


def _expanded(part: float) -> float:
    cube = part**3
    return cube if cube > _EPSILON else (116 * part - 16) / _KAPPA


def _gamma(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
