"""The header of a mail: nothing but what we meant, in whatever language."""

from __future__ import annotations

import locale
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from email.policy import Policy
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.errors import MailRefused
from newsletter.mime import fill, header, stencil
from newsletter.mime.headers import (
    ascii_uri,
    date_field,
    feedback_id_field,
    list_id_field,
    mailbox_field,
    message_id_field,
    plain_fields,
    subject_field,
    unsubscribe_fields,
)
from newsletter.mime.words import display_name, one_line, unstructured
from newsletter.model import Mailbox
from tests.conftest import thorough
from tests.mime_letter import DATE, KEPT, LETTER, email, header_lines, mail, parsed, reader

NAMES = st.text(alphabet=KEPT, max_size=80) | st.text(
    alphabet="ab .,;:\"\\()<>[]=?_'äЖ字\U0001f642", max_size=80
)


def message(field: bytes, reading: Policy = policy.default) -> Message[Any, Any]:
    return message_from_bytes(field + b"\r\n", policy=reading)


def addressed_to(field: bytes) -> tuple[str, str]:
    """Display name and address as the standard library's older parser reads them: the newer one
    leaves a space between two encoded-words of a phrase, against RFC 2047 6.2."""
    raw = message(field, policy.compat32)["To"]
    phrase, address = parseaddr(raw)
    return str(make_header(decode_header(phrase))) if "=?" in raw else phrase, address


def assert_well_formed(field: bytes, limit: int = 76) -> None:
    assert field.isascii()
    assert field.endswith(b"\r\n")
    first, *folded = field[:-2].split(b"\r\n")
    assert all(line[:1] == b" " and line.strip() for line in folded)
    for line in (first, *folded):
        assert len(line) <= limit
        assert b"\r" not in line
        assert b"\n" not in line
        assert all(len(word) <= 75 for word in line.split() if word.startswith(b"=?"))


def test_the_header_is_the_model_message() -> None:
    letter = replace(LETTER, reply_to=Mailbox("", "desk@letters.example.org"))
    content = fill(stencil(email(), letter, DATE), reader()).content
    names = [line.partition(":")[0] for line in header_lines(content) if not line.startswith(" ")]
    assert names == [
        *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "List-ID"),
        *("List-Unsubscribe", "List-Unsubscribe-Post", "List-Archive", "List-Post"),
        *("Feedback-ID", "Precedence", "X-Auto-Response-Suppress", "MIME-Version", "Content-Type"),
    ]


@settings(max_examples=thorough(250, 62))
@given(NAMES)
@example("=?utf-8?q?=0A?=")
@example('Example, "Ada" \\ the first')
@example("J. R. Example")
@example("Jörg Müller")
@example("字" * 60)
@example("a" * 199)
@example("\U0001f469\u200d\U0001f4bb Ada")
@example(" \u00a0 ")
def test_any_display_name_arrives_as_written(name: str) -> None:
    field = mailbox_field("To", Mailbox(name, "ada@example.net"))
    assert_well_formed(field)
    shown = display_name(name)
    assert shown in ("", " ".join(name.split()))
    assert addressed_to(field) == (shown, "ada@example.net")


@pytest.mark.parametrize("letter", ["a", "ä", "(", "字"])
@pytest.mark.parametrize("name", ["To", "Reply-To"])
def test_a_mailbox_of_any_length_is_folded_at_76_and_not_before(name: str, letter: str) -> None:
    widest = 0
    for length in range(1, 75):
        field = mailbox_field(name, Mailbox(letter * length, "ada@example.net"))
        assert_well_formed(field)
        widest = max(widest, *map(len, field.split(b"\r\n")))
    assert widest > 70


@settings(max_examples=thorough(250, 62))
@given(NAMES)
@example("a" * 300)
@example("=?utf-8?q?=0A?=")
@example("word " * 40)
@example("two  spaces, " * 10)
@example("Ж" * 200)
def test_any_subject_arrives_as_written(subject: str) -> None:
    meant = subject.strip(" ")
    while "  " in meant:
        meant = meant.replace("  ", " ")
    if not meant:
        with pytest.raises(MailRefused):
            subject_field(subject)
        return
    field = subject_field(subject)
    assert_well_formed(field)
    assert str(message(field)["Subject"]) == meant


