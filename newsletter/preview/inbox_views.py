"""The views of the inbox on this machine: the list, and one mail whole."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.delivery.specimen import part
from newsletter.preview.answers import mail_frame, page, tab_of
from newsletter.preview.local_images import with_local_images
from newsletter.preview.studio import Studio, headers_of


@dataclass(frozen=True, slots=True)
class InboxViews:
    """The inbox of one studio."""

    studio: Studio

    def routes(self) -> list[Route]:
        """Where the views are found."""
        return [
            Route("/inbox", self.inbox),
            Route("/inbox/{key}", self.letter),
            Route("/inbox/{key}/mail.html", self.letter_mail),
            Route("/inbox/{key}/message.eml", self.letter_eml),
        ]

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
            tab=tab_of(request),
            text=part(content, "plain"),
            headers=headers_of(content),
            source=content.decode("ascii", "replace"),
            size=len(content),
            where="inbox",
        )

    def letter_mail(self, request: Request) -> Response:
        content = self.studio.letterbox(request.path_params["key"])
        return mail_frame(with_local_images(part(content, "html"), self.studio.load(), content))

    def letter_eml(self, request: Request) -> Response:
        key = request.path_params["key"]
        attachment = {
            "Content-Disposition": f'attachment; filename="{key.removesuffix(".eml")}.eml"'
        }
        content = self.studio.letterbox(key)
        return Response(content, media_type="message/rfc822", headers=attachment)
