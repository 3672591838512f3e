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
# A hair above, for what rounding to six digits takes away.
_WANTED = READABLE + 0.1


@dataclass(frozen=True, slots=True)
class Faint:
    """Two colours that were put on each other and cannot be told apart well."""

    ink: str
    ground: str
    mode: str
    ratio: float


def in_light(look: Mapping[str, str], tones: Mapping[str, Tone]) -> Paint:
    """The colours by day."""
    return _repainted(look, {name: tone.light for name, tone in tones.items()}, frozenset(tones))


def in_dark(look: Mapping[str, str], tones: Mapping[str, Tone]) -> Paint:
    """The colours in the dark; a token without a dark partner gets its hue at the look's
    lightness."""
    shades = {name: tone.dark or _partner(tone.light, look[name]) for name, tone in tones.items()}
    chosen = frozenset(name for name, tone in tones.items() if tone.dark)
    return _repainted(look, shades, chosen)


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


def _repainted(look: Mapping[str, str], shades: Paint, chosen: frozenset[str]) -> Paint:
    if not shades:
        return dict(look)
    paint = {**look, **shades}
    if "accent" in shades:
        paint |= dict.fromkeys(("button", "note"), paint["accent"])
        paint["link"] = shades.get("link", paint["accent"])
    if "ink" in shades:
        paint["heading"] = paint["ink"]
        paint["muted"] = _mixed(paint["ink"], paint["panel"], 0.3)
    if shades.keys() & {"ink", "panel", "page"}:
        paint["tint"] = _mixed(paint["panel"], paint["ink"], 0.05)
        paint["line"] = _mixed(paint["panel"], paint["ink"], 0.18)
    _paint_bar(look, paint)
    paint["button_ink"] = _best_on(paint["button"])
    return {name: _legible(name, paint) if name not in chosen else paint[name] for name in paint}


def _paint_bar(look: Mapping[str, str], paint: Paint) -> None:
    """The masthead: filled with the accent, or plain like the panel."""
    if look["bar"] == look["panel"]:
        paint |= {"bar": paint["panel"], "bar_muted": paint["muted"]}
        paint["bar_ink"] = paint["link" if look["bar_ink"] == look["link"] else "heading"]
    elif paint["accent"] != look["accent"]:
        paint["bar"] = paint["accent"]
        paint["bar_ink"] = _best_on(paint["bar"])
        paint["bar_muted"] = _mixed(paint["bar_ink"], paint["bar"], 0.25)


def _legible(name: str, paint: Mapping[str, str]) -> str:
    """The colour, moved towards black or white until it can be read on all its grounds."""
    grounds = [Colour.of(paint[ground]) for ground in GROUNDS.get(name, ())]
    ink = Colour.of(paint[name])
    if not grounds or _worst(ink, grounds) >= READABLE:
        return paint[name]
    end = max((BLACK, WHITE), key=lambda pole: _worst(pole, grounds))
    steps = (_between(ink, end, step / _STEPS) for step in range(1, _STEPS + 1))
    return str(next((each for each in steps if _worst(each, grounds) >= _WANTED), end))


def _worst(ink: Colour, grounds: list[Colour]) -> float:
    return min(contrast(ink, ground) for ground in grounds)


def _best_on(ground: str) -> str:
    """White where it can be read, else almost black."""
    return "#ffffff" if contrast(WHITE, Colour.of(ground)) >= READABLE else "#14161a"


def _mixed(colour: str, other: str, share: float) -> str:
    return str(_between(Colour.of(colour), Colour.of(other), share))


def _between(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(colour[:3], other[:3], strict=True))
    return Colour(red, green, blue)


def _partner(light: str, in_look: str) -> str:
    """The hue of the one at the lightness of the other, hardly stronger than that."""
    hue, _, strength = colorsys.rgb_to_hls(*Colour.of(light)[:3])
    _, lightness, usual = colorsys.rgb_to_hls(*Colour.of(in_look)[:3])
    return str(Colour(*colorsys.hls_to_rgb(hue, lightness, min(strength, usual + 0.2))))