HOSTILE = st.text(alphabet="Ab1 =?.,'\"<>@\\\r\n:/é", max_size=80)
WORDS = st.text(alphabet="Ab1=?.,'", min_size=1, max_size=80).map(" ".join)
LINKS = st.text(alphabet="Ab1/?=&-", min_size=1, max_size=40).map("https://x.example/{}".format)


@given(
    NAMES | HOSTILE | WORDS, HOSTILE | WORDS | st.none(), LINKS | HOSTILE, HOSTILE | st.just("a@b")
)
@example("Ada Poe", "Winter", "https://x.example/1", "a.b@c.example")
@example("Ada Poe", None, "https://x.example/1", "a.b@c.example")
def test_plain_fields_are_as_the_long_way_writes_them(
    name: str, subject: str | None, url: str, message_id: str
) -> None:
    mailto = f"mailto:unsubscribe+{url[-10:]}@x.example"
    to = reader()._replace(
        name=name, message_id=message_id, unsubscribe_url=url, unsubscribe_mailto=mailto
    )
    quick = plain_fields(to, subject)
    if (name, message_id) == ("Ada Poe", "a.b@c.example"):
        assert quick, "the quick way is taken at all"
    if quick:
        assert quick == (
            mailbox_field("To", Mailbox(name, to.address)),
            b"" if subject is None else subject_field(subject),
            message_id_field(message_id),
            unsubscribe_fields(url, mailto),
        )


@given(WORDS)
def test_a_subject_is_one_field_however_long(subject: str) -> None:
    subject = subject[:90].strip()
    assert subject_field(subject) == header("Subject", *unstructured(subject, len("Subject: ")))


@pytest.mark.parametrize(
    "name",
    ["boss@example.com", "Ada ＠ example", "see https://example.com/now", "x" * 201, "", " "],
)
def test_a_name_that_reads_like_an_address_or_link_is_dropped(name: str) -> None:
    assert mailbox_field("To", Mailbox(name, "ada@example.net")) == b"To: ada@example.net\r\n"


@pytest.mark.parametrize(
    "name",
    [
        "Ada\r\nBcc: eve",
        "Ada\nBcc: eve",
        "Ada\rBcc: eve",
        "Ada\x00\x0b\x0c\x85\u2028\u2029Bcc: eve",
        "=?utf-8?q?Ada=0D=0ABcc:_eve?=",
    ],
)
def test_attack_01_and_03_no_name_adds_a_header(name: str) -> None:
    content = mail(email(), reader(name=name)).content
    assert parsed(content)["Bcc"] is None
    assert content.lower().count(b"\r\nbcc") == 0
    assert header_lines(content)[1].startswith("To: ")


def test_attack_03_an_encoded_word_in_a_name_stays_text() -> None:
    field = mailbox_field("To", Mailbox("=?utf-8?q?=0A?=", "ada@example.net"))
    assert message(field)["To"].addresses[0].display_name == "=?utf-8?q?=0A?="


@pytest.mark.parametrize("name", ["X-A: b\r\nBcc", "X A", "", "X:A", "Ä", "1X", "X" * 77])
def test_attack_02_a_field_name_is_letters_digits_and_hyphens(name: str) -> None:
    with pytest.raises(MailRefused):
        header(name, "x")


@pytest.mark.parametrize("line", ["a\r\nBcc: b", "a\nb", "a\rb", "a\0b", "ä", "", "  ", "a\x7f"])
def test_attack_01_the_header_gate_takes_one_line_of_ascii(line: str) -> None:
    with pytest.raises(MailRefused):
        header("Subject", line)
    with pytest.raises(MailRefused):
        header("Subject", "fine", line)


def test_a_header_line_has_at_most_998_characters() -> None:
    assert header("X-A", "b" * 993) == b"X-A: " + b"b" * 993 + b"\r\n"
    with pytest.raises(MailRefused, match="998"):
        header("X-A", "b" * 994)


