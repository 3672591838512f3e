"""A mail without a fault, and ways to break it: what the tests of `lint` work on."""

from __future__ import annotations

import binascii
from dataclasses import dataclass, replace
from pathlib import Path

from newsletter.lint import check_mail
from newsletter.model import Problem, Severity

SOUND = Path(__file__).parent / "lint_mail"
PADDING = " ".join(["\u2007\u034f"] * 60)
HTML = (SOUND / "sound.html").read_text("utf-8").replace("[padding]", PADDING)
TEXT = (SOUND / "sound.txt").read_text("utf-8")
HEADER = (SOUND / "sound.head").read_text("utf-8")


@dataclass(frozen=True)
class Letter:
    """A mail as it is written down: three texts with LF, put together by `content`."""

    header: str = HEADER
    text: str = TEXT
    html: str = HTML

    @property
    def content(self) -> bytes:
        """The mail: CRLF, quoted-printable, text before HTML."""
        boundary = "--=_b7f3c1d0a94e42"
        lines = [self.header, boundary, part("plain"), "\0", boundary, part("html"), "\1"]
        frame = "\n".join([*lines, f"{boundary}--", ""]).replace("\n", "\r\n").encode()
        return frame.replace(b"\0", encoded(self.text)).replace(b"\1", encoded(self.html))

    def with_header(self, old: str, new: str) -> Letter:
        assert old in self.header, old
        return replace(self, header=self.header.replace(old, new, 1))

    def with_text(self, old: str, new: str) -> Letter:
        assert old in self.text, old
        return replace(self, text=self.text.replace(old, new, 1))

    def with_html(self, old: str, new: str) -> Letter:
        assert old in self.html, old
        return replace(self, html=self.html.replace(old, new, 1))

    def saying(self, html: str) -> Letter:
        """With more HTML at the end of the article."""
        return self.with_html("\n</td></tr>\n<tr><td style", f"\n{html}\n</td></tr>\n<tr><td style")


GOOD = Letter()


def part(subtype: str) -> str:
    return (
        f'Content-Type: text/{subtype}; charset="utf-8"\n'
        "Content-Transfer-Encoding: quoted-printable\n"
    )


def encoded(text: str) -> bytes:
    return binascii.b2a_qp(text.replace("\n", "\r\n").encode(), istext=True)


def said(content: bytes) -> tuple[Problem, ...]:
    """The errors and warnings about a mail."""
    return tuple(p for p in check_mail(content) if p.severity is not Severity.INFO)


def codes(content: bytes) -> set[str]:
    """The codes of all that is found, notes included."""
    return {problem.code for problem in check_mail(content)}
