"""Templates: found file by file, filled with plain nouns, wrong in a way that says where."""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from newsletter.compose.strings import LANGUAGES, direction, strings_for
from newsletter.compose.text_wrap import columns
from newsletter.compose.theme import Page, load_theme
from newsletter.compose.vocabulary import rows
from newsletter.errors import TemplateError
from newsletter.model import Slot, TeaserLabels
from newsletter.slots import TOKEN
from tests.themed import BODY, NEWER, OLDER, page

UNSUBSCRIBE = Slot("unsubscribe_url").token


def html_of(page: Page) -> str:
    return load_theme(page.letter).fill_html(page)[0]


def text_of(page: Page) -> str:
    return load_theme(page.letter).fill_text(page, "Hello.\n")[0]


def own(root: Path, name: str, source: str) -> None:
    file = root / "templates" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, "utf-8")


def refusal(root: Path, source: str, name: str = "email.html") -> TemplateError:
    """What the designer reads when `source` is the letter's own template."""
    own(root, name, source)
    made = page(root)
    with pytest.raises(TemplateError) as caught:
        load_theme(made.letter).fill_html(made)
    return caught.value


def tree_of(document: str) -> etree._Element:
    return etree.fromstring(document, etree.HTMLParser())


def words_of(document: str) -> str:
    body = tree_of(document).find("body")
    assert body is not None
    return " ".join("".join(map(str, body.itertext())).split())


# --- finding templates ---------------------------------------------------------------------------


def test_the_defaults_serve_a_letter_without_templates(tmp_path: Path) -> None:
    assert html_of(page(tmp_path)).startswith("<!DOCTYPE html>\n<html lang=")


def test_one_file_of_ones_own_replaces_that_file_only(tmp_path: Path) -> None:
    own(tmp_path, "partials/footer.html", '<tr><td>Mine, <a href="{{ unsubscribe_url }}">x</a>')
    document = html_of(page(tmp_path))
    assert "Mine, " in document
    assert "Previous issue" in document
    assert "You receive this" not in document


def test_a_changed_template_is_read_again(tmp_path: Path) -> None:
    made = page(tmp_path)
    own(tmp_path, "email.html", "one")
    theme = load_theme(made.letter)
    assert theme.fill_html(made)[0] == "one"
    own(tmp_path, "email.html", "two")
    os.utime(tmp_path / "templates/email.html", (1, 1))
    assert theme.fill_html(made)[0] == "two"


def test_a_template_saved_within_one_tick_of_the_clock_is_read_again(tmp_path: Path) -> None:
    made = page(tmp_path)
    for text in ("one {{ city }}", "two {{ city }}", "one {{ city }}"):
        own(tmp_path, "email.html", text)
        os.utime(tmp_path / "templates/email.html", (1, 1))
        document, slots = load_theme(made.letter).fill_html(made)
        assert (document, slots) == (text.replace("{{ city }}", slots[0].token), (Slot("city"),))


def test_a_template_is_compiled_anew_when_other_fields_are_declared(tmp_path: Path) -> None:
    own(tmp_path, "email.html", "{{ language }}")
    made = page(tmp_path)
    assert html_of(made) == "en"
    declared = page(tmp_path, fields=("language",))
    assert html_of(declared) == Slot("language").token
    assert html_of(made) == "en"


def test_the_same_page_gives_the_same_document(tmp_path: Path) -> None:
    made = page(tmp_path, BODY)
    assert html_of(made) == html_of(made)
    assert text_of(made) == text_of(made)


# --- slots ---------------------------------------------------------------------------------------


def test_a_declared_field_in_a_template_becomes_a_slot(tmp_path: Path) -> None:
    own(tmp_path, "email.html", "Dear {{ first_name | friend & co }}, in {{ city }}")
    made = page(tmp_path)
    document, slots = load_theme(made.letter).fill_html(made)
    assert slots == (Slot("first_name", "friend & co"), Slot("city"))
    assert document == f"Dear {slots[0].token}, in {slots[1].token}"


def test_only_slots_that_were_shown_are_named(tmp_path: Path) -> None:
    own(tmp_path, "email.html", "{% if issue.number == 1 %}{{ city }}{% endif %}{{ address }}")
    made = page(tmp_path)
    assert load_theme(made.letter).fill_html(made)[1] == (Slot("address"),)


def test_the_unsubscribe_link_is_a_slot_in_both_parts(tmp_path: Path) -> None:
    made = page(tmp_path)
    theme = load_theme(made.letter)
    document, in_html = theme.fill_html(made)
    text, in_text = theme.fill_text(made, "Hello.")
    assert f'href="{UNSUBSCRIBE}"' in document
    assert f": {UNSUBSCRIBE}\n" in text
    assert set(in_html) == set(in_text) == {Slot("unsubscribe_url"), Slot("address")}


