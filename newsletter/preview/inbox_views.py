"""The views of the inbox on this machine: the list, and one mail whole."""

from __future__ import annotations

from dataclasses import dataclass, replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from newsletter.errors import UsageError
from newsletter.lint.caniemail import clients
from newsletter.preview.answers import mail_frame, page
from newsletter.preview.arrival import NO_HTML, Arrival, matching
from newsletter.preview.guard import form_of, token_of
from newsletter.preview.inbox_tabs import TABS, OpenMail, values_of
from newsletter.preview.lenses.through import through
from newsletter.preview.local_images import with_local_images
from newsletter.preview.look import LENS_WORDS, SCHEMES, WIDTHS, ZOOMS, look_of
from newsletter.preview.mime_tree import payload_of
from newsletter.preview.studio import Studio
from newsletter.preview.unsubscribing import button_of
from newsletter.smtp.inbox import InboxMail, clear

A_PAGE = 200
CHOICES = {"tabs": TABS, "widths": WIDTHS, "schemes": SCHEMES, "zooms": ZOOMS, "lenses": LENS_WORDS}
SEE_OTHER = 303


@dataclass(frozen=True, slots=True)
class InboxViews:
    """The inbox of one studio."""

    studio: Studio

    def routes(self) -> list[Route]:
        """Where the views are found."""
        return [
            Route("/inbox", self.inbox),
            Route("/inbox/clear", self.clear, methods=["POST"]),
            Route("/inbox/{key}", self.letter),
            Route("/inbox/{key}/mail.html", self.letter_mail),
            Route("/inbox/{key}/message.eml", self.letter_eml),
            Route("/inbox/{key}/part/{number:int}", self.letter_part),
            Route("/inbox/{key}/unsubscribe", self.press, methods=["POST"]),
        ]

    def inbox(self, request: Request) -> Response:
        mails, words = self.studio.received(), request.query_params.get("q", "").strip()
        found = matching(mails, words)
        shown = found if "all" in request.query_params else found[:A_PAGE]
        return page(
            "inbox.html",
            mails=shown,
            found=len(found),
            total=len(mails),
            words=words,
            token=token_of(request),
            now=self.studio.now(),
            where="inbox",
        )

    def letter(self, request: Request) -> Response:
        mails, key = self.studio.received(), request.path_params["key"]
        at = next((place for place, mail in enumerate(mails) if mail.key == key), None)
        opened = self._opened(request, mails[at] if at is not None else InboxMail(key=key))
        return page(
            "letter.html",
            status=200,
            **CHOICES,
            **values_of(opened),
            opened=opened,
            arrival=opened.arrival,
            look=opened.look,
            rows=opened.arrival.rows,
            older=mails[at + 1] if at is not None and at + 1 < len(mails) else None,
            newer=mails[at - 1] if at else None,
            clients={client.id: client.name for client in clients()},
            token=token_of(request),
            where="inbox",
        )

    def _opened(self, request: Request, mail: InboxMail) -> OpenMail:
        look = look_of(request.query_params.multi_items())
        asked = request.query_params.get("tab", "")
        tab = asked if asked in TABS else "mail"
        arrival = Arrival(mail, self.studio.letterbox(mail.key))
        return OpenMail(self.studio, arrival, replace(look, tab=tab))

    def letter_mail(self, request: Request) -> Response:
        opened = self._opened(request, InboxMail(key=request.path_params["key"]))
        html = through(opened.look, opened.arrival.html or NO_HTML)
        letter = self.studio.last_shelf()[0].letter
        return mail_frame(with_local_images(html, letter, opened.arrival.content))

    def letter_eml(self, request: Request) -> Response:
        key = request.path_params["key"]
        content = self.studio.letterbox(key)
        return _download(content, f"{key}.eml", "message/rfc822")

    def letter_part(self, request: Request) -> Response:
        content = self.studio.letterbox(request.path_params["key"])
        found = payload_of(content, request.path_params["number"])
        if found is None:
            raise UsageError("that mail has no such part")
        name, payload = found
        return _download(payload, name, "application/octet-stream")

    async def clear(self, request: Request) -> Response:
        await form_of(request)
        await run_in_threadpool(clear, self.studio.inbox)
        return RedirectResponse("/inbox", SEE_OTHER)

    async def press(self, request: Request) -> Response:
        await form_of(request)
        key = request.path_params["key"]
        await run_in_threadpool(self._unsubscribe, key)
        return RedirectResponse(f"/inbox/{key}?tab=unsubscribe", SEE_OTHER)

    def _unsubscribe(self, key: str) -> None:
        """Carry out what the button is for, by our own hand: no request leaves."""
        button, door = button_of(self.studio.letterbox(key)), self.studio.door
        named = door.who(button.token) if door and button.token else None
        if door is None or named is None or named.person is None:
            raise UsageError("the button of this mail is nobody's here: nothing was done")
        door.unsubscribe(named.person)


def _download(content: bytes, name: str, media_type: str) -> Response:
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    disposition = f'attachment; filename="{safe.lstrip(".") or "part"}"'
    return Response(content, media_type=media_type, headers={"Content-Disposition": disposition})
