"""Real pictures for the tests, drawn by Pillow: photographs with a position, drawings, films."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from unittest.mock import patch

from PIL import Image, ImageCms

from newsletter.compose.picture_header import Kind

GPS = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
MAKER = "Camera of Ada Example"


def drawn(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A gradient with some grain: it compresses like a photograph, the same every time."""
    red = Image.linear_gradient("L").resize((width, height))
    blue = Image.radial_gradient("L").resize((width, height))
    grain = Image.frombytes("L", (64, 64), bytes(n * 7919 % 251 for n in range(4096)))
    green = Image.blend(red, grain.resize((width, height)), 0.2)
    picture = Image.merge("RGB", (red, green, blue))
    if mode == "RGBA":
        picture.putalpha(blue)
        return picture
    return picture.convert(mode)


def photograph(width: int, height: int, kind: Kind = Kind.JPEG, **options: Any) -> bytes:
    """A picture of that format; `options` are Pillow's, and `mode`."""
    out = BytesIO()
    drawn(width, height, options.pop("mode", "RGB")).save(out, kind.name, **options)
    return out.getvalue()


def exif(*, orientation: int = 1, place: bool = True) -> bytes:
    """What a telephone writes into a photograph."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = MAKER
    if place:
        tags[0x8825] = GPS
    return tags.tobytes()


def film(kind: Kind = Kind.GIF, frames: int = 3) -> bytes:
    """A picture that moves."""
    out = BytesIO()
    first, *rest = (drawn(40, 30).rotate(30 * number) for number in range(frames))
    first.save(out, kind.name, save_all=True, append_images=rest, duration=200, loop=0)
    return out.getvalue()


def swapped_colours() -> bytes:
    """A profile under which the numbers for red mean blue."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for old, new in ((b"rXYZ", b"xXYZ"), (b"bXYZ", b"rXYZ"), (b"xXYZ", b"bXYZ")):
        profile = profile.replace(old, new)
    return profile.replace("sRGB".encode("utf-16-be"), "xRGB".encode("utf-16-be"))


def opened(content: bytes) -> Image.Image:
    """The picture, decoded whole."""
    picture = Image.open(BytesIO(content))
    picture.load()
    return picture


@contextmanager
def no_pillow() -> Iterator[None]:
    """A machine on which the extra `images` is not installed."""
    with patch.dict(sys.modules, {"PIL": None}):
        yield
