"""What the desk shows beside a mail: weights, differences, inbox rows, teasers, worst cases."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest
import wcwidth
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config import load_config
from newsletter.delivery.specimen import part, specimen
from newsletter.delivery.worst_cases import WorstCase, worst_cases
from newsletter.preview.difference import difference
from newsletter.preview.inbox_rows import cut, inbox_rows, snippet_of
from newsletter.preview.neighbourhood import neighbourhood
from newsletter.preview.weight import Kind, shares, stretches
from newsletter.shelf import Shelf
from tests.conftest import GOLDEN
from tests.publication import Publication, publication

KITCHEN_SINK = (GOLDEN / "letter" / "kitchen-sink.html").read_text("utf-8")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
markup = st.text(alphabet="<>!-/abody style=\"'\n &;\u00ad\u2007é", max_size=60)


# weight


@given(st.one_of(st.text(max_size=80), markup))
def test_the_stretches_are_the_source_and_the_shares_add_up_to_its_size(html: str) -> None:
    assert "".join(stretch.text for stretch in stretches(html)) == html
    octets = sum(share.octets for share in shares(html))
    assert octets == len(html.encode("utf-8", "surrogatepass"))


def test_each_byte_of_a_tag_is_counted_for_what_it_is_for() -> None:
    html = (
        '<html><head><title>T</title><style>p{}</style></head><body class="b">'
        '<!--[if mso]><p><![endif]--><a href="/x" style="color:red" title=t>w&shy; &shy; é</a>'
    )
    found = [(stretch.kind, stretch.text) for stretch in stretches(html)]
    assert found == [
        (Kind.HEAD, "<html><head><title>T</title>"),
        (Kind.STYLE_BLOCK, "<style>p{}</style>"),
        (Kind.HEAD, "</head>"),
        (Kind.TAG, "<body"),
        (Kind.CLASS, ' class="b"'),
        (Kind.TAG, ">"),
        (Kind.WORD_ONLY, "<!--[if mso]><p><![endif]-->"),
        (Kind.TAG, "<a"),
        (Kind.ADDRESS, ' href="/x"'),
        (Kind.STYLE_ATTRIBUTE, ' style="color:red"'),
        (Kind.ATTRIBUTE, " title=t"),
        (Kind.TAG, ">"),
        (Kind.TEXT, "w"),
        (Kind.PADDING, "&shy; &shy; "),
        (Kind.TEXT, "é"),
        (Kind.TAG, "</a>"),
    ]


def test_style_attributes_weigh_most_in_the_kitchen_sink() -> None:
    heaviest = shares(KITCHEN_SINK)[0]
    assert heaviest.kind is Kind.STYLE_ATTRIBUTE
    assert 0.3 < heaviest.part < 0.7
    assert any(share.kind is Kind.PADDING for share in shares(KITCHEN_SINK))


# difference


@given(st.text(alphabet="ab \n", max_size=30), st.text(alphabet="ab \n", max_size=30))
def test_the_rows_hold_both_texts_whole(before: str, after: str) -> None:
    rows = difference(before, after, context=1000)
    if before == after:
        assert rows == ()
        return
    assert "\n".join(row.before.text for row in rows if row.before) == before
    assert "\n".join(row.after.text for row in rows if row.after) == after
    assert any(row.changed for row in rows)


def test_only_the_words_that_differ_are_marked() -> None:
    [row] = difference("the old <b>word</b>", "the new <b>word</b>")
    assert row.before
    assert row.after
    assert [piece.text for piece in row.before.pieces if piece.changed] == ["old"]
    assert [piece.text for piece in row.after.pieces if piece.changed] == ["new"]


def test_a_long_stretch_without_changes_is_folded() -> None:
    lines = [f"line {number}" for number in range(40)]
    rows = difference("\n".join(lines), "\n".join([*lines[:20], "added", *lines[20:]]))
    assert [row.skipped for row in rows if row.skipped] == [17, 17]
    [added] = [row for row in rows if row.changed]
    assert added.before is None
    assert added.after
    assert (added.after.number, added.after.text) == (21, "added")


def test_lines_too_long_to_compare_are_marked_whole() -> None:
    [row] = difference("a " * 2000, "b " * 2000)
    assert row.before
    assert [piece.changed for piece in row.before.pieces] == [True]


# inbox rows


@given(st.text(max_size=60), st.integers(1, 40))
def test_a_cut_text_fits_and_is_a_beginning(text: str, columns: int) -> None:
    shown = cut(text, columns)
    assert sum(max(wcwidth.wcwidth(c), 0) for c in shown) <= columns
    assert shown == text or text.startswith(shown[:-1])


def test_a_long_subject_leaves_gmail_no_room_for_the_preheader() -> None:
    subject = "One subject that is much too long for any phone and even for a desktop of today"
    gmail, apple, phone = inbox_rows("A sender with quite a long name", subject, "And more words")
    assert gmail.subject.endswith("…")
    assert gmail.preheader == "And more words"
    assert phone.subject == "One subject that is much too long…"
    assert phone.lost == "for any phone and even for a desktop of today"
    assert apple.sender == "A sender with quite a long na…"
    long = inbox_rows("A", subject, "x" * 200)[0]
    assert len(long.subject) + len(" - ") + len(long.preheader) <= 100


def test_wide_characters_take_two_columns() -> None:
    assert cut("東京都千代田区", 7) == "東京都…"


def test_the_snippet_ends_where_the_padding_begins() -> None:
    assert snippet_of(KITCHEN_SINK) == "For Ada, on one page."
    assert snippet_of("<body><p>View in\n browser</p><p>Hello</p>") == "View in browser Hello"
    assert snippet_of("") == ""


# teasers, readers


@pytest.fixture
def letter(tmp_path: Path) -> Publication:
    return publication(tmp_path)


def shelf_of(letter: Publication) -> Shelf:
    return Shelf.of(load_config(letter.root).letter(), NOW)


def test_the_neighbourhood_says_who_shows_the_article_and_who_never_will(
    letter: Publication,
) -> None:
    shelf = shelf_of(letter)
    found = neighbourhood(shelf.find("letter-2"), shelf, {"letter-1"})
    assert found.previous
    assert found.next
    assert [found.previous.title, found.own.title, found.next.title] == [
        "Letter 1",
        "Letter 2",
        "Letter 3",
    ]
    assert [(near.article.slug, near.role, near.was_sent) for near in found.shown_in] == [
        ("letter-1", "next", True),
        ("letter-3", "previous", False),
    ]


def test_nobody_shows_a_draft(letter: Publication) -> None:
    letter.write("issues/2026-02-15-draft.md", "---\ntitle: D\ndraft: true\n---\nx\n")
    shelf = shelf_of(letter)
    found = neighbourhood(shelf.find("draft"), shelf, ())
    assert found.shown_in == ()
    assert found.previous


@pytest.mark.parametrize("case", worst_cases(("city",)), ids=lambda case: case.name)
def test_a_mail_can_be_made_for_the_worst_of_readers(letter: Publication, case: WorstCase) -> None:
    shelf = shelf_of(letter)
    article = shelf.find("letter-1")
    mail = specimen(shelf.compose(article).email, article, shelf.letter, case.addressee)
    assert mail.rcpt_to == case.addressee.address
    message = message_from_bytes(mail.content, policy=policy.default)
    assert message["To"].addresses[0].addr_spec == case.addressee.address
    html = part(mail.content, "html")
    assert "<script" not in html
    assert "xslot" not in html
    greeting = "friend" if case.name == "empty" else case.addressee.name.split()[0]
    assert f"Hello {greeting}," in part(mail.content, "plain")
