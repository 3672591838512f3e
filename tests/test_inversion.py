"""Colours as a client shows them that darkens a light mail by itself."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.lint.colour import BLACK, WHITE, Colour, contrast, parse
from newsletter.lint.inversion import CHROMA, MIDDLE, inverted_ground, inverted_ink, lch_of

parts = st.integers(0, 255).map(lambda part: part / 255)
colours = st.builds(Colour, parts, parts, parts, st.floats(0, 1))


def colour(text: str) -> Colour:
    found = parse(text)
    assert found
    return found


@given(colours)
def test_what_comes_out_is_a_colour_with_the_same_alpha(given_colour: Colour) -> None:
    for turned in (inverted_ink(given_colour), inverted_ground(given_colour)):
        assert all(0 <= part <= 1 for part in turned)
        assert turned.alpha == given_colour.alpha


@given(colours)
def test_ink_never_darkens_and_ground_never_lightens(given_colour: Colour) -> None:
    before = lch_of(given_colour).lightness
    ink, ground = (
        lch_of(turned).lightness
        for turned in (inverted_ink(given_colour), inverted_ground(given_colour))
    )
    assert ink >= max(before, MIDDLE) - 0.01
    assert ground <= min(before, MIDDLE) + 0.01


@given(colours, colours)
def test_darker_ink_becomes_lighter_ink_and_lighter_ground_darker_ground(
    one: Colour, other: Colour
) -> None:
    low, high = sorted((one, other), key=lambda each: lch_of(each).lightness)
    if lch_of(high).lightness <= MIDDLE:
        inks = [lch_of(inverted_ink(each)).lightness for each in (low, high)]
        assert inks[0] >= inks[1] - 0.01
    if lch_of(low).lightness >= MIDDLE:
        grounds = [lch_of(inverted_ground(each)).lightness for each in (low, high)]
        assert grounds[0] >= grounds[1] - 0.01


@given(colours)
def test_the_hue_is_kept_and_the_chroma_does_not_grow(given_colour: Colour) -> None:
    _, chroma, hue = lch_of(given_colour)
    for turned in (inverted_ink(given_colour), inverted_ground(given_colour)):
        _, weaker, turned_hue = lch_of(turned)
        assert weaker <= chroma * CHROMA + 0.05
        if weaker > 2:
            turn = math.remainder(turned_hue - hue, math.tau)
            assert abs(turn) < 0.02


@given(
    colours.filter(lambda colour: lch_of(colour).lightness > MIDDLE),
    colours.filter(lambda colour: lch_of(colour).lightness < MIDDLE),
)
def test_light_ink_on_a_dark_ground_stays_as_it_is_but_for_its_chroma(
    ink: Colour, ground: Colour
) -> None:
    assert lch_of(inverted_ink(ink)).lightness == pytest.approx(lch_of(ink).lightness, abs=0.1)
    assert lch_of(inverted_ground(ground)).lightness == pytest.approx(
        lch_of(ground).lightness, abs=0.1
    )


def test_black_on_white_becomes_light_grey_on_dark_grey() -> None:
    assert str(inverted_ground(WHITE)) == "#212121"
    assert str(inverted_ink(BLACK)) == "#dbdbdb"
    assert str(inverted_ink(WHITE)) == "#ffffff"
    assert str(inverted_ground(BLACK)) == "#000000"


# The pairs of composition section 7 on white; its prototype measured 11.2, 6.9 and 6.1 by a recipe
# of its own, and the same 6.4 for the button.
@pytest.mark.parametrize(
    ("ink", "ground", "ratio"),
    [
        ("#1f2328", "#ffffff", 8.8),
        ("#57606a", "#ffffff", 4.7),
        ("#0b57d0", "#ffffff", 4.7),
        ("#ffffff", "#0b57d0", 6.4),
    ],
)
def test_measured_contrasts_of_the_palette_in_composition_7(
    ink: str, ground: str, ratio: float
) -> None:
    measured = contrast(inverted_ink(colour(ink)), inverted_ground(colour(ground)))
    assert round(measured, 1) == ratio
