"""The desk's views as files, for a pull request: they open from a disk, without a server.

Enters: a studio and a folder. Leaves: index.html, a folder for each issue with its page, the mail
through every lens, its text, source and bytes, and the pictures of the publication that it shows.
All links are relative, nothing is fetched, no page has a script.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote

from newsletter.compose.images import media_path
from newsletter.delivery.specimen import part
from newsletter.errors import NewsletterError, UsageError
from newsletter.lint.policy import ignored_by
from newsletter.model import Article, Letter
from newsletter.preview.answers import pages
from newsletter.preview.camera import Shot, camera
from newsletter.preview.checked import counts, groups_of
from newsletter.preview.gauge import weigh
from newsletter.preview.inbox_rows import inbox_rows
from newsletter.preview.lenses import LENSES
from newsletter.preview.lenses.links import links_in
from newsletter.preview.lenses.outline import headings_in
from newsletter.preview.local_images import with_local_images
from newsletter.preview.look import ALL_STATES, Frame, Look
from newsletter.preview.mime_tree import parts_of
from newsletter.preview.studio import Studio, Study, headers_of
from newsletter.preview.weight import shares
from newsletter.shelf import Shelf

READER = "Ada Example"
# A page on a disk has no origin, and browsers disagree whether 'self' is its neighbours.
POLICY = "default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'"
_HEAD = re.compile(r"<head(?:\s[^>]*)?>", re.IGNORECASE)
_REFRESH = re.compile(r"<meta[^<>]*http-equiv[^<>]*refresh[^<>]*>", re.IGNORECASE)
_MEDIA = re.compile(r"\.\./media/([^\"'\s)<>,]+)")
_PICTURE_NAME = re.compile(r"[^a-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """What became of one issue: the folder of its files, how many findings of each severity, the
    bytes of its HTML; or the error that kept it from being composed."""

    article: Article
    folder: str
    counts: dict[str, int]
    size: int
    error: NewsletterError | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A screenshot to be taken: of `page`, into `file`, both relative to the folder of `leaf`."""

    leaf: Leaf
    frame: Frame
    page: str
    file: str


@dataclass(frozen=True, slots=True)
class Order:
    """What to write: the issues named, all when none is; into which folder; and whether its pages
    name the screenshots of `pictures_of`."""

    names: tuple[str, ...]
    out: Path
    pictured: bool = False


def write_views(studio: Studio, order: Order) -> tuple[Leaf, ...]:
    """The views as files. An issue that cannot be composed is a card on the first page. Raises
    OSError; UsageError when the folder is a file or holds something else."""
    _refuse_foreign(order.out)
    shelf = studio.shelf()
    articles = [shelf.find(name) for name in order.names] or list(reversed(shelf.archive.articles))
    order.out.mkdir(parents=True, exist_ok=True)
    style = files("newsletter.preview").joinpath("pages", "desk.css").read_text("utf-8")
    (order.out / "desk.css").write_text(style, "utf-8")
    leaves = tuple(_leaf(studio, shelf, article, order) for article in articles)
    _page(order.out / "index.html", "once/index.html", shelf=shelf, leaves=leaves)
    return leaves


def pictures_of(leaves: Iterable[Leaf]) -> Iterator[Picture]:
    """The screenshots that show the issues in all their states."""
    for leaf in leaves:
        for frame in () if leaf.error else ALL_STATES:
            yield Picture(leaf, frame, page_of(frame), picture_of(frame))


def take_pictures(program: str, wanted: Iterable[Picture], out: Path) -> int:
    """How many screenshots were taken by that Chromium, into the folders of the issues. Raises
    NoCamera."""
    taken = 0
    with camera(program) as browser:
        for picture in wanted:
            folder = (out / picture.leaf.folder).resolve()
            shot = Shot((folder / picture.page).as_uri(), picture.frame.width, picture.frame.dark)
            (folder / picture.file).write_bytes(browser.take(shot))
            taken += 1
    return taken


