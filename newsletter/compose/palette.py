"""A look's colours with the publication's own in their place.

Enters: the colours of a look by name, for light and for the dark, and the tokens that replace
some. Leaves: all colours of a mail by name, with what depends on the replaced ones made anew so
that it can be read; only a colour that the owner chose may still be too faint, which
`too_faint` finds. Knows no file and no template.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from newsletter.model import Tone
from newsletter.model.colour import BLACK, WHITE, Colour, contrast

Paint = dict[str, str]

# WCAG 2.2, 1.4.3.
READABLE = 4.5
# What stands on what: every ink with the grounds that the templates put it on.
GROUNDS: dict[str, tuple[str, ...]] = {
    "ink": ("panel", "tint", "mark"),
    "heading": ("panel", "tint"),
    "muted": ("panel", "tint", "page"),
    "link": ("panel", "tint"),
    "button_ink": ("button",),
    "bar_ink": ("bar",),
    "bar_muted": ("bar",),
    **dict.fromkeys(("note", "tip", "warning"), ("tint",)),
    **dict.fromkeys(("keyword", "string", "number", "comment"), ("tint",)),
}
_STEPS = 24
# What is derived by day has more: that is READABLE still when a client turns both colours over
# (newsletter/lint/inversion.py).
_BY_DAY = 7.0
# White words on a filled ground, and a hair for what the turning rounds away.
_FILLED = 4.55
# From here on black words are better than white ones, turned over too.
_PALE = 0.38
ON_PALE, ON_DARK = "#14161a", "#ffffff"


@dataclass(frozen=True, slots=True)
class Faint:
    """Two colours that were put on each other and cannot be told apart well."""

    ink: str
    ground: str
    mode: str
    ratio: float


def in_light(look: Mapping[str, str], tones: Mapping[str, Tone]) -> Paint:
    """The colours by day."""
    paint = _repainted(look, {name: tone.light for name, tone in tones.items()})
    return _made_legible(paint, frozenset(tones), _BY_DAY) if tones else paint


def in_dark(look: Mapping[str, str], tones: Mapping[str, Tone]) -> Paint:
    """The colours in the dark; a token without a dark partner gets its hue at the look's
    lightness."""
    shades = {name: tone.dark or _partner(tone.light, look[name]) for name, tone in tones.items()}
    chosen = frozenset(name for name, tone in tones.items() if tone.dark)
    return _made_legible(_repainted(look, shades), chosen, READABLE) if tones else dict(look)


def too_faint(light: Mapping[str, str], dark: Mapping[str, str]) -> Iterator[Faint]:
    """Every ink that has less than READABLE on one of its grounds, in light and in the dark. A
    palette of somebody's own need not have every colour."""
    pairs = [(ink, ground) for ink, grounds in GROUNDS.items() for ground in grounds]
    for mode, paint in (("light", light), ("dark", dark)):
        for ink, ground in pairs:
            if ink in paint and ground in paint:
                ratio = contrast(Colour.of(paint[ink]), Colour.of(paint[ground]))
                if ratio < READABLE:
                    yield Faint(ink, ground, mode, ratio)


def _repainted(look: Mapping[str, str], shades: Paint) -> Paint:
    paint = {**look, **shades}
    if "accent" in shades:
        paint["note"] = paint["accent"]
        paint["link"] = shades.get("link", paint["accent"])
        paint["button"], paint["button_ink"] = _filled(paint["accent"])
    if "ink" in shades:
        paint["heading"] = paint["ink"]
        paint["muted"] = _mixed(paint["ink"], paint["panel"], 0.3)
    if shades.keys() & {"ink", "panel", "page"}:
        paint["tint"] = _mixed(paint["panel"], paint["ink"], 0.05)
        paint["line"] = _mixed(paint["panel"], paint["ink"], 0.18)
    _paint_bar(look, paint)
    return paint


def _paint_bar(look: Mapping[str, str], paint: Paint) -> None:
    """The masthead: filled with the accent, or plain like the panel."""
    if look["bar"] == look["panel"]:
        paint |= {"bar": paint["panel"], "bar_muted": paint["muted"]}
        paint["bar_ink"] = paint["link" if look["bar_ink"] == look["link"] else "heading"]
    elif paint["accent"] != look["accent"]:
        paint["bar"], paint["bar_ink"] = _filled(paint["accent"])
        softer = 0.25 if paint["bar_ink"] == ON_DARK else 0.0
        paint["bar_muted"] = _mixed(paint["bar_ink"], paint["bar"], softer)


def _made_legible(paint: Paint, chosen: frozenset[str], wanted: float) -> Paint:
    """The colours, those that nobody chose moved until they can be read on all their grounds.
    What is filled has its words made for it, and no client turns a dark ground over."""
    filled = {"button_ink"} | (
        {"bar_ink", "bar_muted"} if paint["bar"] != paint["panel"] else set()
    )
    return {
        name: colour
        if name in chosen
        else _legible(colour, _grounds(name, paint), _FILLED if name in filled else wanted)
        for name, colour in paint.items()
    }


def _grounds(name: str, paint: Mapping[str, str]) -> list[Colour]:
    return [Colour.of(paint[ground]) for ground in GROUNDS.get(name, ())]


def _legible(colour: str, grounds: list[Colour], wanted: float) -> str:
    """The colour, or the nearest to it on the way to black or white that has what is wanted."""
    ink = Colour.of(colour)
    if not grounds or _worst(ink, grounds) >= wanted:
        return colour
    own_side = WHITE if ink.luminance > grounds[0].luminance else BLACK
    best = max((BLACK, WHITE), key=lambda pole: _worst(pole, grounds))
    end = own_side if _worst(own_side, grounds) >= wanted else best
    steps = [_mixed(colour, str(end), step / _STEPS) for step in range(1, _STEPS + 1)]
    return next((each for each in steps if _worst(Colour.of(each), grounds) >= wanted), str(end))


def _worst(ink: Colour, grounds: list[Colour]) -> float:
    return min(contrast(ink, ground) for ground in grounds)


def _filled(colour: str) -> tuple[str, str]:
    """A ground of that colour, darker where white words would not be read, and its words."""
    if Colour.of(colour).luminance >= _PALE:
        return colour, ON_PALE
    return _legible(colour, [WHITE], _FILLED), ON_DARK


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(Colour.of(colour)[:3], Colour.of(other)[:3], strict=True)
    red, green, blue = (one + (two - one) * share for one, two in pairs)
    return str(Colour(red, green, blue))


def _partner(light: str, in_look: str) -> str:
    """The hue of the one at the lightness of the other, hardly stronger than that."""
    hue, _, strength = colorsys.rgb_to_hls(*Colour.of(light)[:3])
    _, lightness, usual = colorsys.rgb_to_hls(*Colour.of(in_look)[:3])
    return str(Colour(*colorsys.hls_to_rgb(hue, lightness, min(strength, usual + 0.2))))
