"""Each Markdown construct in the shapes that mail programs show alike."""

from __future__ import annotations

import re

import pytest

from newsletter.compose.code_blocks import MOST_LINES, SPARED
from newsletter.compose.plaintext import to_text
from newsletter.compose.strings import CALLOUTS, LANGUAGES, strings_for
from newsletter.model import Severity
from tests.written import compose, found, html_of, only_problem

PAGE = "https://letters.example.org/a/"


def bare(html: str) -> str:
    """The HTML without what every layout table says."""
    unpainted = re.sub(r' (?:role|border|cellpadding|cellspacing|width)="[^"]*"', "", html)
    return re.sub(r"\s*\n\s*", "", unpainted)


# --- quotations ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    ["> Rest.\n{.pull}", "> Rest.\n> {.pull}", '!!! pull\n    Rest.', "> [!pull]\n> Rest.",
     '<blockquote class="pull" markdown="1">\nRest.\n</blockquote>'],
)  # fmt: skip
def test_a_pull_quote_is_a_quotation_of_its_own_look(written: str) -> None:
    assert bare(html_of(written)) == (
        '<table class="quote pull"><tr><td><blockquote><p>Rest.</p></blockquote></td></tr></table>'
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("> Rest.\n> -- Ada", "<p>Rest.</p><p class=\"source\">– Ada</p>"),
        ("> Rest.\n>\n> --- *Ada*", "<p>Rest.</p><p class=\"source\">— <em>Ada</em></p>"),
        ("> *Rest*\n> more\n> — [Ada](https://a.example/)!",
         '<p><em>Rest</em>more</p><p class="source">— <a href="https://a.example/">Ada</a>!</p>'),
        ("> — Well?\n> she said.", "<p>— Well?she said.</p>"),
        ("> It is -- like\n> this.", "<p>It is – likethis.</p>"),
    ],
)  # fmt: skip
def test_a_last_line_that_begins_with_a_dash_names_the_source(written: str, said: str) -> None:
    assert f"<blockquote>{said}</blockquote>" in bare(html_of(written))


def test_two_quotations_stay_two() -> None:
    html = html_of("> One.\n\n> [!TIP]\n> Two.\n\n> Three.")
    assert [html.count(name) for name in ('"quote"', "callout-tip")] == [2, 1]


# --- callouts --------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["!!! warning\n    Hot.", "> [!WARNING]\n> Hot."])
@pytest.mark.parametrize(
    ("language", "label"),
    [("en", "Warning"), ("de-AT", "Warnung"), ("ar", "تحذير"), ("ja", "警告")],
)
def test_a_callout_is_named_in_the_letters_language(
    written: str, language: str, label: str
) -> None:
    assert f"<strong>{label}</strong>" in compose(written, language=language).html


def test_a_callouts_own_title_stays_its_authors() -> None:
    for written in ('!!! note "Before you come"\n    Eat.', "> [!NOTE] Before you come\n> Eat."):
        fragment = compose(written, language="fr")
        assert "<strong>Before you come</strong>" in fragment.html
        assert "<p>Eat.</p>" in fragment.html
    assert "<strong>Recipe</strong>" in compose("!!! recipe\n    Oats.", language="de").html


def test_all_words_of_the_mail_exist_in_every_language() -> None:
    for strings in LANGUAGES.values():
        names = strings.callouts.split("|")
        assert len(names) == len(CALLOUTS)
        assert all(names)
    assert {"ar", "de", "en", "es", "fr", "it", "ja", "nl", "pt"} <= set(LANGUAGES)


# --- code ------------------------------------------------------------------------------------


def numbered(count: int) -> str:
    return "\n".join(f"line = {number}" for number in range(1, count + 1))


def test_long_code_is_cut_and_continues_online() -> None:
    fragment = compose(f"Before.\n\n```python\n{numbered(90)}\n```", language="de")
    problem = only_problem(fragment)
    assert (problem.code, problem.severity, problem.line) == ("code-long", Severity.INFO, 8)
    for shown in (re.sub("<[^>]+>", "", fragment.html), to_text(fragment.html, strings_for("de"))):
        assert f"line = {MOST_LINES}" in shown
        assert f"line = {MOST_LINES + 1}" not in shown
        assert "Online weiterlesen" in shown
    assert f'<p class="more"><a href="{PAGE}">Online weiterlesen</a></p></td>' in fragment.html
    assert to_text(fragment.html).endswith(f"[1] {PAGE}\n")


def test_code_a_little_too_long_is_shown_whole() -> None:
    fragment = compose(f"```python\n{numbered(MOST_LINES + SPARED)}\n```")
    assert fragment.problems == ()
    assert 'class="more"' not in fragment.html


# --- tables, pictures, dividers, links -------------------------------------------------------


def test_a_table_of_five_columns_is_a_warning_in_its_line() -> None:
    row = "| a | b | c | d | e |"
    fragment = compose(f"Text.\n\n{row}\n|---|---|---|---|---|\n{row}")
    assert found(fragment) == [("table-wide", 7)]
    assert compose("| a | b | c | d |\n|---|---|---|---|\n| 1 | 2 | 3 | 4 |").problems == ()


@pytest.mark.parametrize(
    "written",
    [
        '![Hills](https://a.example/i.png "At *dusk*")',
        "![Hills](https://a.example/i.png)\n*At \\*dusk\\**",
        "![Hills](https://a.example/i.png)  \n_At \\*dusk\\*_",
    ],
)
def test_a_picture_may_have_a_caption_in_markdown(written: str) -> None:
    html = html_of(written)
    assert bare(html) == (
        '<div class="figure"><img alt="Hills" src="https://a.example/i.png" class="photo">'
        '<p class="caption">At *dusk*</p></div>'
    )
    assert to_text(html) == "[Image: Hills]\nAt *dusk*\n"


def test_emphasis_in_the_line_of_a_picture_is_no_caption() -> None:
    assert "caption" not in html_of("![a](https://a.example/i.png) *b*")
    assert "caption" not in html_of("*b*\n![a](https://a.example/i.png)")


@pytest.mark.parametrize("written", ["---", "***", "* * *", "<hr>"])
def test_a_divider_is_the_border_of_a_cell(written: str) -> None:
    html = html_of(f"a\n\n{written}\n\nb")
    assert '<table class="rule"' in html
    assert "<hr" not in html
    assert to_text(html) == "a\n\n* * *\n\nb\n"


def test_an_address_without_a_scheme_is_taken_for_a_safe_one() -> None:
    assert (
        html_of("www.example.org") == '<p><a href="https://www.example.org">www.example.org</a></p>'
    )
    assert 'href="http://www.example.org"' in html_of("[www.a.example](http://www.example.org)")


def test_an_abbreviation_is_spelt_out_once_in_the_text() -> None:
    html = html_of("TCM and TCM.\n\n*[TCM]: Traditional Chinese Medicine")
    assert to_text(html) == "TCM (Traditional Chinese Medicine) and TCM.\n"


def test_the_words_of_the_text_part_follow_the_language() -> None:
    html = html_of("![Tee](https://a.example/i.png)\n\n[da](https://a.example/)")
    assert to_text(html, strings_for("de")) == (
        "[Bild: Tee]\n\nda [1]\n\nLinks\n-----\n\n[1] https://a.example/\n"
    )
    assert "[Image\u00a0: Tee]" in to_text(html, strings_for("fr"))
    assert "リンク\n------\n" in to_text(html, strings_for("ja"))
