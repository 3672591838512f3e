"""An article's pictures: where they are, how big they are shown, where a mail finds them.

Enters: what the author wrote as source. Leaves: a file inside the publication, integer width and
height, an absolute URL; and the way back from that URL to the file. Reads the first bytes of
local files and nothing else: a remote picture is never fetched, no pixel is ever decoded
(deliverability 7.21, 7.22, 7.25).
"""

from __future__ import annotations

import re
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import imagesize

from newsletter.errors import ComposeError
from newsletter.model import Article, Letter

# The measure of the article (composition 7): 600 less two paddings of 40.
MEASURE = 520
MOST_BYTES = 5_000_000
MOST_PIXELS = 40_000_000
HEAD = 512
UNKNOWN = (-1, -1)

REMOTE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# Pelican's ways to say "from the content folder"; the bars are its spelling before 3.1.
FROM_CONTENT = re.compile(r"[{|](?:static|attach|filename|photo)[}|]", re.IGNORECASE)

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif"})
# What /media/ gives out besides: never Markdown (drafts), never tables (people).
MEDIA = PICTURES | {".pdf", ".ics", ".epub", ".mp3", ".m4a", ".mp4"}
# The folder in a media URL that stands for the publication's root.
ROOT = "~"


@dataclass(frozen=True, slots=True)
class Picture:
    """A local picture: an absolute URL, and the size at which a mail shows it."""

    url: str
    width: int
    height: int


