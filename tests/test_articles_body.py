"""The title in the body, the lead before a "more" mark."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.articles.body import Body, mask_code, plain, take_lead, top_heading
from tests.articles_folder import Folder, yaml


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


# --- title ---


@pytest.mark.parametrize(
    ("text", "title", "body", "line"),
    [
        ("# Rest & sleep\n\nBody", "Rest & sleep", "Body", 3),
        ("\n\n# Rest #\nBody", "Rest", "Body", 4),
        ("#Rest\nBody", "Rest", "Body", 2),
        ("Rest\n====\n\nBody", "Rest", "Body", 4),
        ("# **Rest** and [sleep](x) {#id}\n\nBody", "Rest and sleep", "Body", 3),
        ("# C# and F#\nBody", "C# and F#", "Body", 2),
        ("<!-- note -->\n\n# Rest\n\nBody", "Rest", "<!-- note -->\n\n\n\nBody", 1),
        ("Intro\n\n# Rest\n\nBody", "Rest", "Intro\n\n\n\nBody", 1),
        ("Intro\n\n# News\n\n# More", "News", "Intro\n\n# News\n\n# More", 1),
        ("## Only H2\n\nBody", "X y", "## Only H2\n\nBody", 1),
        ("```\n# code\n```\nBody", "X y", "```\n# code\n```\nBody", 1),
        ("Body", "X y", "Body", 1),
    ],
)
def test_a_title_without_front_matter(
    folder: Folder, text: str, title: str, body: str, line: int
) -> None:
    article = folder.article(text, "x-y.md")
    assert (article.title, article.body, article.body_line) == (title, body, line)


@pytest.mark.parametrize(
    "heading", ["# Rest & “sleep”", '# rest &amp; "sleep"', "Rest & “sleep”\n==="]
)
def test_an_h1_that_repeats_the_title_is_dropped(folder: Folder, heading: str) -> None:
    article = folder.article(yaml("title: Rest & “sleep”", body=f"\n{heading}\n\nBody\n"))
    assert article.body == "Body\n"
    assert article.body_line == 7 + heading.count("\n")


def test_an_h1_that_says_something_else_stays(folder: Folder) -> None:
    assert folder.article(yaml("title: Rest", body="# Sleep\n")).body == "# Sleep\n"


def test_the_title_of_last_resort_is_the_file_name(folder: Folder) -> None:
    assert (
        folder.article(yaml("date: 2026-11-22"), "2026-11-22-sleep_well.md").title == "Sleep well"
    )


# --- lead ---


@pytest.mark.parametrize(
    "mark",
    [
        "<!--more-->",
        "<!-- more -->",
        "<!-- TEASER_END -->",
        "<!-- truncate -->",
        "{/* truncate */}",
        "<!--MORE-->",
        "<!-- TEASER_END: Read on -->",
    ],
)
def test_text_before_a_mark_is_the_lead_and_the_mark_goes(folder: Folder, mark: str) -> None:
    article = folder.article(yaml("title: A", body=f"# A\n\nThe lead.\n\n{mark}\n\nThe rest."))
    assert article.lead == "The lead."
    assert article.body == "The lead.\n\n\n\nThe rest."
    assert article.body_line == 6


def test_an_excerpt_separator_of_the_authors_own(folder: Folder) -> None:
    article = folder.article(
        yaml("excerpt_separator: <!--fold-->", body="Lead.\n<!--fold-->\nRest. <!--more-->")
    )
    assert article.lead == "Lead."
    assert article.body == "Lead.\n\nRest. <!--more-->"


@pytest.mark.parametrize(
    "body",
    [
        "Text\n\n```\n<!--more-->\n```\n",
        "Write `<!--more-->` there.",
        "Text\n\n    <!--more-->\n",
        "Text",
        "<!--more-->\nText",
    ],
)
def test_without_a_mark_there_is_no_lead(folder: Folder, body: str) -> None:
    assert folder.article(body).lead is None


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["# a", "```", "~~~", "<!--more-->", "<!--", "-->", "\n", "x", "    ", "===", " "]
        ),
        max_size=25,
    ).map("".join)
)
def test_masks_and_marks_keep_every_line_in_its_place(text: str) -> None:
    assert len(mask_code(text)) == len(text)
    assert mask_code(text).count("\n") == text.count("\n")
    _, body = take_lead(Body(text, 1))
    assert body.line - 1 + body.text.count("\n") == text.count("\n")
    top_heading(body)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=100))
def test_plain_words_are_one_line(text: str) -> None:
    assert "\n" not in plain(text)
