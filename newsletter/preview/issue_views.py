"""The views of the issues: the list, one issue as it will arrive, and its proofs."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from newsletter.audience.addresses import parse_address
from newsletter.compose.images import media_path
from newsletter.delivery.addressing import Addressee
from newsletter.delivery.specimen import part
from newsletter.errors import UsageError
from newsletter.lint.caniemail import clients
from newsletter.model import Mail
from newsletter.preview.answers import mail_frame, page
from newsletter.preview.checked import counts
from newsletter.preview.guard import form_of, token_of
from newsletter.preview.inbox_rows import inbox_rows
from newsletter.preview.issue_tabs import Desktop, heaviest, values_of
from newsletter.preview.lenses.through import through
from newsletter.preview.local_images import with_local_images
from newsletter.preview.look import LENS_WORDS, SCHEMES, TABS, WIDTHS, ZOOMS, Look, look_of
from newsletter.preview.readers import choices, reader_named
from newsletter.preview.standing import standings
from newsletter.preview.studio import Sight, Studio, Study

IMAGE_TYPES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif"}
NEWEST = 30
# What a page shows in these tabs is made of what comes later.
UNHURRIED = frozenset(("checks", "markdown", "teasers", "diff"))
LATER: dict[str, object] = {
    "later": True,
    "standing": None,
    "trouble": None,
    "counts": {},
    "gauge": None,
}
CHOICES = {"tabs": TABS, "widths": WIDTHS, "schemes": SCHEMES, "zooms": ZOOMS, "lenses": LENS_WORDS}


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
            Route("/preview/{slug}/message.eml", self.issue_eml),
            Route("/preview/{slug}/source.html", self.issue_source),
            Route("/preview/{slug}/proof", self.proof, methods=["POST"]),
            Route("/media/{path:path}", self.media),
        ]

    def index(self, request: Request) -> Response:
        shelf, error = self.studio.last_shelf()
        newest = tuple(reversed(shelf.archive.articles))
        shown = newest if "all" in request.query_params else newest[:NEWEST]
        return page(
            "index.html",
            status=500 if error else 200,
            shelf=shelf,
            error=error,
            articles=shown,
            hidden=len(newest) - len(shown),
            standings=standings(self.studio, shelf, shown),
            mails=self.studio.received()[:8],
            where="issues",
        )

    def issue(self, request: Request) -> Response:
        name = request.path_params["slug"]
        sight, look = self.studio.sight(name), look_of(request.query_params.multi_items())
        study = sight.study
        if study.article.slug != name:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"/preview/{study.article.slug}{query}")
        reader = reader_named(self.studio, look.reader, study.shelf.letter)
        soon = request.headers.get("x-desk") == "soon" and look.tab not in UNHURRIED
        return page(
            "issue.html",
            status=500 if sight.error else 200,
            **self._around(sight, look, reader),
            **(LATER if soon else self._later(study)),
            **CHOICES,
            **values_of(Desktop(self.studio, study, look, reader)),
            reader=reader,
            look=look,
            token=token_of(request),
            where="issues",
        )

    def _around(self, sight: Sight, look: Look, reader: Addressee) -> dict[str, object]:
        """What stands around every tab and is there at once."""
        study, articles = sight.study, sight.study.shelf.archive.articles
        letter = study.shelf.letter
        at = next((n for n, a in enumerate(articles) if a.slug == study.article.slug), 0)
        courier = self.studio.courier
        return {
            "study": study,
            "letter": letter,
            "error": sight.error,
            "older": articles[at - 1] if at else None,
            "newer": articles[at + 1] if at + 1 < len(articles) else None,
            "content": self.studio.content(look.frame()),
            "readers": choices(self.studio, letter),
            "rows": inbox_rows(
                letter.sender.name or letter.sender.address,
                study.filled(study.email.subject, reader),
                study.filled(study.email.preheader, reader),
            ),
            "clients": {client.id: client.name for client in clients(letter.readership)},
            "way_out": courier.way_out() if courier else None,
        }

    def _later(self, study: Study) -> dict[str, object]:
        """What takes longer than a saved file may take to be on the screen: the checks, the
        worst readers, git and the ledger. The page asks for it when the mail is there."""
        found = standings(self.studio, study.shelf, [study.article])
        return {
            "later": False,
            "standing": found.by_slug[study.article.slug],
            "trouble": found.trouble,
            "counts": counts(study.problems),
            "gauge": heaviest(study),
        }

    def issue_mail(self, request: Request) -> Response:
        look = look_of(request.query_params.multi_items())
        study = self.studio.sight(request.path_params["slug"]).study
        content = self._mail(study, look).content
        html = through(look, part(content, "html"))
        return mail_frame(with_local_images(html, study.shelf.letter, content))

    def _mail(self, study: Study, look: Look) -> Mail:
        return study.mail(reader_named(self.studio, look.reader, study.shelf.letter))

    def issue_source(self, request: Request) -> Response:
        look = look_of(request.query_params.multi_items())
        study = self.studio.study(self.studio.shelf(), request.path_params["slug"])
        return PlainTextResponse(part(self._mail(study, look).content, "html"))

    def issue_eml(self, request: Request) -> Response:
        look = look_of(request.query_params.multi_items())
        study = self.studio.study(self.studio.shelf(), request.path_params["slug"])
        name = study.article.slug.encode("ascii", "replace").decode()
        attachment = f'attachment; filename="{name}.eml"'
        return Response(
            self._mail(study, look).content,
            media_type="message/rfc822",
            headers={"Content-Disposition": attachment},
        )

    async def proof(self, request: Request) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(self._prove, request.path_params["slug"], form)

    def _prove(self, slug: str, form: dict[str, str]) -> Response:
        study = self.studio.study(self.studio.shelf(), slug)
        courier = self.studio.courier
        if courier is None:
            raise UsageError("this desk sends no proofs", hint=f"newsletter test {slug} --to ADDR")
        way_out, address = courier.way_out(), parse_address(form.get("to", "").strip())
        if way_out.leaves and form.get("leaves") != "yes":
            raise UsageError(
                f"the relay {way_out.relay} is on another machine: agree to that first",
                hint=f"tick the box, or newsletter test {slug} --to {address}",
                code="proof.consent",
            )
        reader = reader_named(self.studio, form.get("as", ""), study.shelf.letter)
        reply = courier.prove(study.email, Addressee(0, address, reader.name, reader.fields))
        if reply.positive:
            self.studio.kept.proofs[study.article.slug] = study.email
        return page(
            "proof.html",
            status=200 if reply.positive else 502,
            reply=reply,
            address=address,
            way_out=way_out,
            study=study,
            where="issues",
        )

    def media(self, request: Request) -> Response:
        file = media_path(self.studio.load(), f"/media/{request.path_params['path']}")
        if file is None or not file.is_file() or file.suffix.lower() not in IMAGE_TYPES:
            raise HTTPException(404)
        return FileResponse(file)
