"""newsletter.compose.summary: an article in one or two sentences."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.compose.summary import (
    LONGEST,
    LONGEST_PREHEADER,
    sentence_ends,
    shorten,
    snippet,
    summary,
)
from newsletter.slots import TOKEN, leftovers
from tests.written import article, letter


def teaser(body: str, *, summary_: str | None = None, lead: str | None = None) -> str:
    return summary(article(body, summary=summary_, lead=lead), letter())


def test_the_author_comes_first_then_the_lead_then_the_first_paragraph() -> None:
    assert teaser("Body.", summary_="Given.", lead="Lead.") == "Given."
    assert teaser("Body.", lead="Lead.") == "Lead."
    assert teaser("Body.") == "Body."
    assert teaser("Body.", summary_="  ", lead="\n") == "Body."
    assert teaser("") == ""


def test_two_sentences_of_the_first_paragraph_are_enough() -> None:
    assert teaser("One here. Two here. Three here.\n\nNext.") == "One here. Two here."
    assert teaser("x", summary_="One. Two. Three.") == "One. Two. Three."


def test_a_preheader_is_the_sentences_that_an_inbox_has_room_for() -> None:
    first = "When the leaves turn, many people who come to us speak of a heaviness in the chest."
    second = "It is nothing new: the old books gave this season to the lungs, and to grief."
    assert teaser(f"{first} {second}") == f"{first} {second}"
    assert snippet(article(f"{first} {second}"), letter()) == first
    assert snippet(article("Short. And whole."), letter()) == "Short. And whole."


def test_a_preheader_does_not_stop_at_a_greeting_nor_run_on_in_one_word() -> None:
    said = snippet(article("Hello. " + "Winter came early and stayed late, " * 9), letter())
    assert said.startswith("Hello. Winter came early")
    assert said.endswith("…")
    assert 100 < len(said) <= LONGEST_PREHEADER
    assert len(snippet(article("x" * 300), letter())) == LONGEST_PREHEADER
    assert len(snippet(article("a", summary="眠" * 300), letter())) == LONGEST_PREHEADER


def test_markdown_html_and_slots_are_gone() -> None:
    body = (
        "Dear {{ first_name | friend }}, *this* is [a link](https://example.org) with `code`,"
        " a note[^1], <b>HTML</b> &amp; more :smile:.\n\n[^1]: Not here."
    )
    assert teaser(body) == "Dear friend, this is a link with code, a note, HTML & more 😄."
    assert teaser('"Quotes" -- and {{ nope }}dots...') == "“Quotes” – and dots…"
    assert teaser("x", summary_="*Given* by {{ name | us }}") == "Given by us"


def test_a_slot_without_fallback_leaves_no_hole() -> None:
    assert teaser("Hello {{ first_name }}, come in.") == "Hello, come in."
    assert teaser("{{ first_name }} Come in {{ name }}!") == "Come in!"


def test_braces_in_code_are_shown_and_never_become_a_slot() -> None:
    said = teaser("Write `{{ first_name }}` there.")
    assert said.replace("\u2060", "") == "Write {{ first_name }} there."
    assert leftovers(said) == []


@pytest.mark.parametrize(
    "first",
    [
        "![Two chairs](chairs.png)",
        "[![Two chairs](chairs.png)](https://example.org)",
        "> A quotation.",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "# A heading",
        "- a list",
        "```\ncode\n```",
        "    code",
        '!!! note "Title"\n    A callout.',
        "[TOC]",
        "---",
        "<script>x</script>",
        "<figure><img src=x><figcaption>Caption</figcaption></figure>",
    ],
)
def test_the_first_real_paragraph_is_prose(first: str) -> None:
    assert teaser(f"{first}\n\nReal words. Two.") == "Real words. Two."


def test_an_article_without_prose_is_told_by_what_it_has() -> None:
    assert teaser("- one\n- two") == "one"
    assert teaser("> Only a quotation.") == "Only a quotation."
    assert teaser("# Only a heading") == "Only a heading"


def test_paragraphs_of_a_lead_are_kept_apart() -> None:
    assert teaser("x", lead="**One**.\n\nTwo,<br>three.") == "One. Two, three."


def test_a_link_definition_far_below_still_counts() -> None:
    filler = "\n\n".join(["Some more words."] * 2000)
    assert (
        teaser(f"See [this][r]. Good.\n\n{filler}\n\n[r]: https://e.example") == "See this. Good."
    )


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("We saw Dr. Smith at 3 p.m. on Monday. Fine.", 2),
        ("Bring e.g. Tea, i.e. green tea etc. in a cup. Fine.", 2),
        ("J. R. Doe lives in the U.S. now. Fine.", 2),
        ("Am 3. Oktober kam z.B. Regen. Gut.", 2),
        ("It happened in 2026. Fine.", 2),
        ("It costs 3.50 at example.org today. Fine.", 2),
        ("Really?! Yes. “Stop.” He left… and came back. No", 4),
        ("睡眠は大切です。よく眠りましょう！「はい。」", 3),
        ("वह आया। वह गया।", 2),
        ("no end", 0),
    ],
)
def test_sentences_end_where_a_reader_takes_a_breath(text: str, sentences: int) -> None:
    assert len(sentence_ends(text)) == sentences


def test_a_long_text_ends_with_a_sentence_else_with_a_whole_word() -> None:
    sentence = "These are words of no weight. "
    assert shorten(sentence * 20) == (sentence * 9).strip()
    cut = shorten("word " * 100)
    assert cut.endswith("word…")
    assert len(cut) <= LONGEST


def test_chinese_is_cut_between_characters_and_no_accent_is_torn_off() -> None:
    assert shorten("眠" * 400) == "眠" * (LONGEST - 1) + "…"
    torn = shorten("x" * (LONGEST - 2) + "e\u0301" * 40)
    assert torn == "x" * (LONGEST - 2) + "…"


@settings(max_examples=150)
@given(st.text(max_size=700))
def test_any_text_is_one_line_and_short(text: str) -> None:
    short = shorten(text)
    assert len(short) <= LONGEST
    assert text.startswith(short.rstrip("…").rstrip()) or "…" in text


@settings(max_examples=100)
@given(
    st.lists(
        st.sampled_from(
            [
                "{{ name }}",
                "{{x}}",
                "`",
                "# ",
                "> ",
                "\n\n",
                "a. ",
                "*",
                "<p>",
                "</p>",
                "[a](b)",
                "![c](d)",
                "\0",
                "é",
                "|",
                "- ",
            ]
        ),
        max_size=25,
    )
)
def test_any_article_has_a_summary_without_line_ends_and_slots(parts: list[str]) -> None:
    said = teaser("".join(parts))
    assert "\n" not in said
    assert len(said) <= LONGEST
    assert leftovers(said) == TOKEN.findall(said) == []
