"""What the desk answers with: its own pages, and mails in frames that neither run nor navigate."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from newsletter.pipeline import headline
from newsletter.preview.guard import MAIL_POLICY

pages = Environment(
    loader=PackageLoader("newsletter.preview", "pages"), autoescape=True, undefined=StrictUndefined
)


def _local_time(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%-d %b %Y, %H:%M}"


def _local_day(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%-d %b}"


pages.filters.update(headline=headline, local_time=_local_time, local_day=_local_day)


def page(name: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """The named page of the desk."""
    return HTMLResponse(pages.get_template(name).render(**values), status_code=status)


def mail_frame(document: str) -> HTMLResponse:
    """A mail's HTML for a frame: no script, no network but the desk's images, no navigation."""
    return HTMLResponse(document, headers={"Content-Security-Policy": MAIL_POLICY})
