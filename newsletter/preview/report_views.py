"""The view of what became of an issue: the page of `newsletter report`, as it is now."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from newsletter.preview.studio import Studio
from newsletter.report.account import account
from newsletter.report.page import Clock, page, policy


@dataclass(frozen=True, slots=True)
class ReportViews:
    """The reports of one studio's sends."""

    studio: Studio

    def routes(self) -> list[Route]:
        """Where the view is found."""
        return [Route("/preview/{slug}/report", self.report)]

    def report(self, request: Request) -> Response:
        if self.studio.ledger is None:
            raise HTTPException(404)
        with self.studio.ledger() as store:
            accounts = [account(store, each) for each in store.entries(request.path_params["slug"])]
        if not accounts:
            raise HTTPException(404, "it was never sent")
        clock = Clock(self.studio.now(), self.studio.shelf().letter.timezone)
        headers = {"Content-Security-Policy": f"{policy()}; frame-ancestors 'none'"}
        return HTMLResponse(page(accounts, clock), headers=headers)