def picture(article: Article, letter: Letter, source: str, width: int | None = None) -> Picture:
    """The local picture behind `source`, at most `width` and MEASURE wide.

    Raises ComposeError when there is none inside the publication, or it is no PNG, JPEG, GIF, WebP
    or AVIF, or too heavy."""
    file = locate(article, letter, source)
    natural = measure(file)
    wanted = width or (natural[0] // 2 if "@2x" in file.stem else natural[0])
    shown = max(1, min(wanted, MEASURE))
    height = max(1, round(natural[1] * shown / natural[0]))
    return Picture(media_url(letter, file), shown, height)


def is_remote(source: str) -> bool:
    return REMOTE.match(source) is not None


def image_url(article: Article, letter: Letter, source: str) -> str | None:
    """The absolute URL of a teaser's thumbnail; None when no mail could show it."""
    source = source.strip()
    if is_remote(source):
        return f"https:{source}" if source.startswith("//") else source
    try:
        return picture(article, letter, source).url
    except ComposeError:
        return None


def locate(article: Article, letter: Letter, source: str) -> Path:
    """The file the author means: beside the article, or from the issues folder, the root or
    Hugo's and Pelican's folders of the root when it begins with `/` or `{static}`.

    Raises ComposeError for a missing file and for one outside of the publication."""
    if SCHEME.match(source):
        raise _refusal("image-scheme", f"{source} is neither a file nor an https address")
    outside = False
    for candidate in _candidates(article, letter, source):
        file = _real_file(candidate)
        if file is not None and _is_inside(letter, file):
            return file
        outside = outside or file is not None or _climbs_out(letter, candidate)
    if outside:
        raise _refusal("image-outside", f"{source} is outside of the publication")
    raise _refusal("image-missing", f"there is no file {source}")


def _candidates(article: Article, letter: Letter, source: str) -> Iterator[Path]:
    path, from_content = re.subn(FROM_CONTENT, "", source, count=1)
    beside = not from_content and not path.startswith(("/", "\\"))
    path = path.replace("\\", "/")
    bare = re.split(r"[?#]", path, maxsplit=1)[0]
    for spelling in dict.fromkeys((unquote(bare), bare, path)):
        inner = spelling.lstrip("/")
        if not inner:
            continue
        if beside or from_content:
            yield article.folder / inner
        if not beside:
            yield from (folder / inner for folder in _tops(letter))


def _tops(letter: Letter) -> tuple[Path, ...]:
    return letter.issues, letter.root, letter.root / "static", letter.root / "assets"


def _real_file(path: Path) -> Path | None:
    """Where the regular file really is, symlinks followed."""
    try:
        real = path.resolve(strict=True)
        return real if stat.S_ISREG(real.stat().st_mode) else None
    except (OSError, ValueError, RuntimeError):
        return None


def _is_inside(letter: Letter, real: Path) -> bool:
    """Whether the file is in the publication, and in none of its hidden folders (.git, .env)."""
    for top in (letter.issues.resolve(), letter.root.resolve()):
        if real.is_relative_to(top):
            return not any(part.startswith(".") for part in real.relative_to(top).parts)
    return False


def _climbs_out(letter: Letter, path: Path) -> bool:
    try:
        real = path.resolve()
    except (OSError, ValueError, RuntimeError):
        return False
    return not any(real.is_relative_to(top.resolve()) for top in (letter.root, letter.issues))


def measure(file: Path) -> tuple[int, int]:
    """The picture's natural width and height, by its header and EXIF orientation.

    Raises ComposeError for what a mail cannot show."""
    try:
        weight = file.stat().st_size
        with file.open("rb") as opened:
            head = opened.read(HEAD)
        # By its path: imagesize 1.4 takes no open file. Its parsers trust what they read.
        size = imagesize.get(str(file)) if _is_known(head) else UNKNOWN
    except (ValueError, LookupError, struct.error, ArithmeticError, EOFError):
        size = UNKNOWN
    except OSError as error:
        raise ComposeError(f"{file.name} cannot be read: {error}", code="image-missing") from error
    _refuse_unfit(file, head, weight)
    if min(size) < 1:
        raise _refusal(
            "image-unreadable", f"{file.name} is no PNG, JPEG, GIF, WebP or AVIF picture"
        )
    if size[0] * size[1] > MOST_PIXELS:
        raise _refusal("image-huge", f"{file.name} has {size[0]} x {size[1]} pixels")
    return int(size[0]), int(size[1])


def _refuse_unfit(file: Path, head: bytes, weight: int) -> None:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if file.suffix.lower() in {".svg", ".svgz"} or text.startswith((b"<svg", b"<?xml", b"<!doc")):
        raise _refusal(
            "image-svg", f"{file.name} is an SVG drawing, which mail programs do not show"
        )
    if text.startswith(b"version https://git-lfs"):
        raise _refusal("image-unreadable", f"{file.name} is a Git LFS pointer: run `git lfs pull`")
    if weight > MOST_BYTES:
        raise _refusal("image-heavy", f"{file.name} weighs {weight / 1e6:.1f} MB")


def _is_known(head: bytes) -> bool:
    """Whether it is one of the five formats by its first bytes; the name may say anything."""
    if head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8")):
        return True
    if head.startswith(b"RIFF"):
        return head[8:12] == b"WEBP"
    return head[4:8] == b"ftyp" and b"avi" in head[8:40]


def media_url(letter: Letter, file: Path) -> str:
    """The absolute URL of a file of the publication (percent-encoded UTF-8).

    Raises ComposeError for a file outside of it."""
    real = file.resolve()
    issues, root = letter.issues.resolve(), letter.root.resolve()
    if real.is_relative_to(issues):
        path = real.relative_to(issues).as_posix()
    elif real.is_relative_to(root):
        path = f"{ROOT}/{real.relative_to(root).as_posix()}"
    else:
        raise _refusal("image-outside", f"{file.name} is outside of the publication")
    return f"{letter.base_url}/media/{quote(path, safe='/~', errors='surrogateescape')}"


def media_path(letter: Letter, url_path: str) -> Path | None:
    """The file behind `/media/...`, percent-encoded or not; None unless it is a picture or
    document that lies in the publication, outside of hidden folders."""
    path = url_path.removeprefix("/").removeprefix("media/")
    for spelling in dict.fromkeys((path, unquote(path, errors="surrogateescape"))):
        top, inner = letter.issues, spelling
        if spelling.startswith(f"{ROOT}/"):
            top, inner = letter.root, spelling.removeprefix(f"{ROOT}/")
        if not inner or inner.startswith("/") or "\\" in inner or ".." in inner.split("/"):
            continue
        file = _real_file(top / inner)
        if file and file.suffix.lower() in MEDIA and _is_inside(letter, file):
            return file
    return None


HINTS = {
    "image-scheme": "put the picture beside the article, or give its https address",
    "image-outside": "copy the picture into the issues folder",
    "image-missing": "a path is relative to the article; `/x.png` starts at the issues folder",
    "image-svg": "export it as PNG, twice as wide as it is shown",
    "image-heavy": "at most 5 MB; a JPEG 1040 pixels wide weighs about 150 kB",
    "image-huge": "at most 40 million pixels; 1040 wide is enough",
    "image-unreadable": "save it again as PNG or JPEG",
}


def _refusal(code: str, message: str) -> ComposeError:
    return ComposeError(message, code=code, hint=HINTS[code])
