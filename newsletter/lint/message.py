"""The bytes of a mail -> its fields and parts, with their lines.

Enters: any bytes, also those of a mail that is broken. Leaves: what is there, as it stands, so that
rules can say what is wrong with it; nothing is repaired and nothing raises. Shares no code with
the encoders (`mime`) and does not use `email`, which mends what we want to see.
"""

from __future__ import annotations

import binascii
import codecs
import re
from dataclasses import dataclass

MOST_DEPTH = 10
MOST_PARTS = 200

_LINE = re.compile(rb"\r\n|\r|\n")
_BLANK = re.compile(rb"\r\n\r\n|\n\n|\n\r\n|\r\r")
_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_PARAMETER = re.compile(r';\s*([\w*-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]+)')
_WORD = re.compile(r"=\?([^?\s]+)\?([bq])\?([^?\s]*)\?=", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t]+(?==\?)")


@dataclass(frozen=True, slots=True)
class Field:
    """One header field. `value` is unfolded, octets above 127 as in Latin-1; `lines` are as they
    stand, `line` is the first of them in the whole mail, from 1."""

    name: str
    value: str
    lines: tuple[str, ...]
    line: int

    @property
    def key(self) -> str:
        return self.name.lower()

    @property
    def utf8(self) -> str:
        """The value with its octets read as UTF-8 (RFC 6532), as it stands where they are none."""
        try:
            return self.value.encode("latin-1").decode()
        except ValueError:
            return self.value

    @property
    def text(self) -> str:
        """The value as people read it, encoded-words included (RFC 2047)."""
        return _WORD.sub(_read_word, _BETWEEN_WORDS.sub(r"\1", self.utf8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A mail, or a part of one: a header and what follows it. `stray` are lines of the header that
    are no field, `line` is the first line of the body, `closed` is False for a multipart without
    its closing delimiter (RFC 2046 5.1.1)."""

    fields: tuple[Field, ...]
    stray: tuple[int, ...]
    body: bytes
    line: int
    parts: tuple[Part, ...] = ()
    closed: bool = True

    def all(self, name: str) -> tuple[Field, ...]:
        """Every field of that name, in order."""
        key = name.lower()
        return tuple(field for field in self.fields if field.key == key)

    def first(self, name: str) -> Field | None:
        return next(iter(self.all(name)), None)

    def value(self, name: str) -> str:
        """The value of the first field of that name, "" when there is none."""
        found = self.first(name)
        return found.value if found else ""

    @property
    def kind(self) -> str:
        """`text/plain`, the type of a part that names none (RFC 2045 5.2), or what it names."""
        return self.value("Content-Type").partition(";")[0].strip().lower() or "text/plain"

    @property
    def encoding(self) -> str:
        return self.value("Content-Transfer-Encoding").strip().lower() or "7bit"

    @property
    def charset(self) -> str:
        return self.parameter("charset").lower()

    def parameter(self, name: str) -> str:
        """A parameter of the Content-Type, without quotes; "" when it is not there."""
        for match in _PARAMETER.finditer(self.value("Content-Type")):
            if match[1].lower() == name:
                return re.sub(r"\\(.)", r"\1", match[2].strip('"'))
        return ""

    @property
    def text(self) -> str:
        """The body decoded, with LF; what cannot be decoded is shown as a replacement."""
        octets = decoded(self.body, self.encoding)
        named = self.charset or "us-ascii"
        known = codec(named) or "latin-1"
        charset = "utf-8" if known == "ascii" else known
        return decode(octets, charset).replace("\r\n", "\n").replace("\r", "\n")

    @property
    def is_legible(self) -> bool:
        """Whether every octet is one of the charset that the part names."""
        try:
            decoded(self.body, self.encoding).decode(self.charset)
        except (LookupError, ValueError):
            return False
        return True

    def leaves(self) -> tuple[Part, ...]:
        """The parts that hold no others, in order; the part itself when it is one."""
        if not self.parts:
            return (self,)
        return tuple(leaf for part in self.parts for leaf in part.leaves())

    def leaf(self, kind: str) -> Part | None:
        """The first leaf of that type."""
        return next((part for part in self.leaves() if part.kind == kind), None)


def read_mail(content: bytes) -> Part:
    """The mail in the bytes, whatever its line ends are."""
    return _Reader().part(content, 1, 0)


def decoded(body: bytes, encoding: str) -> bytes:
    """The octets behind a transfer encoding; as they stand for one that is unknown or broken."""
    try:
        if encoding == "quoted-printable":
            return binascii.a2b_qp(body)
        if encoding == "base64":
            return binascii.a2b_base64(body)
    except binascii.Error:
        return body
    return body


def codec(charset: str) -> str | None:
    """Python's name of a charset, None for one that nobody knows or that is none: `rot13`."""
    try:
        b"a".decode(charset)
        return codecs.lookup(charset).name
    except (LookupError, ValueError):
        return None


def decode(octets: bytes, charset: str) -> str:
    """The octets as text, with replacements, whatever the charset's decoder thinks of them."""
    try:
        return octets.decode(charset, "replace")
    except ValueError:
        return octets.decode("latin-1")


def _read_word(match: re.Match[str]) -> str:
    text = match[3]
    encoding = "base64" if match[2] in "bB" else "quoted-printable"
    octets = decoded(text.replace("_", " ").encode("ascii", "replace"), encoding)
    return decode(octets, codec(match[1].partition("*")[0]) or "latin-1")


class _Reader:
    """One pass over one mail, bounded: a hostile mail nests and splits without end."""

    def __init__(self) -> None:
        self.count = 0

    def part(self, content: bytes, line: int, depth: int) -> Part:
        self.count += 1
        head, body, body_line = _split(content, line)
        fields, stray = _fields(head, line)
        part = Part(fields=fields, stray=stray, body=body, line=body_line)
        boundary = part.parameter("boundary")
        if not part.kind.startswith("multipart/") or not boundary or depth >= MOST_DEPTH:
            return part
        return self.multipart(part, boundary.encode("latin-1", "replace"), depth)

    def multipart(self, part: Part, boundary: bytes, depth: int) -> Part:
        delimiter = re.compile(
            rb"(?:\A|(?:\r\n|\n|\r))--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r|\n|\Z)"
        )
        cuts = list(delimiter.finditer(part.body))
        closing = next((n for n, cut in enumerate(cuts) if cut[1]), None)
        inner = cuts if closing is None else cuts[: closing + 1]
        ends = [cut.start() for cut in inner[1:]] + ([len(part.body)] if closing is None else [])
        parts = []
        for cut, end in zip(inner, ends, strict=False):
            if self.count >= MOST_PARTS:
                break
            start = _after_line_end(part.body, cut.end())
            line = part.line + len(_LINE.findall(part.body, 0, start))
            parts.append(self.part(part.body[start:end], line, depth + 1))
        return Part(
            fields=part.fields,
            stray=part.stray,
            body=part.body,
            line=part.line,
            parts=tuple(parts),
            closed=closing is not None,
        )


def _after_line_end(content: bytes, place: int) -> int:
    match = _LINE.match(content, place)
    return match.end() if match else place


def _split(content: bytes, line: int) -> tuple[bytes, bytes, int]:
    """Header, body, and the line the body begins on."""
    if start := _LINE.match(content):
        return b"", content[start.end() :], line + 1
    blank = _BLANK.search(content)
    if blank is None:
        return content, b"", line + len(_LINE.findall(content))
    head = content[: blank.start()].rstrip(b"\r")
    return head, content[blank.end() :], line + len(_LINE.findall(head)) + 2


def _fields(head: bytes, line: int) -> tuple[tuple[Field, ...], tuple[int, ...]]:
    """The fields, and the lines that belong to none."""
    folded: list[tuple[int, list[str]]] = []
    for number, raw in enumerate(_LINE.split(head), line):
        text = raw.decode("latin-1")
        if text[:1] in (" ", "\t") and folded:
            folded[-1][1].append(text)
        elif text:
            folded.append((number, [text]))
    fields, stray = [], []
    for number, lines in folded:
        match = _FIELD.fullmatch("".join(lines))
        if match is None:
            stray.append(number)
        else:
            fields.append(Field(match[1], match[2].strip(" \t"), tuple(lines), number))
    return tuple(fields), tuple(stray)
