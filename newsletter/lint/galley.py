"""One issue as it lies before the rules: article, email, and the mail as one reader gets it.

In the trade a galley is the first print, made to be read for mistakes. Enters: what composing made,
and the bytes of a specimen mail; or the bytes alone. Leaves: a frozen Galley with everything parsed
once. Refuses to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from newsletter.lint.caniemail.uses import Use, uses_of
from newsletter.lint.message import Field as HeaderField
from newsletter.lint.message import Part, read_mail
from newsletter.lint.page import Page, read_page
from newsletter.lint.picture_files import PictureFile, files_behind
from newsletter.model import Article, Email, Gaps, Issue, Letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a mail was made of; a bare .eml file has none of it. `gaps` are those of the people
    who are to get it, None when they are not known;
    `unpublished` are the articles whose pages are not on the web yet, by their address."""

    issue: Issue
    letter: Letter
    email: Email
    gaps: Gaps | None = None
    unpublished: Mapping[str, Article] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Galley:
    """A mail, its parts and where they came from.

    `html` and `text` are the parts as encoded, None when the mail has none; `page` is the HTML
    parsed (an empty page without HTML), `plain` the text with LF, `files` those of its pictures
    that lie in the publication, by address, `uses` what of caniemail's features it uses, by slug.
    """

    content: bytes
    mail: Part
    html: Part | None
    text: Part | None
    page: Page
    plain: str
    files: Mapping[str, PictureFile]
    uses: Mapping[str, tuple[Use, ...]]
    written: Written | None = None

    @property
    def letter(self) -> Letter | None:
        return self.written.letter if self.written else None

    @property
    def subject(self) -> str:
        """The subject as a reader gets it."""
        found: HeaderField | None = self.mail.first("Subject")
        return found.text if found else ""


def galley_of(content: bytes, written: Written | None = None) -> Galley:
    """The mail in the bytes, parsed."""
    mail = read_mail(content)
    html, text = mail.leaf("text/html"), mail.leaf("text/plain")
    page = read_page(html.text if html else "")
    sources = [image.get("src", "") for image in page.named("img")]
    files: Mapping[str, PictureFile] = {}
    if written:
        files = files_behind(sources, written.letter, written.email.pictures)
    return Galley(
        content=content,
        mail=mail,
        html=html,
        text=text,
        page=page,
        plain=text.text if text else "",
        files=files,
        uses=uses_of(page),
        written=written,
    )
