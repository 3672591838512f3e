"""Golden mails: what a reader gets, on disk, compared byte for byte and reviewed in the diff.

`python3 tests --update-golden` rewrites them. The .html files open in a browser.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.delivery.specimen import part, specimen
from newsletter.model import Letter, Mail
from newsletter.shelf import Shelf

FOLDER = Path(__file__).parent / "golden" / "letter"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
SLUGS = ("first", "kitchen-sink", "last")


def golden_letter() -> Letter:
    return load_config(FOLDER).letter()


def mail_of(slug: str) -> Mail:
    letter = golden_letter()
    shelf = Shelf.of(letter, NOW)
    article = shelf.find(slug)
    return specimen(shelf.compose(article).email, article, letter)


@pytest.mark.parametrize("slug", SLUGS)
def test_an_issue_is_the_mail_it_was(slug: str, golden: Callable[[str, bytes], None]) -> None:
    mail = mail_of(slug)
    golden(f"letter/{slug}.eml", mail.content)
    golden(f"letter/{slug}.html", part(mail.content, "html").encode())
    golden(f"letter/{slug}.txt", part(mail.content, "plain").encode())


def test_composing_twice_gives_the_same_bytes() -> None:
    assert mail_of("kitchen-sink") == mail_of("kitchen-sink")


def test_pythons_parser_finds_no_defect() -> None:
    message = message_from_bytes(mail_of("kitchen-sink").content, policy=policy.default)
    assert message.defects == []
    assert [each.get_content_type() for each in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert all(each.defects == [] for each in message.walk())


def test_the_newest_issue_has_one_teaser_and_the_middle_one_two() -> None:
    text = part(mail_of("last").content, "plain")
    assert "Everything at once" in text
    middle = part(mail_of("kitchen-sink").content, "plain")
    assert "https://golden.example.org/first/" in middle
    assert "https://golden.example.org/last/" in middle


def test_code_is_as_typed_in_every_part() -> None:
    content = mail_of("kitchen-sink").content
    for subtype in ("plain", "html"):
        assert "{{ first_name | friend }}" in part(content, subtype)


def test_slots_are_filled_in_subject_preheader_html_and_text() -> None:
    content = mail_of("kitchen-sink").content
    message = message_from_bytes(content, policy=policy.default)
    assert message["Subject"] == "Everything at once: tables & “quotes” — and Ada"
    assert "For Ada, on one page." in part(content, "html")
    for subtype in ("plain", "html"):
        assert "Hello Ada" in part(content, subtype)
        assert "xslot" not in part(content, subtype)
