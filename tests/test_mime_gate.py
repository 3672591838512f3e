"""The last gate: good mail passes, every mutant of it does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from newsletter.errors import MailRefused
from newsletter.mime import gate
from tests.mime_letter import FIRST_NAME, email, mail, reader

GOOD = mail(email(text=f"Dear {FIRST_NAME.token},\n"), reader(first_name="Ada")).content
Mutation = Callable[[bytes], bytes]


def swap(old: bytes, new: bytes) -> Mutation:
    def mutate(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new, 1)

    return mutate


def without(name: bytes) -> Mutation:
    def mutate(content: bytes) -> bytes:
        start = content.index(b"\r\n" + name + b": ")
        return content[:start] + content[content.index(b"\r\n", start + 2) :]

    return mutate


def test_a_good_mail_passes() -> None:
    gate(GOOD)


@pytest.mark.parametrize(
    ("fault", "mutate"),
    [
        ("7-bit", swap(b"Dear", "Déar".encode())),
        ("7-bit", swap(b"Dear", b"D\0ar")),
        ("7-bit", swap(b"Dear", b"D\x1bar")),
        ("bare", swap(b"Dear", b"D\nar")),
        ("bare", swap(b"Dear", b"D\rar")),
        ("bare", swap(b"\r\nSubject", b"\nSubject")),
        ("end in CRLF", lambda content: content[:-2]),
        ("no body", lambda content: content.partition(b"\r\n\r\n")[0] + b"\r\n"),
        ("998", swap(b"Precedence: bulk", b"Precedence: " + b"b" * 999)),
        ("76", swap(b"Dear", b"D" * 77)),
        ("2 subject", swap(b"Subject: ", b"Subject: a\r\nSubject: ")),
        ("2 from", swap(b"From: ", b"From: a@example.com\r\nFROM: ")),
        ("2 reply-to", swap(b"To: ", b"Reply-To: a@b\r\nReply-To: c@d\r\nTo: ")),
        ("0 message-id", without(b"Message-ID")),
        ("0 date", without(b"Date")),
        ("0 list-unsubscribe-post", without(b"List-Unsubscribe-Post")),
        ("bcc", swap(b"To: ", b"Bcc: eve@example.com\r\nTo: ")),
        ("cc", swap(b"To: ", b"Cc: eve@example.com\r\nTo: ")),
        ("one reader", swap(b"<ada@example.net>", b"<ada@example.net>, <eve@example.com>")),
        ("one reader", swap(b"<ada@example.net>", b"<ada@example.net>,\r\n <eve@example.com>")),
        ("one reader", swap(b"To: Ada Example <ada@example.net>", b"To: a@b, c@d")),
        ("one reader", swap(b"To: Ada Example <ada@example.net>", b"To: all: a@b;")),
        ("one reader", swap(b"<ada@example.net>", b"")),
        ("https", swap(b"<https://", b"<http://")),
        ("https", swap(b"<https://", b"=?utf-8?q?=3Chttps://")),
        ("no field", swap(b"Precedence: bulk", b"Precedence bulk")),
        ("no field", swap(b"Precedence: bulk", b"Prece dence: bulk")),
        ("unfilled", swap(b"Dear", FIRST_NAME.token.encode())),
        ("unfilled", swap(b"Dear", FIRST_NAME.token[:8].encode() + b"=\r\n12x")),
        ("unfilled", swap(b"Sleep", FIRST_NAME.token.upper().encode())),
    ],
)
def test_a_mutant_is_refused(fault: str, mutate: Mutation) -> None:
    with pytest.raises(MailRefused, match=fault):
        gate(mutate(GOOD))


def test_attack_36_the_gate_repeats_nothing_of_the_mail() -> None:
    with pytest.raises(MailRefused) as refused:
        gate(GOOD.replace(b"<ada@example.net>", b"<ada@example.net>, <eve@example.com>"))
    assert "example" not in str(refused.value)


def test_a_comma_in_a_quoted_name_is_no_second_reader() -> None:
    gate(mail(email(), reader(name='Example, "Ada"; the: first')).content)


def test_double_braces_in_a_mail_are_not_the_gates_business() -> None:
    gate(mail(email(text="{{ name }} {% if %}\n"), reader(name="{{7*7}}")).content)
