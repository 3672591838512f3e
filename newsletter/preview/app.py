"""The desk as a Starlette application: issues, inbox, live reload.

Every view has its own URL. Mails are shown in sandboxed frames: they neither run nor navigate.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from newsletter.errors import AudienceError, NewsletterError, UsageError
from newsletter.preview.answers import page
from newsletter.preview.guard import Guard
from newsletter.preview.inbox_views import InboxViews
from newsletter.preview.issue_views import IssueViews
from newsletter.preview.report_views import ReportViews
from newsletter.preview.saves import Saves
from newsletter.preview.studio import Studio

STATIC = {"desk.css": "text/css", "desk.js": "text/javascript"}


def desk_app(studio: Studio, watched: Iterable[Path] = ()) -> Starlette:
    """The desk for one publication; pages follow when something in `watched` changes."""
    routes = [
        *IssueViews(studio).routes(),
        *InboxViews(studio).routes(),
        *ReportViews(studio).routes(),
        Route("/events", Saves(studio, tuple(watched)).events),
        Route("/{name}", static),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard)],
        exception_handlers={NewsletterError: error_card, HTTPException: no_such_page},
    )
    app.state.token = secrets.token_urlsafe(24)
    app.state.is_closing = lambda: False
    return app


def static(request: Request) -> Response:
    """The desk's own style and script."""
    name = request.path_params["name"]
    if name not in STATIC:
        raise HTTPException(404)
    text = files("newsletter.preview").joinpath("pages", name).read_text("utf-8")
    return PlainTextResponse(text, media_type=STATIC[name])


def error_card(request: Request, error: Exception) -> Response:
    """The failure as a page that follows when the file is mended; 404 for a mail, an issue or a
    person that is not there, 400 for a form that asks for one."""
    if isinstance(error, UsageError | AudienceError):
        status = 404 if request.method in ("GET", "HEAD") else 400
        return page("missing.html", status=status, message=str(error), where="issues")
    return page("error.html", status=500, error=error, where="issues")


def no_such_page(request: Request, error: Exception) -> Response:
    """A page that says what there is instead."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = "There is no such page on this desk." if status == 404 else str(error)
    return page("missing.html", status=status, message=message, where="")
