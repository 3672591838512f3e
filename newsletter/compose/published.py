"""A picture of the author's -> the very file that readers get, under a name that fixes its bytes.

Enters: a path inside the publication. Leaves: a file, made once and kept in .newsletter/pictures,
and its public name: `leaf.jpg` is published as `leaf.3f8a01c2d4e6.jpg`, the twelve digits being
those of its SHA-256. A picture that is changed after a mail has left so gets another address, and
what was mailed keeps showing what was mailed (promise 2), as long as nobody deletes the old file
from the web server. No metadata is ever published.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from newsletter.compose.findings import Rule
from newsletter.compose.metadata import (
    Bare,
    bare_jpeg,
    bare_png,
    bare_webp,
    is_animated,
    tells_place,
)
from newsletter.compose.picture_header import EXTRA, MOST_BYTES, Kind, kind_of, measure, refusal
from newsletter.compose.redraw import can_redraw, redraw
from newsletter.errors import ComposeError
from newsletter.model import Severity

# Twice the usual measure (composition 7: 600 less two paddings of 40). Screens of phones show two
# pixels and more for one; beyond two nobody sees a difference.
WIDEST = 1040
DIGITS = 12
# Part of the names in the cache: count it up when what is made of the same bytes changes.
RECIPE = "1"

MODERN = frozenset((Kind.WEBP, Kind.AVIF))
FORMAT = Rule("image-format", Severity.WARNING, f"{EXTRA}  turns it into JPEG, or save it so")
TURNED = Rule("image-turned", Severity.WARNING, f"{EXTRA}  turns it upright, or turn and save it")
PLACE = Rule("image-gps", Severity.WARNING, f"{EXTRA}  takes that out, or save it as JPEG")
MOVES = Rule("image-gif", Severity.INFO, "the first frame has to tell it all")
STILL = Rule("image-still", Severity.INFO, "save it as GIF to have it move where it can")


@dataclass(frozen=True, slots=True)
class Remark:
    """Something worth saying about a picture, to be put to the line that shows it."""

    rule: Rule
    message: str


@dataclass(frozen=True, slots=True)
class Published:
    """What readers get. `path` holds its bytes, `name` is its public file name, `natural` the
    author's width and height (0 of what is only linked to), `remarks` what there is to say."""

    path: Path
    name: str
    natural: tuple[int, int]
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class _Made:
    """`path` is set when the bytes are in the cache already."""

    content: bytes
    kind: Kind
    remarks: tuple[Remark, ...] = ()
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class _Source:
    """The author's file, read."""

    file: Path
    content: bytes
    kind: Kind
    width: int


def published(file: Path, cache: Path, *, whole: bool = False) -> Published:
    """The file that readers get for this one: shown in a mail, or linked to when `whole` (then
    only its metadata goes). Made anew only when the file has changed since.

    Raises ComposeError for what no mail can show, or when `cache` cannot be written to."""
    try:
        stat = file.stat()
    except OSError as error:
        raise refusal("image-missing", f"there is no file {file.name}") from error
    asked = (file, cache, whole, (stat.st_mtime_ns, stat.st_size, stat.st_ino))
    found = _published(*asked)
    if not found.path.is_file():
        _published.cache_clear()
        found = _published(*asked)
    return found


@lru_cache(maxsize=4096)
def _published(file: Path, cache: Path, whole: bool, stamp: tuple[int, int, int]) -> Published:
    """`stamp` changes whenever the file does."""
    natural = (0, 0) if whole else measure(file)
    content = file.read_bytes()
    kind = kind_of(content)
    if kind is None:
        raise refusal("image-unreadable", f"{file.name} changed while it was read")
    source = _Source(file, content, kind, natural[0])
    try:
        made = _Made(_bare(source).content, kind) if whole else _fit(source, cache)
    except ComposeError as error:
        if error.hint:
            raise
        raise refusal(error.code, f"{file.name} cannot be used: {error.message}") from error
    if len(made.content) > MOST_BYTES and not whole:
        raise refusal("image-heavy", f"{file.name} weighs {len(made.content) / 1e6:.1f} MB")
    digest = sha256(made.content).hexdigest()
    path = file if made.content == content else made.path
    path = path or _kept(cache, f"{digest}{made.kind}", made.content)
    return Published(path, f"{file.stem}.{digest[:DIGITS]}{made.kind}", natural, made.remarks)


STRIP = {Kind.JPEG: bare_jpeg, Kind.PNG: bare_png, Kind.WEBP: bare_webp}


def _bare(source: _Source) -> Bare:
    return STRIP.get(source.kind, Bare)(source.content)


def _fit(source: _Source, cache: Path) -> _Made:
    """The picture as a mail shows it."""
    bare, kind, name = _bare(source), source.kind, source.file.name
    if kind is Kind.GIF:
        moves = Remark(MOVES, f"{name} moves, but not in Outlook for Windows")
        return _Made(bare.content, kind, (moves,) if is_animated(bare.content) else ())
    must = kind in MODERN or bare.orientation != 1 or bare.is_foreign
    if (must or source.width > WIDEST) and can_redraw(kind):
        new = _redrawn(source, cache)
        if new and (must or len(new.content) < len(bare.content)):
            return new
    return _Made(bare.content, kind, _left_alone(name, bare, kind))


def _redrawn(source: _Source, cache: Path) -> _Made | None:
    """The picture drawn anew, from the cache when it was drawn before."""
    key = f"{sha256(source.content).hexdigest()[:32]}-{RECIPE}"
    drawn = next(cache.glob(f"{key}*"), None)
    if drawn is None:
        new = redraw(source.content, WIDEST)
        if new is None:
            return None
        first = "-first" if new.frames > 1 else ""
        drawn = _kept(cache, f"{key}{first}{new.kind}", new.content)
    still = Remark(STILL, f"{source.file.name} moves: only its first frame goes out")
    remarks = (still,) if drawn.stem.endswith("-first") else ()
    return _Made(drawn.read_bytes(), Kind(drawn.suffix), remarks, drawn)


def _left_alone(name: str, bare: Bare, kind: Kind) -> tuple[Remark, ...]:
    """What is wrong for the reader with a picture that could not be drawn anew."""
    remarks = []
    if kind in MODERN:
        shown = "Outlook for Windows and older mail programs show an empty frame"
        remarks.append(Remark(FORMAT, f"{name} is {kind.name}: {shown}"))
    if bare.orientation != 1:
        remarks.append(Remark(TURNED, f"{name} lies on its side in Outlook for Windows"))
    if tells_place(bare.content):
        remarks.append(Remark(PLACE, f"{name} says where it was taken"))
    return tuple(remarks)


def _kept(cache: Path, name: str, content: bytes) -> Path:
    path = cache / name
    if not path.is_file():
        write_whole(path, content)
    return path


def write_whole(path: Path, content: bytes) -> None:
    """Write the file whole or not at all: others may be reading, or writing the same. Raises
    ComposeError when it cannot be written."""
    new = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, new = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        Path(new).replace(path)
    except OSError as error:
        if new:
            Path(new).unlink(missing_ok=True)
        folder = path.parent
        raise refusal("image-cache", f"{folder} cannot be written: {error.strerror}") from error
