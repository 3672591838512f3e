"""One article in a publication of its own, composed as far as its fragment."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from zoneinfo import ZoneInfo

from newsletter.compose.markup import Fragment, to_fragment
from newsletter.model import Article, Issue, Letter, Mailbox, Problem

FIELDS = ("first_name", "last_name", "name", "address", "unsubscribe_url", "city")
NOWHERE = Path("/nonexistent/publication")


def letter(root: Path = NOWHERE, language: str = "en", permalink: str = "/{slug}/") -> Letter:
    return Letter(
        root=root,
        name="Field Notes",
        base_url="https://letters.example.org",
        language=language,
        timezone=ZoneInfo("UTC"),
        issues=root / "issues",
        templates=root / "templates",
        sender=Mailbox("Ana", "ana@example.org"),
        reply_to=None,
        postal_address="1 Example Road",
        list_id="letters.example.org",
        permalink=permalink,
        fields=FIELDS,
    )


def article(
    body: str, root: Path = NOWHERE, *, summary: str | None = None, lead: str | None = None
) -> Article:
    """An article whose body begins in line 5 of issues/a.md."""
    return Article(
        path=Path("issues/a.md"),
        folder=root / "issues",
        slug="a",
        title="A",
        subject="A",
        body=body,
        body_line=5,
        summary=summary,
        lead=lead,
    )


def compose(body: str, root: Path = NOWHERE, language: str = "en") -> Fragment:
    issue = Issue(article=article(body, root), url="https://letters.example.org/a/")
    return to_fragment(issue, letter(root, language))


def html_of(body: str) -> str:
    return compose(body).html


def found(fragment: Fragment) -> list[tuple[str, int | None]]:
    """The codes of the findings and their lines."""
    return [(problem.code, problem.line) for problem in fragment.problems]


def only_problem(fragment: Fragment) -> Problem:
    assert len(fragment.problems) == 1, fragment.problems
    return fragment.problems[0]


def png(width: int, height: int, *, padding: int = 0) -> bytes:
    """A black PNG of one bit a pixel, `padding` bytes behind its end; a bomb of many pixels has
    none of them."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = bytes(height * (1 + (width + 7) // 8)) if width * height < 40_000_000 else b""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    pixels = chunk(b"IDAT", zlib.compress(rows))
    parts = (b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), pixels, chunk(b"IEND", b""))
    return b"".join(parts) + b"\0" * padding


def put(root: Path, name: str, content: bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
