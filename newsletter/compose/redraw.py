"""A picture drawn anew, smaller and in a format that every mail program shows.

The only door to Pillow, which is the extra `images`. Enters: bytes whose header was measured.
Leaves: a JPEG, or a PNG where pixels are transparent, upright, in sRGB, without metadata; the same
bytes for the same input and the same Pillow.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING

from newsletter.compose.picture_header import MOST_PIXELS, Kind
from newsletter.errors import ComposeError

if TYPE_CHECKING:
    from PIL.Image import Image

# A mislabelled file never reaches a decoder that we did not choose: Pillow has forty.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
# Looks like the original at twice the density; 85 weighs a fifth more.
QUALITY = 82
_LOSSLESS = b"VP8L"


@dataclass(frozen=True, slots=True)
class Redrawn:
    """The new picture, and how many frames the old one had."""

    content: bytes
    kind: Kind
    frames: int


def can_redraw(kind: Kind) -> bool:
    """Whether Pillow is there and reads that format."""
    if find_spec("PIL") is None:
        return False
    from PIL import features  # noqa: PLC0415

    return kind.name not in {"WEBP", "AVIF"} or bool(features.check(kind.name.lower()))


def redraw(content: bytes, widest: int) -> Redrawn | None:
    """The picture, at most `widest` pixels wide; None for one of 16 or 32 bits per pixel, whose
    range Pillow would cut off. Raises ComposeError for what it cannot read."""
    from PIL import Image, ImageOps  # noqa: PLC0415

    try:
        with Image.open(BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise _unreadable(f"it has {opened.width} x {opened.height} pixels")
            if opened.mode.startswith(("I", "F")):
                return None
            # A JPEG is decoded at half or a quarter of its size where that is enough.
            opened.draft(None, (widest, widest))
            image = _in_srgb(ImageOps.exif_transpose(opened))
            if image.width > widest:
                height = max(1, round(image.height * widest / image.width))
                image = image.resize((widest, height), Image.Resampling.LANCZOS)
            return _saved(image, content, getattr(opened, "n_frames", 1))
    except (OSError, SyntaxError, ValueError, LookupError, TypeError, struct.error) as error:
        raise _unreadable("it breaks off or is damaged") from error
    except Image.DecompressionBombError as error:
        raise _unreadable("it has too many pixels") from error


def _in_srgb(image: Image) -> Image:
    """The picture in RGB or RGBA, its colours those its profile means."""
    from PIL import ImageCms  # noqa: PLC0415

    profile = image.info.get("icc_profile")
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    if profile and image.mode in {"RGB", "RGBA", "CMYK"}:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            web = ImageCms.createProfile("sRGB")
            changed = ImageCms.profileToProfile(image, source, web, outputMode=wanted)
            image = changed or image
        except (ImageCms.PyCMSError, OSError):
            pass  # a damaged profile says nothing about the colours: they are taken as they are
    return image.convert(wanted)


def _saved(image: Image, content: bytes, frames: int) -> Redrawn:
    image.info.clear()
    out = BytesIO()
    if image.mode == "RGBA" or content.startswith(b"\x89PNG") or _LOSSLESS in content[:64]:
        image.save(out, "PNG", optimize=True)
        return Redrawn(out.getvalue(), Kind.PNG, frames)
    image.save(out, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return Redrawn(out.getvalue(), Kind.JPEG, frames)


def _unreadable(message: str) -> ComposeError:
    return ComposeError(message, code="image-unreadable")
