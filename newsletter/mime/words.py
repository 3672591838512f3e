"""Human words -> what a header may carry: RFC 5322 phrases, RFC 2047 encoded-words, folding.

Any Unicode text enters; lines of printable ASCII leave, to be joined by CRLF SPACE. What the text
means is not known here, and nothing in it has a meaning: an encoded-word typed by somebody is
encoded again, so it arrives as typed (deliverability 7.3).
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from collections.abc import Callable, Iterator

LINE = 76
"""Columns of a folded header line, at most (RFC 2047 2)."""

_WORD = 75
_FRAME = len("=?utf-8?q??=")
_LONGEST_NAME = 200

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LITERAL = re.compile(r"[ -~]*")

# Line and paragraph ends, tabs and the information separators become spaces.
_BREAKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
# C0, C1, the bidirectional controls that turn a line round, and lone surrogates vanish
# (deliverability 2 and 7.44).
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_TO_SPACES = dict.fromkeys(map(ord, _BREAKS), " ")

# The characters that stand for themselves in the Q encoding within a phrase (RFC 2047 5 (3)).
_BARE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q = {octet: chr(octet) if octet in _BARE else f"={octet:02X}" for octet in range(256)} | {32: "_"}


def one_line(text: str) -> str:
    """`text` as a single line without control characters, so that it can forge neither a header
    nor a line of text. Joiners and direction marks of real scripts stay."""
    if text.isprintable():
        return text
    return _UNWANTED.sub("", text.translate(_TO_SPACES))


def display_name(text: str) -> str:
    """The name to show before an address; "" when it is too long, or reads like an address or
    link of its own, which filters take for forgery (deliverability 2)."""
    if len(text) <= _LONGEST_NAME and _ATOMS.fullmatch(text):
        return text
    name = " ".join(one_line(text).split())
    plain = name if name.isascii() else unicodedata.normalize("NFKC", name)
    if len(name) > _LONGEST_NAME or "@" in plain or "://" in plain:
        return ""
    return name


def phrase(text: str, column: int) -> list[str]:
    """`text` as the lines of an RFC 5322 phrase that starts in `column`."""
    if _LITERAL.fullmatch(text) and "=?" not in text and column + len(text) + 2 <= LINE:
        if _ATOMS.fullmatch(text):
            return [text]
        quoted = text.replace("\\", r"\\").replace('"', r"\"")
        if column + len(quoted) + 2 <= LINE:
            return [f'"{quoted}"']
    return encoded_words(text, column)


def unstructured(text: str, column: int) -> list[str]:
    """`text` as the lines of an unstructured field body, such as a Subject, from `column` on."""
    if _LITERAL.fullmatch(text) and "=?" not in text:
        lines = _folded(text, column)
        if lines is not None:
            return lines
    return encoded_words(text, column)


def encoded_words(text: str, column: int) -> list[str]:
    """`text` as RFC 2047 words of at most 75 characters, one a line, cut between code points: Q,
    which people and filters can read, unless B is shorter by a third."""
    octets = text.encode()
    in_q = "".join([_Q[octet] for octet in octets])
    room = min(_WORD, LINE - column) - _FRAME
    if len(in_q) > 2 * len(octets):
        return [_in_b(chunk) for chunk in _chunks(text, room // 4 * 3, _size_in_b)]
    if len(in_q) <= room:
        return [f"=?utf-8?q?{in_q}?="]
    return [_in_q(chunk) for chunk in _chunks(text, room, _size_in_q)]


def _chunks(text: str, room: int, size: Callable[[str], int]) -> Iterator[str]:
    """`text` in pieces that take at most `room` columns, the later ones a whole word's."""
    chunk, used = "", 0
    whole = _WORD - _FRAME if size is _size_in_q else (_WORD - _FRAME) // 4 * 3
    for character in text:
        columns = size(character)
        if used + columns > room:
            yield chunk
            chunk, used, room = "", 0, whole
        chunk += character
        used += columns
    yield chunk


def _size_in_q(character: str) -> int:
    return sum(len(_Q[octet]) for octet in character.encode())


def _size_in_b(character: str) -> int:
    return len(character.encode())


def _in_q(chunk: str) -> str:
    return f"=?utf-8?q?{''.join([_Q[octet] for octet in chunk.encode()])}?="


def _in_b(chunk: str) -> str:
    return f"=?utf-8?b?{binascii.b2a_base64(chunk.encode(), newline=False).decode()}?="


def _folded(text: str, column: int) -> list[str] | None:
    """`text` cut at single spaces; None when a word is longer than a line, or when a fold would
    swallow one of several spaces."""
    if column + len(text) <= LINE:
        return [text]
    lines, room = [""], LINE - column
    for word in text.split(" "):
        if not word or len(word) > LINE - 1:
            return None
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if len(joined) > room:
            lines.append(word)
            room = LINE - 1
        else:
            lines[-1] = joined
    return lines if lines[0] and column + len(lines[0]) <= LINE else None
