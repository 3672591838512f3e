"""The views of the issues: the list, and one issue as it will arrive."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from newsletter.compose.images import media_path
from newsletter.delivery.specimen import part
from newsletter.preview.answers import mail_frame, page, tab_of
from newsletter.preview.studio import Studio, headers_of, with_local_images

IMAGE_TYPES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif"}


@dataclass(frozen=True, slots=True)
class IssueViews:
    """The issues of one studio."""

    studio: Studio

    def routes(self) -> list[Route]:
        """Where the views are found."""
        return [
            Route("/", self.index),
            Route("/preview/{slug}", self.issue),
            Route("/preview/{slug}/mail.html", self.issue_mail),
            Route("/media/{path:path}", self.media),
        ]

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
            tab=tab_of(request),
            text=part(study.mail.content, "plain"),
            headers=headers_of(study.mail.content),
            source=part(study.mail.content, "html"),
            where="issues",
        )

    def issue_mail(self, request: Request) -> Response:
        shelf = self.studio.shelf()
        study = self.studio.study(shelf, request.path_params["slug"])
        content = study.mail.content
        return mail_frame(request, with_local_images(part(content, "html"), shelf.letter, content))

    def media(self, request: Request) -> Response:
        file = media_path(self.studio.load(), f"/media/{request.path_params['path']}")
        if file is None or not file.is_file() or file.suffix.lower() not in IMAGE_TYPES:
            raise HTTPException(404)
        return FileResponse(file)
