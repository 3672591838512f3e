"""An article's pictures: where they are, how big they are shown, where a mail finds them.

Enters: what the author wrote as source. Leaves: a file inside the publication, integer width and
height, an absolute URL; and the way back from that URL to the file. Refuses to know what is done
to its bytes (`published`). A remote picture is never fetched (deliverability 7.21, 7.22).
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from newsletter.compose.picture_header import refusal
from newsletter.compose.published import DIGITS, Published, Remark, published
from newsletter.errors import ComposeError
from newsletter.model import Article, Letter

REMOTE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# Pelican's ways to say "from the content folder"; the bars are its spelling before 3.1.
FROM_CONTENT = re.compile(r"[{|](?:static|attach|filename|photo)[}|]", re.IGNORECASE)

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif"})
# What /media/ gives out besides: never Markdown (drafts), never tables (people).
MEDIA = PICTURES | {".pdf", ".ics", ".epub", ".mp3", ".m4a", ".mp4"}
STATE = ".newsletter"
HASHED = re.compile(rf"(?P<stem>.+)\.[0-9a-f]{{{DIGITS}}}(?P<suffix>\.[a-z]+)", re.DOTALL)
# The folder in a media URL that stands for the publication's root.
ROOT = "~"


@dataclass(frozen=True, slots=True)
class Picture:
    """A local picture: an absolute URL, the size at which a mail shows it, and what there is to
    say about it."""

    url: str
    width: int
    height: int
    remarks: tuple[Remark, ...] = ()


def picture(article: Article, letter: Letter, source: str, width: int | None = None) -> Picture:
    """The local picture behind `source`, at most `width` and as wide as the text.

    Raises ComposeError when there is none inside the publication, or it is no PNG, JPEG, GIF, WebP
    or AVIF, or too heavy."""
    file = locate(article, letter, source)
    ready = published(file, cache_folder(letter))
    natural = ready.natural
    wanted = width or (natural[0] // 2 if "@2x" in file.stem else natural[0])
    shown = max(1, min(wanted, letter.theme.measure))
    height = max(1, round(natural[1] * shown / natural[0]))
    return Picture(_url(letter, file.with_name(ready.name)), shown, height, ready.remarks)


def cache_folder(letter: Letter) -> Path:
    """Where pictures are kept that were made of the author's."""
    return letter.root / STATE / "pictures"


def sent_folder(letter: Letter) -> Path:
    """Where pictures are kept that mails show which have left, each under its public path."""
    return cache_folder(letter) / "sent"


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
        raise refusal("image-scheme", f"{source} is neither a file nor an https address")
    outside = False
    for candidate in _candidates(article, letter, source):
        file = _real_file(candidate)
        if file is not None and _is_inside(letter, file):
            return file
        outside = outside or file is not None or _climbs_out(letter, candidate)
    if outside:
        raise refusal("image-outside", f"{source} is outside of the publication")
    raise refusal("image-missing", f"there is no file {source}")


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


def media_url(letter: Letter, file: Path) -> str:
    """The absolute URL of a file of the publication (percent-encoded UTF-8): of a picture without
    its metadata and with its hash in the name, of anything else as it is.

    Raises ComposeError for a file outside of it, and for a broken picture."""
    real = file.resolve()
    if _is_inside(letter, real) and real.suffix.lower() in PICTURES:
        return _url(letter, real.with_name(published(real, cache_folder(letter), whole=True).name))
    return _url(letter, real)


def _url(letter: Letter, real: Path) -> str:
    issues, root = letter.issues.resolve(), letter.root.resolve()
    if real.is_relative_to(issues):
        path = real.relative_to(issues).as_posix()
    elif real.is_relative_to(root):
        path = f"{ROOT}/{real.relative_to(root).as_posix()}"
    else:
        raise refusal("image-outside", f"{real.name} is outside of the publication")
    return f"{letter.base_url}/media/{quote(path, safe='/~', errors='surrogateescape')}"


def media_path(letter: Letter, url_path: str) -> Path | None:
    """The file behind `/media/...`, percent-encoded or not; None unless it is a picture or
    document that lies in the publication, outside of hidden folders. For a name with a hash, the
    file with those very bytes: when the picture has changed since, only a copy that was sent."""
    path = url_path.removeprefix("/").removeprefix("media/")
    for spelling in dict.fromkeys((path, unquote(path, errors="surrogateescape"))):
        top, inner = letter.issues, spelling
        if spelling.startswith(f"{ROOT}/"):
            top, inner = letter.root, spelling.removeprefix(f"{ROOT}/")
        if not inner or inner.startswith("/") or "\\" in inner or ".." in inner.split("/"):
            continue
        file = _real_file(top / inner)
        if file is None:
            file = _behind_hash(letter, top / inner) or _sent(letter, spelling)
            if file is not None:
                return file
        elif file.suffix.lower() in MEDIA and _is_inside(letter, file):
            return file
    return None


def _behind_hash(letter: Letter, path: Path) -> Path | None:
    """The file that readers get under that name with a hash in it."""
    hashed = HASHED.fullmatch(path.name)
    if hashed is None:
        return None
    for made in _published_beside(letter, path, hashed["stem"]):
        if made.name == path.name:
            return made.path
    return None


def _sent(letter: Letter, path: str) -> Path | None:
    folder = sent_folder(letter).resolve()
    file = _real_file(folder / path)
    return file if file and file.is_relative_to(folder) and HASHED.fullmatch(file.name) else None


def _published_beside(letter: Letter, path: Path, stem: str) -> Iterator[Published]:
    """What is published of each picture with that stem in the folder of `path`."""
    try:
        found = sorted(file for file in path.parent.iterdir() if file.stem == stem)
    except (OSError, ValueError):
        return
    for file in found:
        real = _real_file(file)
        if real is None or file.suffix.lower() not in PICTURES or not _is_inside(letter, real):
            continue
        for whole in (False, True):
            try:
                yield published(real, cache_folder(letter), whole=whole)
            except ComposeError:
                continue
