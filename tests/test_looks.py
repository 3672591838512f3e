"""The shipped looks and what the ten tokens do to them."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from newsletter.compose import palette
from newsletter.compose.inline import inline_css
from newsletter.compose.theme import Page, load_theme
from newsletter.defaults import default_folder
from newsletter.errors import ComposeError
from newsletter.lint.inversion import inverted_ground, inverted_ink
from newsletter.model import ThemeTokens, Tone
from newsletter.model.colour import Colour, contrast
from newsletter.model.look import COLOUR_TOKENS, SHIPPED_LOOKS
from tests.test_theme import own, tree_of
from tests.themed import BODY, NEWER, OLDER, page

KEPT = re.compile(r"<style>\s*(:root.*?)</style>", re.DOTALL)
STANDING = [(ink, ground) for ink, grounds in palette.GROUNDS.items() for ground in grounds]
LOOK_AND_PAIR = list(product(SHIPPED_LOOKS, STANDING))
# What a publication that copied the palette before there were looks has in its folder.
OLD_PALETTE = """
{% set light = {
  "page": "#f3efe6", "panel": "#ffffff", "tint": "#f7f4ed", "line": "#e0dacd",
  "ink": "#26302c", "muted": "#5a645e", "heading": "#1c3b32", "link": "#7a1f5c",
  "accent": "#7a1f5c", "button": "#7a1f5c", "button_ink": "#ffffff",
  "note": "#7a1f5c", "tip": "#2f6f3a", "warning": "#8a5a00",
  "keyword": "#8a2f6b", "string": "#2f6f3a", "number": "#7a4a12", "comment": "#6b6459"
} %}
{% set dark = {
  "page": "#101513", "panel": "#1a211e", "tint": "#222b27", "line": "#3a4540",
  "ink": "#e3e8e4", "muted": "#a5b0a9", "heading": "#f1f4f1", "link": "#8ed0b8",
  "accent": "#3d8f76", "button": "#2a7560", "button_ink": "#ffffff",
  "note": "#8ed0b8", "tip": "#9ccf9f", "warning": "#e6bd6a",
  "keyword": "#e29bc6", "string": "#9ccf9f", "number": "#e0b384", "comment": "#a8a297"
} %}
{% set serif = "Palatino,serif" %}
{% set sans = "Verdana,sans-serif" %}
{% set mono = "Courier New,monospace" %}
"""
OLD_INLINED = """
{% import "palette.jinja" as palette %}
p { color:{{ palette.light.ink }}; font-family:{{ palette.serif }} }
h1 { color:{{ palette.light.heading }}; font-family:{{ palette.sans }},{{ palette.mono }} }
"""


def themed(root: Path, body: str = BODY, /, *, tokens: dict[str, Any], **changes: Any) -> Page:
    made = page(root, body, **changes)
    return replace(made, letter=replace(made.letter, theme=ThemeTokens(**tokens)))


def mail(root: Path, body: str = BODY, /, *, tokens: dict[str, Any], **changes: Any) -> str:
    made = themed(root, body, tokens=tokens, **changes)
    return inline_css(load_theme(made.letter).fill_html(made)[0])


def colours(root: Path, **tokens: Any) -> tuple[palette.Paint, palette.Paint]:
    return load_theme(themed(root, tokens=tokens).letter).colours()


def png(path: Path, width: int, height: int) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    rows = zlib.compress((b"\0" + b"\x1f\x6b\x54" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b""))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


# --- contrast ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("look", "pair"), LOOK_AND_PAIR, ids=str)
def test_rule_68_what_stands_on_what_can_be_read_in_light_dark_and_inverted(
    tmp_path: Path, look: str, pair: tuple[str, str]
) -> None:
    ink, ground = pair
    by_day, by_night = colours(tmp_path, look=look)
    light = Colour.of(by_day[ink]), Colour.of(by_day[ground])
    ratios = {
        "light": contrast(*light),
        "dark": contrast(Colour.of(by_night[ink]), Colour.of(by_night[ground])),
        "inverted": contrast(inverted_ink(light[0]), inverted_ground(light[1])),
    }
    assert min(ratios.values()) >= palette.READABLE, ratios


def test_every_ink_of_a_look_stands_on_a_ground(tmp_path: Path) -> None:
    light, dark = colours(tmp_path)
    grounds = {ground for each in palette.GROUNDS.values() for ground in each}
    lines = {"accent", "line", "button"}
    assert light.keys() == dark.keys() == palette.GROUNDS.keys() | grounds | lines


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_nothing_in_a_whole_mail_is_too_faint(tmp_path: Path, look: str) -> None:
    assert not list(palette.too_faint(*colours(tmp_path, look=look)))


hexes = st.integers(0, 0xFFFFFF).map("#{:06x}".format)
tones = st.builds(Tone, hexes, st.none() | hexes)
LOOKS_COLOURS: dict[str, tuple[palette.Paint, palette.Paint]] = {}


@given(st.sampled_from(SHIPPED_LOOKS), st.dictionaries(st.sampled_from(COLOUR_TOKENS), tones))
def test_whatever_is_chosen_only_the_chosen_can_be_too_faint(
    look: str, chosen: dict[str, Tone]
) -> None:
    if look not in LOOKS_COLOURS:
        LOOKS_COLOURS[look] = colours(Path("/nowhere"), look=look)
    light, dark = LOOKS_COLOURS[look]
    light, dark = palette.in_light(light, chosen), palette.in_dark(dark, chosen)
    for faint in palette.too_faint(light, dark):
        assert faint.ink in chosen or {"panel", "page"} & chosen.keys()


@given(st.sampled_from(SHIPPED_LOOKS), hexes)
def test_rule_68_one_accent_of_any_colour_can_be_read_in_light_dark_and_inverted(
    look: str, accent: str
) -> None:
    plain = LOOKS_COLOURS.setdefault(look, colours(Path("/nowhere"), look=look))
    chosen = {"accent": Tone(accent)}
    light, dark = palette.in_light(plain[0], chosen), palette.in_dark(plain[1], chosen)
    assert not list(palette.too_faint(light, dark))
    for ink, ground in STANDING:
        turned = inverted_ink(Colour.of(light[ink])), inverted_ground(Colour.of(light[ground]))
        assert contrast(*turned) >= palette.READABLE, (ink, light[ink], ground, light[ground])


# --- tokens --------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
@pytest.mark.parametrize("token", COLOUR_TOKENS)
def test_each_colour_restyles_the_mail_in_light_and_dark(
    tmp_path: Path, look: str, token: str
) -> None:
    document = mail(tmp_path, tokens={"look": look, token: Tone("#fdf0f6", "#2a0a1c")})
    assert "#fdf0f6" in document.replace(KEPT.findall(document)[0], "")
    assert "#2a0a1c" in KEPT.findall(document)[0]


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_one_accent_recolours_buttons_lines_and_links(tmp_path: Path, look: str) -> None:
    before, after = (
        mail(tmp_path, tokens={"look": look}),
        colours(tmp_path, look=look, accent=Tone("#8a1f5c")),
    )
    light, dark = after
    assert light["button"] == light["accent"] == light["link"] == "#8a1f5c"
    assert dark["accent"] != "#8a1f5c"
    document = mail(tmp_path, tokens={"look": look, "accent": Tone("#8a1f5c")})
    old = colours(tmp_path, look=look)[0]["accent"]
    assert old in before
    assert old not in document


def test_a_pale_accent_still_gives_a_button_and_links_that_can_be_read(tmp_path: Path) -> None:
    light, _ = colours(tmp_path, accent=Tone("#ffd400"))
    assert light["button"] == "#ffd400"
    assert light["button_ink"] == "#14161a"
    assert contrast(Colour.of(light["link"]), Colour.of("#ffffff")) >= palette.READABLE


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_fonts_width_and_radius_reach_the_mail(tmp_path: Path, look: str) -> None:
    tokens = {"look": look, "width": 560, "radius": 14}
    fonts = {"heading_font": "Optima,sans-serif", "body_font": "Charter,serif"}
    document = mail(tmp_path, tokens=tokens | fonts)
    tree = tree_of(document)
    assert "font-family:Optima,sans-serif" in str(tree.xpath("string(//h1/@style)"))
    assert "font-family:Charter,serif" in str(tree.xpath("string(//li/@style)"))
    assert "max-width:560px" in document
    assert '<table role="presentation" border="0" cellpadding="0" cellspacing="0" width="480"' in (
        document
    )
    assert "border-radius:14px" in document


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_no_css_variable_reaches_the_mail(tmp_path: Path, look: str) -> None:
    tokens = {name: Tone("#8a1f5c") for name in COLOUR_TOKENS} | {"look": look}
    document = mail(tmp_path, tokens=tokens)
    assert "var(" not in document
    assert not re.search(r"[;{\"\s]--[a-z]", document)


def test_an_unknown_look_names_the_likely_one(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match=r"no look `lettre`. Did you mean `letter`\?"):
        mail(tmp_path, tokens={"look": "lettre"})


def test_a_look_of_ones_own_is_a_file(tmp_path: Path) -> None:
    plain = (default_folder("templates") / "looks/plain.jinja").read_text("utf-8")
    own(tmp_path, "looks/mine.jinja", plain.replace("#0a52c4", "#8a1f5c"))
    document = mail(tmp_path, tokens={"look": "mine"})
    assert "#8a1f5c" in document


def test_a_palette_copied_before_there_were_looks_still_has_the_last_word(tmp_path: Path) -> None:
    own(tmp_path, "palette.jinja", OLD_PALETTE)
    document = mail(tmp_path, tokens={"accent": Tone("#123456")})
    assert "#7a1f5c" in document
    assert "Palatino,serif" in document
    assert "#123456" not in document
    assert "#1d634e" not in document
    assert not list(palette.too_faint(*load_theme(page(tmp_path).letter).colours()))


def test_css_copied_before_there_were_looks_still_has_its_names(tmp_path: Path) -> None:
    own(tmp_path, "inlined.css", OLD_INLINED)
    document = mail(tmp_path, tokens={"body_font": "Charter,serif"})
    assert "font-family:Charter,serif" in document


# --- the frame -----------------------------------------------------------------------------------


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_a_logo_has_half_its_pixels_and_the_name_when_pictures_are_off(
    tmp_path: Path, look: str
) -> None:
    png(tmp_path / "art/logo.png", 320, 96)
    tree = tree_of(mail(tmp_path, "", tokens={"look": look, "logo": "art/logo.png"}))
    [logo] = tree.iter("img")
    address = r"https://letters\.example\.org/media/~/art/logo\.\w{12}\.png"
    assert re.fullmatch(address, logo.get("src", ""))
    assert (logo.get("width"), logo.get("height")) == ("160", "48")
    assert logo.get("alt") == "Field Notes"
    assert "font-size" in logo.get("style", "")


def test_a_large_logo_leaves_room_on_a_phone(tmp_path: Path) -> None:
    png(tmp_path / "logo.png", 1600, 400)
    [logo] = tree_of(mail(tmp_path, "", tokens={"logo": "logo.png"})).iter("img")
    assert (logo.get("width"), logo.get("height")) == ("270", "68")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("nowhere.png", b"", "there is no file nowhere.png"),
        ("logo.png", b"RIFF\0\0\0\0WEBPVP8 ", "logo.png"),
        ("../logo.png", b"\x89PNG", "outside of the publication"),
    ],
)
def test_a_logo_that_no_mail_could_show_is_refused(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    root = tmp_path / "letter"
    root.mkdir()
    if content:
        (root / name).write_bytes(content)
    with pytest.raises(ComposeError, match=f"`logo` in \\[theme\\]: .*{re.escape(reason)}"):
        mail(root, tokens={"logo": name})


def test_thumbnails_are_off_until_they_are_wanted(tmp_path: Path) -> None:
    png(tmp_path / "issues/sleep.png", 600, 300)
    older = replace(OLDER, image="https://letters.example.org/media/~/issues/sleep.png")
    newer = replace(NEWER, image="https://elsewhere.example.net/hands.jpg")
    shown = {"previous": older, "next": newer}
    assert not list(tree_of(mail(tmp_path, "", tokens={}, **shown)).iter("img"))
    images = tree_of(mail(tmp_path, "", tokens={"thumbnails": True}, **shown)).iter("img")
    assert [(i.get("width"), i.get("height"), i.get("alt")) for i in images] == [
        ("232", "116", ""),
        ("232", None, ""),
    ]


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_rule_47_every_block_of_rows_has_its_own_table_row(tmp_path: Path, look: str) -> None:
    body = "<p>word</p>" * 35 + "<h2>More</h2>" + "<p>word</p>" * 5
    tree = tree_of(mail(tmp_path, body, tokens={"look": look}))
    cells = tree.xpath("//table[.//h1]/tr/td[p[text()='word']]")
    assert isinstance(cells, list)
    counts = [len(cell.findall("p")) for cell in cells if isinstance(cell, etree._Element)]
    assert sum(counts) == 40
    assert max(counts) <= 10


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_an_article_of_a_thousand_words_stays_under_30_kb(tmp_path: Path, look: str) -> None:
    words = "<p>" + "a letter of plain words that goes on for a while " * 6 + "</p>"
    photo = (
        '<p><a href="https://example.org/a"><img class="photo" width="520" height="260"'
        ' src="https://letters.example.org/media/a.jpg" alt="A leaf on a table"></a></p>'
    )
    body = (words * 4 + "<h2>A part of it</h2>" + photo) * 2 + words * 8
    assert 1000 <= len(re.sub(r"<[^>]*>", " ", body).split()) <= 1100
    assert len(mail(tmp_path, body, tokens={"look": look, "thumbnails": True}).encode()) < 30_000


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_the_kept_css_stays_small(tmp_path: Path, look: str) -> None:
    [kept] = KEPT.findall(mail(tmp_path, tokens={"look": look}))
    assert len(kept.encode()) <= 4096
