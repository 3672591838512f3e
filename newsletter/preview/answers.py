"""What the desk answers with: its own pages, and mails in frames that neither run nor navigate."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from newsletter.preview.guard import MAIL_POLICY

pages = Environment(
    loader=PackageLoader("newsletter.preview", "pages"), autoescape=True, undefined=StrictUndefined
)


def page(name: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """The named page of the desk."""
    return HTMLResponse(pages.get_template(name).render(**values), status_code=status)


def mail_frame(document: str) -> HTMLResponse:
    """A mail's HTML for a frame: no script, no network but the desk's images, no navigation."""
    return HTMLResponse(document, headers={"Content-Security-Policy": MAIL_POLICY})