# --- errors --------------------------------------------------------------------------------------


def test_an_undefined_attribute_names_template_line_and_likely_name(tmp_path: Path) -> None:
    error = refusal(tmp_path, "<p>\n\n{{ issue.titel }}</p>")
    assert str(error).startswith(
        "templates/email.html:3: `issue.titel` is undefined. Did you mean `issue.title`?"
    )


def test_an_undefined_name_at_the_top_level_has_a_likely_one_too(tmp_path: Path) -> None:
    error = refusal(tmp_path, "{{ subjet }}")
    assert error.where == "templates/email.html:1"
    assert "`subjet` is undefined. Did you mean `subject`?" in error.message


def test_a_name_undefined_inside_a_loop_is_found(tmp_path: Path) -> None:
    error = refusal(tmp_path, "\n{% for card in cards %}\n{{ card.teaser.titel }}\n{% endfor %}")
    assert str(error).startswith("templates/email.html:3: `card.teaser.titel` is undefined.")
    assert "`card.teaser.title`" in error.message


def test_an_undefined_name_in_a_partial_names_the_partial(tmp_path: Path) -> None:
    own(tmp_path, "email.html", "{% include 'partials/footer.html' %}")
    error = refusal(tmp_path, "\n{{ letter.nam }}", "partials/footer.html")
    assert error.where == "templates/partials/footer.html:2"
    assert "Did you mean `letter.name`?" in error.message


def test_an_undefined_colour_of_the_palette_is_found(tmp_path: Path) -> None:
    source = "{% import 'palette.jinja' as palette %}\n{{ palette.light.lnk }} {{ palette.lite }}"
    assert "Did you mean `palette.light.link`?" in refusal(tmp_path, source).message
    source = source.replace("palette.light.lnk", "1")
    assert "Did you mean `palette.light`?" in refusal(tmp_path, source).message


def test_an_unknown_field_with_a_fallback_names_the_likely_field(tmp_path: Path) -> None:
    error = refusal(tmp_path, "Dear {{ firstname | friend }}")
    assert error.where == "templates/email.html:1"
    assert "Did you mean `first_name`?" in error.message


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("\n{% if %}", 2, "Expected an expression"),
        ("{% for card in cards %}", 1, "endfor"),
        ("\n\n{{ issue.title", 3, "end of print statement"),
        ("\n{% include 'partials/foter.html' %}", 2, "Did you mean `partials/footer.html`?"),
        ("\n{{ 1 / 0 }}", 2, "ZeroDivisionError"),
        ("\n{{ issue.title + 1 }}", 2, "TypeError"),
        ("\n{{ issue.title | shout }}", 2, "shout"),
        ("{% include 'email.html' %}", 1, "without end"),
    ],
)
def test_a_broken_template_names_its_line(
    tmp_path: Path, source: str, line: int, words: str
) -> None:
    error = refusal(tmp_path, source)
    assert error.where == f"templates/email.html:{line}"
    assert words in error.message


def test_a_fault_in_a_default_template_is_named_by_its_folder(tmp_path: Path) -> None:
    own(tmp_path, "palette.jinja", "")
    made = page(tmp_path)
    with pytest.raises(TemplateError, match=r"^templates/inlined\.css:\d+: `light` is undefined"):
        load_theme(made.letter).fill_html(made)


# --- a hostile template (deliverability 7.7, 7.22) -----------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ issue.__init__.__globals__ }}",
        "{{ letter['__class__'] }}",
        "{{ cards.append(1) }}",
        "{{ letter.root }}",
        "{{ issue.article.folder }}",
        "{% include '../secrets.txt' %}",
        "{% include '/etc/hostname' %}",
        "{{ 'a' * 99999999 }}",
        "{{ 2 ** 9999999 }}",
        "{{ '%99999999d' % 1 }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    ],
)
def test_attack_07_a_template_cannot_leave_its_sandbox(tmp_path: Path, source: str) -> None:
    (tmp_path / "secrets.txt").write_text("secret", "utf-8")
    assert refusal(tmp_path, source).where == "templates/email.html:1"


def test_attack_07_a_template_cannot_write_without_end(tmp_path: Path) -> None:
    many = "{% set x = 'x' * 99999 %}{% for a in range(99) %}{{ x }}{% endfor %}"
    assert "more than 5 MB" in refusal(tmp_path, many).message