def test_attack_44_direction_marks_leave_a_name() -> None:
    field = mailbox_field("From", Mailbox("Ada \u202egro.elpmaxe\u2069", "ada@example.net"))
    assert message(field)["From"].addresses[0].display_name == "Ada gro.elpmaxe"


@given(st.text())
def test_a_value_is_one_printable_line_however_it_came(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert one_line(line) == line
    line.encode()


def test_a_lone_surrogate_leaves_a_value() -> None:
    assert one_line("A\ud800da") == "Ada"


def test_the_date_is_english_utc_whatever_the_locale_and_zone() -> None:
    before = locale.setlocale(locale.LC_TIME)
    try:
        locale.setlocale(locale.LC_TIME, "C")
        east = datetime(2026, 3, 1, 1, 2, 3, tzinfo=timezone(timedelta(hours=5, minutes=30)))
        assert date_field(east) == b"Date: Sat, 28 Feb 2026 19:32:03 +0000\r\n"
    finally:
        locale.setlocale(locale.LC_TIME, before)
    with pytest.raises(ValueError, match="aware"):
        date_field(east.replace(tzinfo=None))


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_a_date_reads_back(date: datetime) -> None:
    aware = date.replace(microsecond=0, tzinfo=UTC)
    assert message(date_field(aware))["Date"].datetime == aware


def test_list_unsubscribe_is_folded_only_between_its_uris_and_never_encoded() -> None:
    url = "https://letters.example.org/u/" + "k" * 200
    fields = unsubscribe_fields(url, "mailto:unsubscribe+k@letters.example.org")
    assert (
        fields
        == (
            f"List-Unsubscribe: <{url}>,\r\n <mailto:unsubscribe+k@letters.example.org>\r\n"
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        ).encode()
    )


@pytest.mark.parametrize(
    "url",
    ["http://example.org/u/k", "https://example.org/u/a b", "https://example.org/>,<x", "k", ""],
)
def test_an_unsubscribe_link_that_no_provider_would_follow_is_refused(url: str) -> None:
    with pytest.raises(MailRefused):
        unsubscribe_fields(url, "")


@pytest.mark.parametrize("name", ["", "a@b@c", "a b@c", "<a@c>", "a@c\r\nX: y", "ä@c"])
def test_a_message_id_is_left_at_right(name: str) -> None:
    with pytest.raises(MailRefused):
        message_id_field(name)


def test_international_domains_are_written_as_a_labels() -> None:
    assert mailbox_field("From", Mailbox("", "post@münchen.example")) == (
        b"From: post@xn--mnchen-3ya.example\r\n"
    )
    assert ascii_uri("https://münchen.example/brief/é?x=ü") == (
        "https://xn--mnchen-3ya.example/brief/%C3%A9?x=%C3%BC"
    )
    with pytest.raises(MailRefused):
        mailbox_field("From", Mailbox("", "jörg@example.org"))


@pytest.mark.parametrize(
    "address", ["a@b>\r\nRCPT TO:<c", "a b@c", "a@b,c@d", "a", "@b", "a@", "<a@b>", "a@b@c"]
)
def test_attack_04_and_33_a_mail_has_one_plain_address(address: str) -> None:
    with pytest.raises(MailRefused) as refused:
        mail(email(), reader(address=address))
    assert "RCPT" not in str(refused.value)


def test_a_list_id_has_a_phrase_and_brackets() -> None:
    assert list_id_field(LETTER) == b"List-ID: Field Notes <letter.letters.example.org>\r\n"
    long = replace(LETTER, name="Заметки " * 6)
    assert_well_formed(list_id_field(long))
    with pytest.raises(MailRefused):
        list_id_field(replace(LETTER, list_id="no label>"))


def test_feedback_id_has_four_fields_and_a_sender_of_5_to_15_characters() -> None:
    assert feedback_id_field("sleep", LETTER) == (
        b"Feedback-ID: sleep:letter:newsletter:ttersexampleorg\r\n"
    )
    tiny = replace(LETTER, sender=Mailbox("", "a@b.de"))
    odd = feedback_id_field("schlaf: ä/ö", tiny)
    assert odd == b"Feedback-ID: schlaf:letter:newsletter:00bde\r\n"
