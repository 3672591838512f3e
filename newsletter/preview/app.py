"""The desk as a Starlette application: issues, inbox, live reload.

Every view has its own URL. Mails are shown in sandboxed frames: they neither run nor navigate.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from email import message_from_bytes, policy
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from newsletter.compose.images import media_path
from newsletter.delivery.specimen import part
from newsletter.errors import NewsletterError, UsageError
from newsletter.preview.guard import MAIL_POLICY, Guard
from newsletter.preview.studio import Studio, headers_of, with_local_images

TABS = ("html", "text", "headers", "source")
STATIC = {"desk.css": "text/css", "desk.js": "text/javascript"}
IMAGE_TYPES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif"}
pages = Environment(
    loader=PackageLoader("newsletter.preview", "pages"), autoescape=True, undefined=StrictUndefined
)


def desk_app(studio: Studio, watched: Iterable[Path] = ()) -> Starlette:
    """The desk for one publication; pages reload when something in `watched` changes."""
    desk = Desk(studio, tuple(watched))
    routes = [
        Route("/", desk.index),
        Route("/preview/{slug}", desk.issue),
        Route("/preview/{slug}/mail.html", desk.issue_mail),
        Route("/inbox", desk.inbox),
        Route("/inbox/{key}", desk.letter),
        Route("/inbox/{key}/mail.html", desk.letter_mail),
        Route("/inbox/{key}/message.eml", desk.letter_eml),
        Route("/media/{path:path}", desk.media),
        Route("/events", desk.events),
        Route("/{name}", static),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard)],
        exception_handlers={NewsletterError: error_card},
    )


def page(name: str, **values: object) -> HTMLResponse:
    """The named page of the desk."""
    return HTMLResponse(pages.get_template(name).render(**values))


def mail_frame(request: Request, document: str) -> HTMLResponse:
    """A mail's HTML for a frame: no script, no network but the desk's images, no navigation."""
    content_policy = MAIL_POLICY.format(host=request.headers["host"])
    return HTMLResponse(document, headers={"Content-Security-Policy": content_policy})


class Desk:
    """The views, over one studio."""

    def __init__(self, studio: Studio, watched: tuple[Path, ...]) -> None:
        self.studio = studio
        self.watched = watched

    def index(self, request: Request) -> Response:
        shelf = self.studio.shelf()
        return page("index.html", shelf=shelf, mails=self.studio.received()[:8], where="issues")

    def issue(self, request: Request) -> Response:
        shelf = self.studio.shelf()
        study = self.studio.study(shelf, request.path_params["slug"])
        slug = study.article.slug
        if slug != request.path_params["slug"]:
            return RedirectResponse(f"/preview/{slug}")
        return page(
            "issue.html",
            shelf=shelf,
            study=study,
            tab=_tab(request),
            text=part(study.mail.content, "plain"),
            headers=headers_of(study.mail.content),
            source=part(study.mail.content, "html"),
            where="issues",
        )

    def issue_mail(self, request: Request) -> Response:
        shelf = self.studio.shelf()
        study = self.studio.study(shelf, request.path_params["slug"])
        return mail_frame(
            request, with_local_images(part(study.mail.content, "html"), shelf.letter)
        )

    def inbox(self, request: Request) -> Response:
        return page("inbox.html", mails=self.studio.received(), where="inbox")

    def letter(self, request: Request) -> Response:
        key = request.path_params["key"]
        content = self.studio.letterbox(key)
        message = message_from_bytes(content, policy=policy.default)
        return page(
            "letter.html",
            key=key,
            subject=str(message["Subject"]),
            sender=str(message["From"]),
            to=str(message["To"]),
            tab=_tab(request),
            text=part(content, "plain"),
            headers=headers_of(content),
            source=content.decode("ascii", "replace"),
            size=len(content),
            where="inbox",
        )

    def letter_mail(self, request: Request) -> Response:
        content = self.studio.letterbox(request.path_params["key"])
        return mail_frame(request, with_local_images(part(content, "html"), self.studio.load()))

    def letter_eml(self, request: Request) -> Response:
        key = request.path_params["key"]
        attachment = {
            "Content-Disposition": f'attachment; filename="{key.removesuffix(".eml")}.eml"'
        }
        content = self.studio.letterbox(key)
        return Response(content, media_type="message/rfc822", headers=attachment)

    def media(self, request: Request) -> Response:
        file = media_path(self.studio.load(), f"/media/{request.path_params['path']}")
        if file is None or not file.is_file() or file.suffix.lower() not in IMAGE_TYPES:
            raise HTTPException(404)
        return FileResponse(file)

    async def events(self, request: Request) -> Response:
        return StreamingResponse(self._changes(), media_type="text/event-stream")

    async def _changes(self) -> AsyncIterator[str]:
        from watchfiles import awatch  # noqa: PLC0415

        yield "retry: 500\n\n"
        places = [place for place in self.watched if place.exists()]
        async for changes in awatch(*places, debounce=80, step=20, yield_on_timeout=True):
            yield "event: saved\ndata: saved\n\n" if changes else ": waiting\n\n"


def _tab(request: Request) -> str:
    tab = request.query_params.get("tab", "html")
    return tab if tab in TABS else "html"


def static(request: Request) -> Response:
    """The desk's own style and script."""
    name = request.path_params["name"]
    if name not in STATIC:
        raise HTTPException(404)
    text = files("newsletter.preview").joinpath("pages", name).read_text("utf-8")
    return PlainTextResponse(text, media_type=STATIC[name])


def error_card(request: Request, error: Exception) -> Response:
    """The failure as a page that reloads when the file is mended; 404 for a mail or an issue that
    is not there."""
    if isinstance(error, UsageError):
        return PlainTextResponse(f"{error}\n", 404)
    body = pages.get_template("error.html").render(error=error, where="issues")
    return HTMLResponse(body, status_code=500)
