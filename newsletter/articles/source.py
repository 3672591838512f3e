"""One file of the issues folder -> text that the rest may trust.

Enters: a path. Leaves: a Source: UTF-8 without BOM, LF line ends, no NUL, at most a megabyte.
Knows nothing of front matter, Markdown or the archive.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import ArticleError

# deliverability 7.24. The longest issue of five long-running letters has 140 kB.
MAX_BYTES = 1_000_000

# A fifo named x.md must not hang the archive, nor a link swapped in after the walk be followed;
# Windows has neither flag.
FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one file and the name it has in messages."""

    path: Path
    text: str

    def error(self, message: str, line: int | None = None, hint: str | None = None) -> ArticleError:
        """An ArticleError that points into this file."""
        return ArticleError(message, path=self.path, line=line, hint=hint)

    def line(self, number: int) -> str:
        """The text of one line, counted from 1; empty beyond the end."""
        lines = self.text.split("\n", number)
        return lines[number - 1] if 0 < number <= len(lines) else ""


def load(file: Path, shown: Path) -> Source:
    """The file's text under the name `shown`. Raises ArticleError."""
    try:
        raw = _read(file)
    except OSError as error:
        raise ArticleError(f"cannot be read: {error.strerror}", path=shown) from error
    if raw is None:
        raise ArticleError("is no regular file", path=shown)
    if len(raw) > MAX_BYTES:
        raise ArticleError(
            "is larger than 1 MB", path=shown, hint="no mail can carry it: split the article"
        )
    return decode(raw, shown)


def _read(file: Path) -> bytes | None:
    """At most one byte more than allowed; None when it is no regular file."""
    descriptor = os.open(file, FLAGS)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return stream.read(MAX_BYTES + 1)


def decode(raw: bytes, shown: Path) -> Source:
    """The bytes as a Source. Raises ArticleError for other encodings, NUL and an empty file."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ArticleError("is UTF-16, not UTF-8", path=shown, line=1, hint="save it as UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ArticleError(
            f"is not UTF-8: byte 0x{raw[error.start]:02x}",
            path=shown,
            line=_line_of(raw[: error.start].decode("latin-1")),
            hint="save it as UTF-8",
        ) from error
    if "\0" in text:
        line = _line_of(text[: text.index("\0")])
        raise ArticleError("holds a NUL character", path=shown, line=line, hint="remove it")
    if not text.strip():
        raise ArticleError("is empty", path=shown, hint="write it, or remove the file")
    return Source(shown, unify(text))


def unify(text: str) -> str:
    """The text with LF for every CRLF and CR."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _line_of(before: str) -> int:
    return unify(before).count("\n") + 1
