"""What a template sees of the [theme]: the look's name, sizes, fonts and the logo.

Enters: a Letter. Leaves: plain values. Colours are the palette's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from newsletter.compose import images
from newsletter.compose.picture_header import measure
from newsletter.errors import ComposeError
from newsletter.model import Article, Letter

# What a phone of 320 pixels has room for, and a masthead that is not all logo.
LOGO_WIDTH, LOGO_HEIGHT = 270, 96
LOGOS = (".png", ".jpg")


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of the frame: where it is, and its size in CSS pixels; a height of 0 is unknown."""

    url: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeNoun:
    """What a template sees of the tokens; empty fonts and a `radius` of None are the look's."""

    look: str
    heading_font: str
    body_font: str
    width: int
    measure: int
    radius: int | None
    logo: Shown | None
    thumbnails: bool


def theme_noun(letter: Letter) -> ThemeNoun:
    """The tokens of the letter. Raises ComposeError for a logo that no mail could show."""
    tokens = letter.theme
    return ThemeNoun(
        look=tokens.look,
        heading_font=tokens.heading_font,
        body_font=tokens.body_font,
        width=tokens.width,
        measure=tokens.measure,
        radius=tokens.radius,
        logo=_logo(letter) if tokens.logo else None,
        thumbnails=tokens.thumbnails,
    )


def _logo(letter: Letter) -> Shown:
    """The logo at half its pixels, smaller where there is no room for it."""
    source, frame = letter.theme.logo, _frame(letter)
    try:
        file = images.locate(frame, letter, source)
        width, height = measure(file)
        scale = min(0.5, LOGO_WIDTH / width, LOGO_HEIGHT / height)
        shown = images.picture(frame, letter, source, max(1, round(width * scale)))
    except ComposeError as error:
        raise _refusal(error.message) from error
    if not shown.url.endswith(LOGOS):
        raise _refusal(f"{source} is neither PNG nor JPEG")
    return Shown(shown.url, shown.width, shown.height)


def _refusal(reason: str) -> ComposeError:
    return ComposeError(
        f"`logo` in [theme]: {reason}",
        hint="a PNG or JPEG file in the publication, its path relative to the root",
        code="theme.logo",
    )


def _frame(letter: Letter) -> Article:
    """Whose path the logo's is relative to: the publication itself."""
    return Article(path=Path(), folder=letter.root, slug="", title=letter.name, subject="", body="")


def thumbnail(letter: Letter, url: str | None, width: int) -> Shown | None:
    """A teaser's picture at that width, its height by the file when it is the publication's."""
    if not url or not letter.theme.thumbnails:
        return None
    height = 0
    file = images.media_path(letter, url.removeprefix(letter.base_url))
    if url.startswith(f"{letter.base_url}/media/") and file:
        natural = measure(file)
        width = min(width, natural[0])
        height = max(1, round(natural[1] * width / natural[0]))
    return Shown(url, width, height)
