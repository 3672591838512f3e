"""Quoted-printable that can be cut and joined anywhere."""

from __future__ import annotations

import quopri

from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.mime.quoted_printable import SOFT, encode

TEXT = st.text(max_size=300) | st.text(alphabet=" =.-From\r\n\tä€", max_size=300)


def decoded(octets: bytes) -> str:
    return quopri.decodestring(octets.replace(b"\r\n", b"\n")).decode()


def lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@settings(max_examples=300)
@given(TEXT)
@example("x" * 73 + "=")
@example("x" * 72 + "ä" + " ")
@example("." * 200)
@example("From " * 50)
def test_any_text_decodes_to_itself_within_76_columns(text: str) -> None:
    encoded = encode(text)
    assert decoded(encoded) == lf(text)
    assert encoded.isascii()
    lines = encoded.split(b"\r\n")
    assert all(len(line) <= 75 or (len(line) == 76 and line.endswith(b"=")) for line in lines)
    assert b"\n" not in encoded.replace(b"\r\n", b"")
    assert b"\r" not in encoded.replace(b"\r\n", b"")


@settings(max_examples=200)
@given(TEXT)
def test_no_line_ends_in_a_space_or_starts_with_what_transport_changes(text: str) -> None:
    for line in encode(text).split(b"\r\n"):
        assert not line.endswith((b" ", b"\t"))
        assert not line.startswith((b".", b"From "))


@settings(max_examples=200)
@given(st.lists(st.text(alphabet=" =.aäF\tЖ", max_size=120), max_size=6))
def test_texts_encoded_apart_and_joined_softly_decode_to_the_texts_joined(
    texts: list[str],
) -> None:
    joined = SOFT.join(encode(text) for text in texts)
    assert decoded(joined) == "".join(texts)
    assert all(len(line) <= 76 for line in joined.split(b"\r\n"))


def test_a_short_plain_line_stays_as_it_is() -> None:
    assert encode("https://example.org/u/abc?x") == b"https://example.org/u/abc?x"


def test_no_boundary_can_appear_in_a_body() -> None:
    assert encode("--=_0123456789--") == b"--=3D_0123456789--"