def page_of(frame: Frame) -> str:
    """The file that a frame shows."""
    return f"{frame.lens or 'mail'}.html"


def picture_of(frame: Frame) -> str:
    """The file of a frame's screenshot: `desktop-dark.png`."""
    return f"{_PICTURE_NAME.sub('-', frame.title.lower()).strip('-')}.png"


def _refuse_foreign(out: Path) -> None:
    """Refuse a folder with other people's things in it: files there would be overwritten."""
    if not out.exists():
        return
    if not out.is_dir() or (any(out.iterdir()) and not (out / "desk.css").is_file()):
        raise UsageError(f"{out} holds something else", hint="name a folder that is new or empty")


def _leaf(studio: Studio, shelf: Shelf, article: Article, order: Order) -> Leaf:
    leaf = Leaf(article=article, folder=article.slug, counts=counts(()), size=0)
    try:
        study = studio.study(shelf, str(article.path))
        content = study.mail().content
    except NewsletterError as error:
        return replace(leaf, error=error)
    folder = order.out / leaf.folder
    folder.mkdir(exist_ok=True)
    html = part(content, "html")
    _write_mail(folder, content)
    _write_lenses(folder, html, shelf.letter, content)
    leaf = replace(leaf, counts=counts(study.problems), size=len(html.encode()))
    values = _values(study, leaf, content)
    _page(folder / "index.html", "once/issue.html", pictured=order.pictured, **values)
    return leaf


def _write_mail(folder: Path, content: bytes) -> None:
    (folder / "message.eml").write_bytes(content)
    (folder / "mail.txt").write_text(part(content, "plain"), "utf-8")
    (folder / "source.txt").write_text(part(content, "html"), "utf-8")


def _write_lenses(folder: Path, html: str, letter: Letter, content: bytes) -> None:
    """The mail as it is and through each lens, with its pictures beside it."""
    near = with_local_images(
        html.replace(f"{letter.base_url}/media/", "../media/"), letter, content
    )
    for name in set(_MEDIA.findall(near)):
        _copy(name, letter, folder.parent / "media")
    for name, document in {"mail": near, **_seen(near)}.items():
        (folder / f"{name}.html").write_text(_shut(document), "utf-8", "replace")


def _seen(document: str) -> dict[str, str]:
    return {lens.name: lens.apply(document) for lens in LENSES.values()}


def _shut(document: str) -> str:
    """The document with the word that nothing in it may run or be fetched, and without what leads
    a browser on by itself, which no policy forbids."""
    document = _REFRESH.sub("", document)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    head = _HEAD.search(document)
    return document[: head.end()] + policy + document[head.end() :] if head else policy + document


def _copy(name: str, letter: Letter, media: Path) -> None:
    source, target = media_path(letter, f"/media/{name}"), media / unquote(name)
    if source is not None and target.resolve().is_relative_to(media.resolve()):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _values(study: Study, leaf: Leaf, content: bytes) -> dict[str, object]:
    """What the page of an issue shows."""
    html, text, letter = part(content, "html"), part(content, "plain"), study.shelf.letter
    return {
        "leaf": leaf,
        "study": study,
        "look": Look(),
        "reader_name": READER,
        "gauge": weigh(html, READER),
        "rows": inbox_rows(
            letter.sender.name or letter.sender.address,
            study.filled(study.email.subject),
            study.filled(study.email.preheader),
        ),
        "frames": [(frame, page_of(frame), picture_of(frame)) for frame in ALL_STATES],
        "lenses": LENSES.values(),
        "groups": groups_of(study.problems, ignored_by(study.article)),
        "links": links_in(html),
        "headings": headings_in(html),
        "text": text,
        "longest": max(map(len, text.splitlines()), default=0),
        "shares": shares(html),
        "headers": headers_of(content),
        "parts": parts_of(content),
        "size": len(content),
    }


def _page(path: Path, template: str, **values: object) -> None:
    path.write_text(pages.get_template(template).render(**values), "utf-8", "replace")
