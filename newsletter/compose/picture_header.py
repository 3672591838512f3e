"""A picture file's first bytes -> its format and size, or why no mail can show it.

Enters: the path of a regular file. Leaves: natural width and height. No pixel is decoded here, so
that a file of a few bytes that unpacks to gigabytes is refused unread (deliverability 7.25).
"""

from __future__ import annotations

import re
import struct
from enum import StrEnum
from pathlib import Path

import imagesize

from newsletter.errors import ComposeError

# What a mail may load, and what a file of the author's may weigh before it is made smaller.
MOST_BYTES = 5_000_000
MOST_SOURCE_BYTES = 50_000_000
MOST_PIXELS = 40_000_000
HEAD = 512
UNKNOWN = (-1, -1)
EXTRA = "pip install 'newsletter[images]'"

_HEIF = re.compile(rb"(?:heic|heix|heim|hevc|mif1|msf1)")


class Kind(StrEnum):
    """A format by its first bytes; the value is the suffix it is published with."""

    PNG = ".png"
    JPEG = ".jpg"
    GIF = ".gif"
    WEBP = ".webp"
    AVIF = ".avif"

    @property
    def media_type(self) -> str:
        return f"image/{self.name.lower()}"


def kind_of(head: bytes) -> Kind | None:
    """The format that the first bytes show, whatever the file is called; None for any other."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if head.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Kind.GIF
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Kind.WEBP
    return Kind.AVIF if head[4:8] == b"ftyp" and b"avi" in head[8:40] else None


def measure(file: Path) -> tuple[int, int]:
    """The picture's natural width and height, by its header and EXIF orientation.

    Raises ComposeError for what a mail cannot show."""
    try:
        weight = file.stat().st_size
        with file.open("rb") as opened:
            head = opened.read(HEAD)
        # By its path: imagesize 1.4 takes no open file. Its parsers trust what they read.
        size = imagesize.get(str(file)) if kind_of(head) else UNKNOWN
    except (ValueError, LookupError, struct.error, ArithmeticError, EOFError):
        size = UNKNOWN
    except OSError as error:
        raise ComposeError(
            f"{file.name} cannot be read: {error.strerror or error}", code="image-missing"
        ) from error
    _refuse_unfit(file, head, weight)
    if min(size) < 1:
        raise refusal("image-unreadable", f"{file.name} is no PNG, JPEG, GIF, WebP or AVIF picture")
    if size[0] * size[1] > MOST_PIXELS:
        raise refusal("image-huge", f"{file.name} has {size[0]} x {size[1]} pixels")
    return int(size[0]), int(size[1])


def _refuse_unfit(file: Path, head: bytes, weight: int) -> None:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if file.suffix.lower() in {".svg", ".svgz"} or text.startswith((b"<svg", b"<?xml", b"<!doc")):
        raise refusal(
            "image-svg", f"{file.name} is an SVG drawing, which mail programs do not show"
        )
    if text.startswith(b"version https://git-lfs"):
        raise refusal("image-unreadable", f"{file.name} is a Git LFS pointer: run `git lfs pull`")
    if head[4:8] == b"ftyp" and kind_of(head) is None and _HEIF.match(head, 8):
        raise refusal("image-unreadable", f"{file.name} is a HEIC picture, as telephones take them")
    if weight > MOST_SOURCE_BYTES:
        raise refusal("image-heavy", f"{file.name} weighs {weight / 1e6:.1f} MB")


HINTS = {
    "image-cache": "pictures without their metadata are kept there: let it be written to",
    "image-scheme": "put the picture beside the article, or give its https address",
    "image-outside": "copy the picture into the issues folder",
    "image-missing": "a path is relative to the article; `/x.png` starts at the issues folder",
    "image-svg": "export it as PNG, twice as wide as it is shown",
    "image-heavy": f"at most 5 MB: {EXTRA}  makes it smaller, or save it 1040 pixels wide",
    "image-huge": "at most 40 million pixels; 1040 wide is enough",
    "image-unreadable": "save it again as PNG or JPEG",
}


def refusal(code: str, message: str) -> ComposeError:
    """The error of that code, with what to do about it."""
    return ComposeError(message, code=code, hint=HINTS[code])
