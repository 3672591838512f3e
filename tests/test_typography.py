"""Quotation marks, apostrophes, dashes: by language, alike in titles and bodies."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.compose import tree
from newsletter.compose.typography import ENGLISH, MARKS, PROTECTED, smarten, smarten_tree
from newsletter.config import load_config
from newsletter.shelf import Shelf
from tests.written import compose

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "typed", "printed"),
    [
        ("en", '"Sleep" isn\'t \'rest\' -- or is it...', "“Sleep” isn’t ‘rest’ – or is it…"),
        ("en", "rock 'n' roll, the '90s", "rock ’n’ roll, the ’90s"),
        ("en", "the dogs' tails", "the dogs’ tails"),
        ("en", "He said, \"'Quoted' words.\"", "He said, “‘Quoted’ words.”"),
        ("en", '("yes") "no"---"\'Tis"', "(“yes”) “no”—“’Tis”"),
        ("en", "a 6\" nail, a 5' wall", "a 6\" nail, a 5' wall"),
        ("de", "\"Schlaf\": wie geht's, 'gut'?", "„Schlaf“: wie geht’s, ‚gut‘?"),
        ("de-CH", '"Schlaf"', "«Schlaf»"),
        ("fr", "\"l'eau\" qu'on boit", "«\u202fl’eau\u202f» qu’on boit"),
        ("it", "l'acqua \"dell'uomo\"", "l’acqua «dell’uomo»"),
        ("nl", "'s avonds foto's", "’s avonds foto’s"),
        ("sv", '"sömn"', "”sömn”"),
        ("ja", 'これは"東京"です', "これは“東京”です"),
        ("ar", 'قال "نعم"', "قال «نعم»"),
        ("pt_BR", '"sono"', "“sono”"),
    ],
)  # fmt: skip
def test_each_language_has_its_marks(language: str, typed: str, printed: str) -> None:
    assert smarten(typed, language) == printed


@pytest.mark.parametrize(
    "typed", ['`git --all "x"`', "https://example.org/a--b'c", "----", ". . .", "a-b", "x....y"]
)
def test_code_addresses_and_rules_stay_as_typed(typed: str) -> None:
    assert smarten(typed, "en") == typed


def test_a_backslash_keeps_the_typewriters_sign() -> None:
    assert smarten(r"\"so\" \-- \...", "en") == '"so" -- ...'
    html = compose('\\"so\\" \\-- `\\"` <code>\\"</code> [a](https://example.org/\\-x)').html
    assert html == (
        '<p>"so" -- <code>\\"</code> <code>"</code> <a href="https://example.org/-x">a</a></p>'
    )


@pytest.mark.parametrize(
    ("language", "body", "shown"),
    [
        ("en", '"*Sleep*"', "<p>“<em>Sleep</em>”</p>"),
        ("en", 'say "`x`"', "<p>say “<code>x</code>”</p>"),
        ("en", '*"Sleep"* and "**rest**."', "<p><em>“Sleep”</em> and “<strong>rest</strong>.”</p>"),
        ("fr", "l'*eau*", "<p>l’<em>eau</em></p>"),
        ("de", '"a *b "c" d* e"', "<p>„a <em>b „c“ d</em> e“</p>"),
    ],
)
def test_a_quotation_may_run_through_elements(language: str, body: str, shown: str) -> None:
    assert compose(body, language=language).html == shown


def test_a_quotation_that_nobody_closes_ends_with_its_paragraph() -> None:
    assert compose('"One.\n\n"Two."').html == "<p>“One.</p>\n<p>“Two.”</p>"


def test_a_pictures_words_are_typeset_too() -> None:
    html = compose('![A "cup"](https://example.org/a.png){width=3}').html
    assert 'alt="A “cup”"' in html


def test_title_subject_teaser_preheader_and_body_have_the_same_marks(tmp_path: Path) -> None:
    (tmp_path / "newsletter.toml").write_text(
        '[letter]\nname = "L"\nbase_url = "https://l.example.org"\n'
        '[sender]\nfrom = "L <l@example.org>"\npostal_address = "1 Road"\n'
    )
    (tmp_path / "issues").mkdir()
    (tmp_path / "issues" / "2026-01-01-a.md").write_text(
        '---\ntitle: \'"Sleep", `--x` & {{ first_name | "you" }}\'\n'
        "preheader: 'It''s \"late\"'\nlanguage: de\n---\n\"Body\".\n"
    )
    (tmp_path / "issues" / "2026-02-01-b.md").write_text("---\ntitle: B\n---\nNext.\n")
    letter = load_config(tmp_path).letter()
    shelf = Shelf.of(letter, NOW)
    email = shelf.compose(shelf.find("a")).email
    assert email.subject.startswith("„Sleep“, `--x` & xslot")
    assert email.preheader == "It’s „late“"
    for shown in ("„Sleep“, `--x` &amp; xslot", "„Body“."):
        assert shown in email.html
    assert "„Sleep“" in email.text
    assert '„Sleep“, `--x` & "you"' in shelf.compose(shelf.find("b")).email.text


@given(
    st.text(st.sampled_from("\"'-. ab1(`\\\n"), max_size=60), st.sampled_from(["en", "fr", "sv"])
)
@settings(max_examples=300)
def test_no_words_are_lost_whatever_is_quoted(typed: str, language: str) -> None:
    def letters(text: str) -> str:
        return "".join(character for character in text if character.isalnum())

    printed = smarten(typed, language)
    assert letters(printed) == letters(typed)
    assert not any(stand_in in printed for stand_in in PROTECTED.values())
    root = tree.element("div", typed)
    smarten_tree(root, language)
    assert letters(root.text or "") == letters(typed)


def test_every_language_has_four_marks() -> None:
    assert all(len(marks) == len(ENGLISH) for marks in MARKS.values())