def test_attack_22_a_link_out_of_the_templates_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.html").write_text("secret", "utf-8")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/notes.html").symlink_to(tmp_path / "secret.html")
    assert "link out" in refusal(tmp_path, "{% include 'notes.html' %}").message


def test_attack_08_values_are_escaped_in_html_and_plain_in_text(tmp_path: Path) -> None:
    made = page(tmp_path, title="<b>Bold & brave</b>", name="A <i>letter</i>")
    document, text = html_of(made), text_of(made)
    assert "&lt;b&gt;Bold &amp; brave&lt;/b&gt;" in document
    assert "<b>" not in document
    assert "<i>" not in document
    assert "subscribed to A <i>letter</i>." in " ".join(text.split())


def test_attack_06_braces_in_a_value_are_no_template(tmp_path: Path) -> None:
    made = page(tmp_path, "<p>{{ 7 * 7 }}</p>", title="{{ 7 * 7 }} {% raw %}")
    document = html_of(made)
    assert "<p>{{ 7 * 7 }}</p>" in document
    assert "{{ 7 * 7 }} {% raw %}</h1>" in document


# --- the base template ---------------------------------------------------------------------------


def test_the_head_is_in_the_order_that_clients_need(tmp_path: Path) -> None:
    head = html_of(page(tmp_path)).partition("</head>")[0]
    marks = (
        *("<!DOCTYPE html>", 'lang="en" dir="ltr"', 'charset="utf-8"', "viewport"),
        *("x-apple-disable", "format-detection", '"color-scheme"', '"supported-color-schemes"'),
        *("<title>", "PixelsPerInch", "mso-line-height-rule", "<style>\n", "data-premailer"),
    )
    places = [head.index(mark) for mark in marks]
    assert places == sorted(places)
    assert head.encode().index(b'charset="utf-8"') < 1024


def test_the_title_is_the_subject(tmp_path: Path) -> None:
    title = tree_of(html_of(page(tmp_path))).findtext("head/title")
    assert title == "When your back says “enough” & rest"


def test_the_preheader_is_first_hidden_and_padded(tmp_path: Path) -> None:
    body = tree_of(html_of(page(tmp_path))).find("body")
    assert body is not None
    first = body[0]
    text = first.text or ""
    assert text.startswith("Ten minutes of walking")
    assert len(text.replace("\u034f", "")) >= 199
    style = first.get("style", "")
    assert "display:none" in style
    assert "mso-hide:all" in style
    assert "color" not in style


def test_rule_66_a_long_preheader_needs_no_padding(tmp_path: Path) -> None:
    made = page(tmp_path)
    long = Page(issue=made.issue, letter=made.letter, body="", subject="s", preheader="word " * 50)
    assert "\u2007" not in html_of(long)


def test_every_layout_table_says_it_is_one(tmp_path: Path) -> None:
    for table in tree_of(html_of(page(tmp_path))).iter("table"):
        assert table.get("role") == "presentation"
        assert [table.get(key) for key in ("border", "cellpadding", "cellspacing")] == ["0"] * 3


def test_rule_71_there_is_exactly_one_h1(tmp_path: Path) -> None:
    assert [h1.text for h1 in tree_of(html_of(page(tmp_path, BODY))).iter("h1")] == [
        "When Your Back Says “Enough” & Rest"
    ]


def test_the_article_is_cut_into_rows_and_loses_nothing(tmp_path: Path) -> None:
    body = "lead &amp; <p>1</p>" + "<h2>a</h2>" + "<p>x</p>" * 25 + "<h2>b</h2><ul><li>y</li></ul>"
    cut = rows(body)
    assert "".join(cut) == body
    assert [row.count("<p>") for row in cut] == [1, 9, 10, 6, 0]


def test_rule_45_an_article_with_conditional_comments_stays_whole() -> None:
    body = "<!--[if mso]><table><tr><td><![endif]--><h2>a</h2><!--[if mso]></td></tr><![endif]-->"
    assert list(rows(body)) == [body]


