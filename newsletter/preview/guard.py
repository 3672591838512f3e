"""Who may talk to the desk: this machine's own browser, by this machine's own name.

A page elsewhere may point a name of its own at 127.0.0.1 (DNS rebinding), so the Host header is
checked (deliverability 7.38); mails are shown without scripts and without the network (7.9).
"""

from __future__ import annotations

import hmac
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})

DESK_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "frame-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# The frame keeps the desk's origin, so that the page can measure and scroll it. That is safe only
# because nothing in it may run: never add allow-scripts.
MAIL_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
)
LONGEST_FORM = 65_536
HEADERS = {
    "Cache-Control": "no-store",
    # Without any referrer Chromium calls the origin of a form "null", which may not write.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """ASGI middleware: refuse foreign Hosts, and put the security headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if not is_local(scope):
            await PlainTextResponse("this desk answers to 127.0.0.1 only\n", 400)(
                scope, receive, send
            )
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", DESK_POLICY)
            await send(message)

        await self.app(scope, receive, send_guarded)


def is_local(scope: Scope) -> bool:
    """Whether the Host header, and the Origin if there is one, name this machine. The origin
    "null" of a document that has none is good enough to read, not to write."""
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "")
    origin = headers.get(b"origin", "")
    allowed = ["", f"http://{host}"]
    if scope["method"] in ("GET", "HEAD"):
        allowed.append("null")
    return _name(host) in LOCAL_NAMES and origin in allowed


def _name(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def token_of(request: Request) -> str:
    """What a form of this desk must bring along: made anew with every desk, known to its pages."""
    token: str = request.app.state.token
    return token


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that this desk has made. Raises HTTPException: 413 for more than
    64 KB, 403 without the desk's token."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            raise HTTPException(413, "that is more than a form can hold")
    form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    if not hmac.compare_digest(form.get("token", "").encode(), token_of(request).encode()):
        raise HTTPException(403, "this form was made by another desk: load the page again")
    return form
