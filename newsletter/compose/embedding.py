"""A document whose pictures are at addresses of the publication -> one that carries them along.

Enters: the finished HTML. Leaves: the HTML with `cid:` in their place, the pictures as parts of
the mail, and what there is to say about their weight. Remote pictures stay where they are, links
to pictures too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath
from urllib.parse import unquote

from newsletter.compose.images import media_path
from newsletter.compose.picture_header import kind_of
from newsletter.model import Article, InlinePicture, Letter, Problem, Severity

# Every reader's mail is so much heavier: base64 writes four characters for three bytes.
HEAVY, TOO_HEAVY = 1_000_000, 10_000_000
CID_DIGITS = 24
# With "Content-ID: <", the digits and ">" the line then stays within 76 columns.
LONGEST_DOMAIN = 36


@dataclass(frozen=True, slots=True)
class Embedded:
    """The document, and the pictures it shows by their Content-ID, each once."""

    html: str
    pictures: tuple[InlinePicture, ...]
    problems: tuple[Problem, ...]


def embed(html: str, article: Article, letter: Letter) -> Embedded:
    """The document with the publication's own pictures inside."""
    media = re.escape(f"{letter.base_url}/media/")
    found: dict[str, InlinePicture] = {}

    def inside(source: re.Match[str]) -> str:
        url = source.group()
        picture = found.get(url) or _picture(url, letter)
        if picture is None:
            return url
        found[url] = picture
        return f"cid:{picture.cid}"

    # lxml quotes attributes with ", and media addresses are percent-encoded.
    document = re.sub(rf'(?<=\ssrc="){media}[^"\s<>]+(?=")', inside, html)
    pictures = tuple({picture.cid: picture for picture in found.values()}.values())
    return Embedded(document, pictures, tuple(_weighed(pictures, article)))


def _picture(url: str, letter: Letter) -> InlinePicture | None:
    path = url.removeprefix(f"{letter.base_url}/")
    file = media_path(letter, path)
    content = file.read_bytes() if file else b""
    kind = kind_of(content)
    if kind is None:
        return None
    digest = sha256(content).hexdigest()
    return InlinePicture(
        cid=f"{digest[:CID_DIGITS]}@{_domain(letter)}",
        name=_file_name(path) + kind,
        media_type=kind.media_type,
        digest=digest,
        url=url,
        content=content,
    )


def _domain(letter: Letter) -> str:
    """The sender's domain, or as much of its end as fits."""
    domain = letter.sender.domain
    while len(domain) > LONGEST_DOMAIN:
        domain = domain.partition(".")[2] or "letter.invalid"
    return domain


def _file_name(path: str) -> str:
    """The author's name of the file, without hash and suffix, in the ASCII that every mail
    program can save under."""
    stem = PurePosixPath(unquote(path)).name.partition(".")[0]
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-")[:40] or "picture"


def _weighed(pictures: Iterable[InlinePicture], article: Article) -> Iterable[Problem]:
    weight = sum(len(picture.content) for picture in pictures)
    if weight > HEAVY:
        yield Problem(
            path=article.path,
            line=None,
            severity=Severity.ERROR if weight > TOO_HEAVY else Severity.WARNING,
            code="image-total",
            message=f"pictures of {weight / 1e6:.1f} MB travel in every reader's mail",
            hint='smaller pictures, or images = "hosted" in [letter]',
        )