def test_conditional_comments_are_balanced(tmp_path: Path) -> None:
    document = html_of(page(tmp_path))
    assert document.count("<!--[if mso]>") == document.count("<![endif]-->")
    hidden = "".join(re.findall(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", document, re.DOTALL))
    for tag in ("table", "tr", "td"):
        assert hidden.count(f"<{tag}") - hidden.count(f"</{tag}") == 0


def test_the_footer_says_why_where_and_how_to_leave(tmp_path: Path) -> None:
    words = words_of(html_of(page(tmp_path)))
    token = Slot("address").token
    assert f"You receive this because {token} is subscribed to Field Notes." in words
    assert "Unsubscribe" in words
    assert "1 Example Road, Exampleton" in words


def test_two_cards_stand_side_by_side_and_one_takes_the_width(tmp_path: Path) -> None:
    two = html_of(page(tmp_path))
    assert two.count('class="card half"') == 2
    assert two.index("Previous issue") < two.index(OLDER.url) < two.index("Next issue")
    one = html_of(page(tmp_path, next=None))
    assert one.count('class="card whole"') == 1
    assert "Next issue" not in one
    assert "Previous issue" not in html_of(page(tmp_path, previous=None, next=None))


def test_labels_can_be_set_and_swapped(tmp_path: Path) -> None:
    made = page(tmp_path, labels=TeaserLabels(previous="Later", next="Earlier", swapped=True))
    assert [(card.label, card.teaser) for card in made.cards] == [
        ("Later", NEWER),
        ("Earlier", OLDER),
    ]
    assert [(card.side, card.arrow) for card in made.cards] == [("previous", "←"), ("next", "→")]


def test_the_words_and_the_date_are_in_the_letters_language_and_zone(tmp_path: Path) -> None:
    made = page(tmp_path, language="pt", timezone=ZoneInfo("Asia/Tokyo"))
    words = words_of(html_of(made))
    assert "Edição 12 · 23 de novembro de 2026 · Ver no navegador" in words
    assert "Cancelar a assinatura" in words


def test_an_arabic_letter_runs_from_right_to_left(tmp_path: Path) -> None:
    made = page(tmp_path, language="ar")
    assert '<html lang="ar" dir="rtl"' in html_of(made)
    assert [card.arrow for card in made.cards] == ["→", "←"]


def test_an_article_without_date_and_number_shows_neither(tmp_path: Path) -> None:
    made = page(tmp_path, date=None, number=None)
    assert "Field Notes View in browser When" in words_of(html_of(made))
    assert "None" not in html_of(made) + text_of(made)


def test_the_text_begins_with_title_issue_and_address(tmp_path: Path) -> None:
    lines = text_of(page(tmp_path)).splitlines()
    assert lines[:5] == [
        "When your back says “enough” & rest",
        "=" * 35,
        "Issue 12, 22 November 2026",
        "https://letters.example.org/back/",
        "",
    ]
    assert "Ten minutes of walking" not in "\n".join(lines)


def test_the_text_has_the_teasers_and_the_footer_after_a_signature_mark(tmp_path: Path) -> None:
    text = text_of(page(tmp_path))
    article, _, footer = text.partition("\n-- \n")
    assert f"← Previous issue\n{OLDER.title}\n{OLDER.summary}\n{OLDER.url}\n" in article
    assert f"Next issue →\n{NEWER.title}\n" in article
    assert footer.endswith("\n1 Example Road, Exampleton\n")
    assert f"Unsubscribe: {UNSUBSCRIBE}\n" in footer


def test_no_line_of_the_text_is_wider_than_72_columns_or_ends_in_a_blank(tmp_path: Path) -> None:
    made = page(tmp_path, name="睡眠と痛みの手紙 " * 9)
    for line in text_of(made).splitlines():
        assert columns(line) <= 72
        assert line == line.rstrip() or line == "-- "


# --- words and dates -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "first", "later"),
    [
        ("en", "1 March 2026", "22 November 2026"),
        ("en-US", "March 1, 2026", "November 22, 2026"),
        ("de-AT", "1. März 2026", "22. November 2026"),
        ("fr", "1er mars 2026", "22 novembre 2026"),
        ("es", "1 de marzo de 2026", "22 de noviembre de 2026"),
        ("pt_BR", "1 de março de 2026", "22 de novembro de 2026"),
        ("xx", "1 March 2026", "22 November 2026"),
    ],
)
def test_dates_are_written_out_without_a_locale(language: str, first: str, later: str) -> None:
    strings = strings_for(language)
    assert strings.write_date(date(2026, 3, 1)) == first
    assert strings.write_date(datetime(2026, 11, 22, tzinfo=UTC).date()) == later


def test_every_language_has_every_word() -> None:
    for strings in LANGUAGES.values():
        assert len(strings.months.split()) == 12
        assert {"{address}", "{letter}"} <= set(re.findall(r"\{\w+\}", strings.why))
        assert "{number}" in strings.issue_number


def test_direction_follows_the_language() -> None:
    assert [direction(tag) for tag in ("ar-EG", "he", "en", "fa")] == ["rtl", "rtl", "ltr", "rtl"]


def test_tokens_in_templates_are_all_known_slots(tmp_path: Path) -> None:
    made = page(tmp_path)
    document, slots = load_theme(made.letter).fill_html(made)
    assert set(TOKEN.findall(document)) == {slot.token for slot in slots}
