"""The unsubscribe button above a mail: what it needs, and what a press would send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.preview.unsubscribing import Grade, button_of
from tests.conftest import GOLDEN

OURS = (GOLDEN / "letter" / "kitchen-sink.eml").read_bytes()


def mail(*fields: str) -> bytes:
    return "\r\n".join(["From: a@example.com", *fields, "", "body", ""]).encode()


def faults(*fields: str) -> list[str]:
    return [point.found for point in button_of(mail(*fields)).points if point.grade is Grade.BAD]


GOOD = "List-Unsubscribe: <https://letters.example.org/u/abc>, <mailto:u@example.org>"
POST = "List-Unsubscribe-Post: List-Unsubscribe=One-Click"


def test_our_own_mail_has_a_button_that_works() -> None:
    button = button_of(OURS)
    assert button.works
    assert [point.grade for point in button.points] == [Grade.GOOD] * 4 + [Grade.NOTE]
    assert len(button.token) == 32
    assert button.mailto.startswith("mailto:unsubscribe+")
    assert button.request == (
        f"POST /u/{button.token} HTTP/1.1\n"
        "Host: golden.example.org\n"
        "Content-Type: application/x-www-form-urlencoded\n"
        "Content-Length: 26\n"
        "\n"
        "List-Unsubscribe=One-Click"
    )


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ((POST,), "no fields"),
        ((GOOD, GOOD, POST), "2 fields"),
        (("List-Unsubscribe: https://x.example/u", POST), "https://x.example/u"),
        (("List-Unsubscribe: =?utf-8?q?=3Chttps=3A?=", POST), "encoded word"),
        (("List-Unsubscribe: <mailto:u@example.org>", POST), "no https address"),
        (("List-Unsubscribe: <http://x.example/u>", POST), "http without s"),
        (("List-Unsubscribe: <https://a.example/>, <https://b.example/>", POST), "2 https address"),
        (("List-Unsubscribe: <mailto:u@b.example>, <https://a.example/>", POST), "after another"),
        (("List-Unsubscribe: <https:///u>", POST), "no host"),
        ((GOOD,), "no fields"),
        ((GOOD, "List-Unsubscribe-Post: yes"), "yes"),
        (
            (GOOD, POST, "DKIM-Signature: v=1; h=from:list-unsubscribe; b=x"),
            "list-unsubscribe-post",
        ),
        ((GOOD, POST, "DKIM-Signature: v=1; b=x"), "list-unsubscribe, list-unsubscribe-post"),
    ],
)
def test_what_keeps_the_button_away_is_named(fields: tuple[str, ...], found: str) -> None:
    assert any(found in fault for fault in faults(*fields)), faults(*fields)
    assert not button_of(mail(*fields)).works


def test_a_signature_that_covers_both_fields_is_seen() -> None:
    signature = (
        "DKIM-Signature: v=1; a=rsa-sha256;\r\n h=from:to:list-unsubscribe:\r\n"
        "  List-Unsubscribe-Post; bh=x; b=y"
    )
    assert faults(GOOD, POST, signature) == []
    partial = "DKIM-Signature: v=1; h=from; b=x"
    assert faults(GOOD, POST, partial, signature) == [], "one good signature is enough"


def test_a_strangers_mail_names_no_token_of_ours() -> None:
    button = button_of(mail("List-Unsubscribe: <https://x.example/leave?id=7#top>", POST))
    assert button.token == ""
    assert button.request.startswith("POST /leave?id=7 HTTP/1.1\nHost: x.example\n")


@given(st.binary(max_size=120), st.text(alphabet="<>https:/[]@,. =?", max_size=40))
def test_any_mail_can_be_checked(content: bytes, value: str) -> None:
    button_of(content)
    assert button_of(mail(f"List-Unsubscribe: {value}")).works is False
