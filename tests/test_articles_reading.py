"""One file: what its keys mean, and any file at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path, PurePath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.articles.keys import edits, meant
from newsletter.articles.naming import clean_slug
from newsletter.articles.reading import Place, read
from newsletter.articles.source import Source
from newsletter.errors import ArticleError
from newsletter.model import Severity
from tests.articles_folder import LISBON, Folder, letter_in, yaml


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize(
    ("lines", "field", "value"),
    [
        (("Title: A",), "title", "A"),
        (("subject: A",), "title", "A"),
        (("title: A", "subject: B"), "subject", "B"),
        (("title: A",), "subject", "A"),
        (("title: no",), "title", "no"),
        (("title: 2026",), "title", "2026"),
        (("title: >", "  Long", "  title"), "title", "Long title"),
        (("teaser: T", "summary: S"), "summary", "T"),
        (("Summary: S",), "summary", "S"),
        (("excerpt: S",), "summary", "S"),
        (("description: S",), "summary", "S"),
        (("subtitle: S",), "summary", "S"),
        (("teaser:",), "summary", None),
        (("image: a.png",), "image", "a.png"),
        (("cover: a.png",), "image", "a.png"),
        (("cover:", "  image: a.png", "  alt: x"), "image", "a.png"),
        (("featured_image: a.png",), "image", "a.png"),
        (("heroImage: a.png",), "image", "a.png"),
        (("previewimage: a.png",), "image", "a.png"),
        (("images: [a.png, b.png]",), "image", "a.png"),
        (("resources:", "- src: notes.pdf", "- src: a.png"), "image", "a.png"),
        (("tags: [a, b c, a]",), "tags", ("a", "b c")),
        (("tags: a b",), "tags", ("a", "b")),
        (("tags: a, b c",), "tags", ("a", "b c")),
        (("tags: [post, a]",), "tags", ("a",)),
        (("taxonomies:", "  tags: [a, b]"), "tags", ("a", "b")),
        (("author: Ada Example",), "authors", ("Ada Example",)),
        (("authors: [Ada, Bo]",), "authors", ("Ada", "Bo")),
        (("authors:", "- name: Ada", "  url: x"), "authors", ("Ada",)),
        (("number: 43",), "number", 43),
        (("number: '#043'",), "number", 43),
        (("lang: pt-PT",), "language", "pt-PT"),
        (("language: de",), "language", "de"),
        (("preheader: P",), "preheader", "P"),
        (("url: https://example.org/a",), "url", "https://example.org/a"),
        (("permalink: /a/",), "url", "/a/"),
        (("canonical: https://example.org/a",), "url", "https://example.org/a"),
        (("permalink: /:title/",), "url", None),
        (("url: javascript:alert(1)",), "url", None),
        (("draft: true",), "draft", True),
        (("draft: yes",), "draft", True),
        (("draft: 'false'",), "draft", False),
        (("draft:",), "draft", False),
        (("published: false",), "draft", True),
        (("published: true",), "draft", False),
        (("published: 2026-11-22",), "draft", False),
        (("status: draft",), "draft", True),
        (("Status: hidden",), "draft", True),
        (("status: published",), "draft", False),
        (("hidden: true",), "draft", True),
        (("draft: true", "published: true"), "draft", True),
    ],
)
def test_keys_and_their_aliases(
    folder: Folder, lines: tuple[str, ...], field: str, value: object
) -> None:
    assert getattr(folder.article(yaml(*lines)), field) == value


@pytest.mark.parametrize(
    "key", ["date", "Date", "publishDate", "publish_date", "pubDate", "published"]
)
def test_every_name_of_the_date(folder: Folder, key: str) -> None:
    article = folder.article(yaml(f"{key}: 2026-07-01 09:30"))
    assert article.date == datetime(2026, 7, 1, 9, 30, tzinfo=LISBON)


def test_pelican_tags_are_parted_at_commas_only(folder: Folder) -> None:
    article = folder.article(
        "Title: A\nTags: slow living, rest\nAuthors: Ada; Bo\nStatus: draft\n\nB"
    )
    assert article.tags == ("slow living", "rest")
    assert article.authors == ("Ada", "Bo")
    assert article.draft


def test_unknown_keys_are_kept_as_typed(folder: Folder) -> None:
    article = folder.article(yaml("title: A", "Layout: post", "seo: {noindex: on, n: 1}"))
    assert dict(article.extra) == {"Layout": "post", "seo": {"noindex": "on", "n": "1"}}


def test_a_key_that_gave_nothing_stays_in_extra(folder: Folder) -> None:
    article = folder.article(yaml("teaser: A", "description: B"))
    assert (article.summary, dict(article.extra)) == ("A", {"description": "B"})


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("titel", "title"),
        ("tittle", "title"),
        ("drafft", "draft"),
        ("dtae", "date"),
        ("sulg", "slug"),
        ("sumary", "summary"),
        ("teasr", "teaser"),
        ("descripton", "description"),
        ("tgas", "tags"),
        ("publsh_date", "publishDate"),
        ("pre-heder", "preheader"),
        ("numbr", "number"),
    ],
)
def test_a_misspelt_key_is_reported_with_its_line(folder: Folder, key: str, known: str) -> None:
    (problem,) = folder.warnings(yaml("lang: en", f"{key}: x"))
    assert (problem.path, problem.line) == (Path("issues/x.md"), 3)
    assert problem.severity is Severity.WARNING
    assert problem.code == "key-unknown"
    assert problem.hint == f"did you mean `{known}`?"


@pytest.mark.parametrize(
    "key",
    [
        "layout",
        "type",
        "math",
        "toc",
        "weight",
        "categories",
        "comments",
        "aliases",
        "link",
        "uuid",
        "menu",
        "lastmod",
        "series",
        "id",
        "Date",
        "publish-date",
        "pinned",
        "guid",
        "twitter",
    ],
)
def test_keys_of_other_programs_are_no_slips(key: str) -> None:
    assert meant(key) is None


def test_a_value_that_yaml_takes_for_a_comment_is_reported(folder: Folder) -> None:
    (problem,) = folder.warnings(yaml("title: #43 Rest"))
    assert (problem.line, problem.code) == (2, "value-comment")


def test_edits_count_a_swap_once() -> None:
    assert [edits(a, b) for a, b in (("titel", "title"), ("date", "date"), ("", "ab"))] == [1, 0, 2]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("title: [a, b]", "`title` is a list"),
        ("date: {a: b}", "`date` is a mapping"),
        ("date: soon", "`date` is no date: 'soon'"),
        ("date: 2026-13-01", "no date"),
        ("date: 04/09/2024", "no date"),
        ("date: 12:30:45", "no date"),
        ("Date: '2021-(TODO: MM-DD)'", "`Date` is no date"),
        ("draft: maybe", "neither true nor false"),
        ("number: many", "no number"),
        ("slug: a/b", "no name for a page"),
        ("slug: ../x", "no name for a page"),
        ("slug: .hidden", "no name for a page"),
        ("slug: '!!!'", "no name for a page"),
        ('title: "a\\x1bb"', "control character U+001B"),
        ('slug: "a\\0b"', "control character U+0000"),
    ],
)
def test_a_wrong_value_names_its_line(folder: Folder, line: str, words: str) -> None:
    error = folder.error(yaml("lang: en", "tags: [a]", line))
    assert words in error.message
    assert error.where == "issues/x.md:4"
    assert str(error).startswith("issues/x.md:4: ")


def test_attack_1_a_line_break_in_a_title_never_reaches_a_header(folder: Folder) -> None:
    article = folder.article(yaml('title: "Rest\\r\\nBcc: eve@example.com"', 'subject: "a\\nb"'))
    assert article.title == "Rest Bcc: eve@example.com"
    assert article.subject == "a b"


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(max_size=300),
        st.lists(
            st.sampled_from(
                [
                    "---\n",
                    "title: x\n",
                    "date: 2026-1-1\n",
                    "slug: ",
                    "draft: ",
                    "+++\n",
                    "# H\n",
                    "\n",
                    "x",
                    "<!--more-->",
                    '"',
                    "[a]",
                    "number: 3\n",
                    "\x07",
                ]
            ),
            max_size=20,
        ).map("".join),
    )
)
def test_any_text_is_an_article_or_an_article_error(text: str) -> None:
    letter = letter_in(Path("/nowhere"))
    place = Place(PurePath("a.md"), Path("issues/a.md"), letter.issues)
    source = Source(place.shown, text.replace("\r", "\n").replace("\0", ""))
    try:
        article = read(source, place, letter).article
    except ArticleError:
        return
    assert article.title == " ".join(article.title.split())
    assert article.slug == clean_slug(article.slug) != ""
    lines = source.text.split("\n")
    assert len(lines) == article.body_line - 1 + len(article.body.split("\n"))


def test_extra_is_frozen(folder: Folder) -> None:
    extra: Any = folder.article(yaml("a: b")).extra
    with pytest.raises(TypeError):
        extra["a"] = "c"


def test_a_future_offset_is_kept(folder: Folder) -> None:
    date = folder.article(yaml("date: 2026-11-22 08:00 +0200")).date
    assert date is not None
    assert date.utcoffset() == timedelta(hours=2)
