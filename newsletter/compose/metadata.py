"""A JPEG, PNG or WebP without what it tells of its making, its pixels untouched.

Enters: the bytes of a picture. Leaves: the same picture without EXIF, XMP, IPTC, comments, preview
pictures and whatever stands behind its end: a photograph may name the house it was taken in.
Nothing is decoded, so nothing is lost and no package is needed. A file that breaks off is refused.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from newsletter.errors import ComposeError

_SOS, _EOI, _COM = 0xDA, 0xD9, 0xFE
_ADOBE = 0xEE  # says how the colours are coded
_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))  # markers without a length (ITU T.81 B.1.1.3)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# A zero behind FF is data, D0 to D7 are restarts: any other marker ends the scan.
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_PROFILE = b"ICC_PROFILE\0"
# The chunks that a PNG is made of and that say how it looks; others speak of its author, its place,
# its history (PNG 11.3).
_PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT"
    b" bKGD pHYs cICP mDCV cLLI acTL fcTL fdAT".split()
)
# Chunks of a WebP, and the bits of VP8X that promise them (RFC 9649 2.7).
_WEBP_SPOKEN = {b"EXIF": 0x08, b"XMP ": 0x04}
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_TIFF = re.compile(rb"II\*\0|MM\0\*")
_ORIENTATION, _GPS = 0x0112, 0x8825
_MOST_TAGS = 200
# Application extensions that make a GIF loop, and the control block before each of its frames.
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_FRAME = b"\x21\xf9\x04"


@dataclass(frozen=True, slots=True)
class Bare:
    """A picture without its metadata. `orientation` is EXIF's, 1 to 8 (1: upright); `is_foreign`
    when its colours are not those of the web: CMYK, or a profile other than sRGB."""

    content: bytes
    orientation: int = 1
    is_foreign: bool = False


def bare_jpeg(content: bytes) -> Bare:
    """The JPEG without its metadata, but for an orientation that it needs to stand upright.

    Raises ComposeError when it breaks off or is no JPEG inside."""
    jpeg = _Jpeg(content)
    for code, segment in jpeg.segments():
        jpeg.take(code, segment)
    return jpeg.bare()


@dataclass(slots=True)
class _Jpeg:
    """A JPEG while it is read from front to back (ITU T.81 annex B)."""

    content: bytes
    kept: list[bytes] = field(default_factory=list)
    orientation: int = 1
    components: int = 3
    profile: bytes = b""

    def segments(self) -> Iterator[tuple[int, bytes]]:
        """Each marker with its segment, entropy-coded data behind a scan's, up to the end."""
        at, content = 2, self.content
        while True:
            while content[at : at + 2] == b"\xff\xff":
                at += 1
            if content[at : at + 1] != b"\xff" or at + 2 > len(content):
                raise _broken()
            code = content[at + 1]
            if code == _EOI:
                return
            end = at + 2
            if code not in _ALONE:
                end += int.from_bytes(content[at + 2 : at + 4], "big")
                if end < at + 4 or end > len(content):
                    raise _broken()
            if code == _SOS:
                after = _AFTER_SCAN.search(content, end)
                if after is None:
                    raise _broken()
                end = after.start()
            yield code, content[at:end]
            at = end

    def take(self, code: int, segment: bytes) -> None:
        """Keep the segment, unless it only tells of the picture's making."""
        if code in _FRAMES:
            self.components = segment[9] if len(segment) > 9 else 3
        body = segment[4:]
        if code == 0xE1 and body.startswith(b"Exif\0\0"):
            tags = dict(_tags(body[6:], 0))
            self.orientation = tags.get(_ORIENTATION, 1)
        if code == 0xE2 and body.startswith(_PROFILE):
            self.profile += body[len(_PROFILE) + 2 :]
        spoken = 0xE0 <= code <= 0xEF or code == _COM
        if not spoken or code == _ADOBE or body.startswith((b"JFIF\0", _PROFILE)):
            self.kept.append(segment)

    def bare(self) -> Bare:
        upright = self.orientation if 1 <= self.orientation <= 8 else 1
        head = [b"\xff\xd8"]
        if upright != 1:
            head.append(_orientation_segment(upright))
        named = self.profile.replace(b"\0", b"")  # ICC 4 spells its names in UTF-16
        foreign = self.components == 4 or (bool(named) and b"sRGB" not in named)
        return Bare(b"".join((*head, *self.kept, b"\xff\xd9")), upright, foreign)


def _orientation_segment(orientation: int) -> bytes:
    """An EXIF segment that says nothing else."""
    entry = struct.pack(">HHIHH", _ORIENTATION, 3, 1, orientation, 0)
    tiff = b"MM\0*" + struct.pack(">IH", 8, 1) + entry + b"\0" * 4
    body = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def bare_png(content: bytes) -> Bare:
    """The PNG with nothing but what it looks like.

    Raises ComposeError when it breaks off or a checksum is wrong (PNG 5.3)."""
    kept = [_PNG_SIGNATURE]
    kinds = set()
    for kind, chunk in _chunks(content):
        kinds.add(kind)
        if kind in _PNG_KEPT:
            kept.append(chunk)
    if b"IDAT" not in kinds:
        raise _broken()
    return Bare(b"".join(kept))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, kind = len(_PNG_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        end = at + 12 + length
        if len(kind) < 4 or end > len(content):
            raise _broken()
        if zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end], "big"):
            raise _broken()
        yield kind, content[at:end]
        at = end


def bare_webp(content: bytes) -> Bare:
    """The WebP without EXIF and XMP. Raises ComposeError when it breaks off."""
    end = 8 + int.from_bytes(content[4:8], "little")
    if end > len(content):
        raise _broken()
    kept, at = [], 12
    while at < end:
        kind, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        after = at + 8 + length + length % 2
        if len(kind) < 4 or at + 8 + length > end:
            raise _broken()
        if kind == b"VP8X" and length:
            promised = content[at + 8] & ~sum(_WEBP_SPOKEN.values())
            kept.append(content[at : at + 8] + bytes([promised]) + content[at + 9 : after])
        elif kind not in _WEBP_SPOKEN:
            kept.append(content[at:after])
        at = after
    body = b"WEBP" + b"".join(kept)
    return Bare(b"RIFF" + len(body).to_bytes(4, "little") + body)


def is_animated(gif: bytes) -> bool:
    """Whether a GIF moves."""
    return any(name in gif for name in _LOOPS) or gif.count(_FRAME) > 1


def tells_place(content: bytes) -> bool:
    """Whether a picture of any format says where it was taken: a GPS directory in its EXIF (2.32,
    tag 8825), or XMP's words for one."""
    if b"GPSLatitude" in content:
        return True
    return any(tag == _GPS for found in _TIFF.finditer(content)
               for tag, _ in _tags(content, found.start()))  # fmt: skip


def _tags(content: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Each tag of the first directory of the TIFF at `start`, with its value as a short; what
    cannot be read ends them."""
    order = "<" if content[start : start + 2] == b"II" else ">"
    try:
        (first,) = struct.unpack_from(f"{order}I", content, start + 4)
        (count,) = struct.unpack_from(f"{order}H", content, start + first)
        for number in range(min(count, _MOST_TAGS)):
            entry = start + first + 2 + 12 * number
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", content, entry)
            yield tag, value
    except struct.error:
        return


def _broken() -> ComposeError:
    return ComposeError("it breaks off or is damaged", code="image-unreadable")
