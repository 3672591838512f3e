"""[theme]: ten tokens, read, checked, refused with the line they stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.errors import ConfigError
from newsletter.model import ThemeTokens, Tone
from tests.publication import CONFIG


def tokens(root: Path, *lines: str) -> ThemeTokens:
    (root / "newsletter.toml").write_text("\n".join([CONFIG, "[theme]", *lines]), "utf-8")
    return load_config(root).letter().theme


def refusal(root: Path, line: str) -> str:
    with pytest.raises(ConfigError) as caught:
        tokens(root, line)
    where = CONFIG.count("\n") + 3
    assert caught.value.where == f"newsletter.toml:{where}"
    return caught.value.message


def test_a_publication_without_theme_has_the_letter_look(tmp_path: Path) -> None:
    (tmp_path / "newsletter.toml").write_text(CONFIG, "utf-8")
    theme = load_config(tmp_path).letter().theme
    assert (theme.look, theme.tones, theme.measure) == ("letter", {}, 520)


def test_a_colour_is_one_or_a_pair(tmp_path: Path) -> None:
    theme = tokens(tmp_path, 'accent = "#7A1F5C"', 'link = ["#7a1f5c", "#E29BC6"]')
    assert theme.tones == {"link": Tone("#7a1f5c", "#e29bc6"), "accent": Tone("#7a1f5c")}


@pytest.mark.parametrize(
    "value",
    ['"#abc"', '"rebeccapurple"', '"7a1f5c"', "7", '["#7a1f5c"  , "red"]', "[]", "[1, 2, 3]"],
)
def test_a_colour_that_is_not_six_hex_digits_is_refused(tmp_path: Path, value: str) -> None:
    message = refusal(tmp_path, f"accent = {value}")
    assert message.startswith("`accent` in [theme]: write ")
    assert "six hex digits" in message


def test_fonts_lose_the_blanks_after_their_commas(tmp_path: Path) -> None:
    theme = tokens(tmp_path, 'body_font = "-apple-system, Segoe UI, sans-serif"')
    assert theme.body_font == "-apple-system,Segoe UI,sans-serif"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("'\"Segoe UI\", serif'", "without quotation marks"),
        ('"Arial; color:red, serif"', "without quotation marks"),
        ('"url(x), serif"', "without quotation marks"),
        ('"Georgia"', "the last family must be one that is everywhere"),
    ],
)
def test_a_font_that_would_break_a_style_attribute_is_refused(
    tmp_path: Path, value: str, reason: str
) -> None:
    assert reason in refusal(tmp_path, f"heading_font = {value}")


@pytest.mark.parametrize(
    "line", ["width = 900", "width = 300", "radius = -1", 'logo = "logo.svg"', 'look = "../x"']
)
def test_what_no_mail_could_show_is_refused(tmp_path: Path, line: str) -> None:
    refusal(tmp_path, line)


def test_an_unknown_token_names_the_likely_one(tmp_path: Path) -> None:
    assert "Did you mean `accent`?" in refusal(tmp_path, 'acent = "#7a1f5c"')
