"""The desk as a Starlette application: issues, inbox, live reload.

Every view has its own URL. Mails are shown in sandboxed frames: they neither run nor navigate.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from newsletter.errors import NewsletterError, UsageError
from newsletter.preview.answers import page
from newsletter.preview.guard import Guard
from newsletter.preview.inbox_views import InboxViews
from newsletter.preview.issue_views import IssueViews
from newsletter.preview.studio import Studio

STATIC = {"desk.css": "text/css", "desk.js": "text/javascript"}


def desk_app(studio: Studio, watched: Iterable[Path] = ()) -> Starlette:
    """The desk for one publication; pages reload when something in `watched` changes."""
    routes = [
        *IssueViews(studio).routes(),
        *InboxViews(studio).routes(),
        Route("/events", Saves(tuple(watched)).events),
        Route("/{name}", static),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard)],
        exception_handlers={NewsletterError: error_card},
    )


@dataclass(frozen=True, slots=True)
class Saves:
    """The stream that tells open pages of saved files."""

    watched: tuple[Path, ...]

    async def events(self, request: Request) -> Response:
        return StreamingResponse(self._changes(), media_type="text/event-stream")

    async def _changes(self) -> AsyncIterator[str]:
        from watchfiles import awatch  # noqa: PLC0415

        yield "retry: 500\n\n"
        places = [place for place in self.watched if place.exists()]
        async for changes in awatch(*places, debounce=80, step=20, yield_on_timeout=True):
            yield "event: saved\ndata: saved\n\n" if changes else ": waiting\n\n"


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
    return page("error.html", status=500, error=error, where="issues")
