"""Every construct of Markdown: its source, its HTML and its plain text, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from newsletter.delivery.specimen import specimen
from newsletter.lint.check import check_mail
from newsletter.lint.plaintext import URL
from newsletter.model import Severity
from newsletter.shelf import Shelf
from newsletter.slots import TOKEN
from tests.golden_constructs import FOLDER, NOW, Construct, constructs, constructs_letter

ALL = constructs()
HREF = re.compile(r'href="(https://[^"]+)"')
PICTURE = re.compile(r'src="(https://[^"]+)"')


def named(construct: Construct) -> str:
    return construct.article.slug


def test_each_file_of_the_folder_is_a_construct_with_a_number_of_its_own() -> None:
    assert {f"{each.article.slug}.md" for each in ALL} == {f.name for f in FOLDER.glob("*.md")}
    assert [each.article.number for each in ALL] == list(range(1, len(ALL) + 1))


@pytest.mark.parametrize("construct", ALL, ids=named)
def test_a_construct_is_the_html_and_the_text_it_was(
    construct: Construct, golden: Callable[[str, str], None]
) -> None:
    golden(f"constructs/{construct.article.slug}.html", construct.fragment.html + "\n")
    golden(f"constructs/{construct.article.slug}.txt", construct.text)


@pytest.mark.parametrize("construct", ALL, ids=named)
def test_the_examples_have_nothing_to_complain_of(construct: Construct) -> None:
    problems = construct.fragment.problems
    assert [each for each in problems if each.severity is not Severity.INFO] == []


@pytest.mark.parametrize("construct", ALL, ids=named)
def test_every_address_of_the_html_is_in_the_text_and_the_other_way_round(
    construct: Construct,
) -> None:
    in_html = {href.replace("&amp;", "&") for href in HREF.findall(construct.fragment.html)}
    in_text = {url.rstrip(".,") for url in URL.findall(construct.text)}
    assert in_html == in_text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", ("Se désabonner\u00a0: ", "Liens\n-----", "[Image\u00a0: ", "Numéro 15")),
        ("ar", ("إلغاء الاشتراك: ", "الروابط\n-------", "[صورة: ", "العدد 15")),
        ("ja", ("配信停止: ", "リンク\n------", "[画像: ", "第15号")),
        ("de", ("Abmelden: ", "Links\n-----", "[Bild: ", "Ausgabe 15")),
    ],
)
def test_no_word_of_the_mail_itself_stays_english(language: str, words: tuple[str, ...]) -> None:
    letter = replace(constructs_letter(), language=language)
    shelf = Shelf.of(letter, NOW)
    text = shelf.compose(shelf.find("pictures")).email.text
    assert [each for each in words if each not in text] == []
    for english in ("Unsubscribe", "Image: ", "View in browser", "You receive"):
        assert english not in text


@pytest.mark.parametrize("construct", ALL, ids=named)
def test_no_line_of_the_text_is_too_wide_but_code(construct: Construct) -> None:
    for line in TOKEN.sub("Ada", construct.text).splitlines():
        assert len(line) <= 72 or line.startswith(("    ", "["))
        assert line == line.rstrip()


@pytest.mark.parametrize("construct", ALL, ids=named)
def test_the_rules_of_mail_programs_find_nothing_in_a_constructs_mail(construct: Construct) -> None:
    """All rules of composition 2, in the light, the dark and the inverted; the preheaders are the
    sentences of docs/markdown.md, longer than a letter's."""
    letter, article = construct.shelf.letter, construct.article
    mail = specimen(construct.shelf.compose(article).email, article, letter)
    problems = [each for each in check_mail(mail.content) if each.severity is not Severity.INFO]
    assert [each for each in problems if not each.code.startswith("preheader")] == []
