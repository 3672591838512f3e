"""[theme]: the look and its ten tokens."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from newsletter.config.table import Table
from newsletter.model import ThemeTokens, Tone
from newsletter.model.colour import HEX
from newsletter.model.look import COLOUR_TOKENS

GENERIC = ("serif", "sans-serif", "monospace", "system-ui")
LOGOS = (".png", ".jpg", ".jpeg")
COLOUR_FORM = 'write "#1f6b54", or for light and dark ["#1f6b54", "#8ed0b8"]: six hex digits each'


def _tone(value: object) -> object:
    parts = value if isinstance(value, list | tuple) else [value]
    good = all(isinstance(part, str) and HEX.fullmatch(part) for part in parts)
    if not good or not 1 <= len(parts) <= 2:
        raise ValueError(COLOUR_FORM)
    return value


def _fonts(text: str) -> str:
    """The stack without blanks after its commas. A quotation mark would end the style attribute
    it stands in."""
    families = [family.strip() for family in text.split(",")]
    if not text:
        return text
    if not all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _-]*|-apple-system", f) for f in families):
        raise ValueError("font families parted by commas, without quotation marks")
    if families[-1] not in GENERIC:
        raise ValueError(f"the last family must be one that is everywhere: {', '.join(GENERIC)}")
    return ",".join(families)


def _logo(text: str) -> str:
    if text and PurePosixPath(text).suffix.lower() not in LOGOS:
        raise ValueError("a logo is a PNG or JPEG file, twice as wide as it is shown")
    return text


Tones = Annotated[str | list[str] | None, BeforeValidator(_tone)]
Fonts = Annotated[str, AfterValidator(_fonts)]


class ThemeTable(Table):
    """[theme]: the look, and the ten tokens that change it. A colour is one for light, whose dark
    partner is derived, or a pair: light, dark."""

    look: str = Field(
        default="letter",
        pattern=r"^[a-z][a-z0-9-]*$",
        description="letter, plain, digest, or your own templates/looks/NAME.jinja",
    )
    page: Tones = Field(default=None, description="around the letter")
    panel: Tones = Field(default=None, description="behind the text")
    ink: Tones = Field(default=None, description="the text")
    link: Tones = Field(default=None, description="links and teasers")
    accent: Tones = Field(default=None, description="buttons, lines, the band at the top")
    heading_font: Fonts = Field(default="", description="such as: Georgia, Times New Roman, serif")
    body_font: Fonts = Field(default="", description="such as: Helvetica Neue, Arial, sans-serif")
    width: int = Field(default=600, ge=480, le=640, description="of the letter, in pixels")
    radius: int | None = Field(default=None, ge=0, le=24, description="of corners, in pixels")
    logo: Annotated[str, AfterValidator(_logo)] = Field(
        default="", description="PNG or JPEG in the publication, twice as wide as it is shown"
    )
    thumbnails: bool = Field(default=False, description="pictures on the teasers")

    def tokens(self) -> ThemeTokens:
        """The tokens as the templates' stage knows them."""
        return ThemeTokens(
            look=self.look,
            heading_font=self.heading_font,
            body_font=self.body_font,
            width=self.width,
            radius=self.radius,
            logo=self.logo,
            thumbnails=self.thumbnails,
            **{name: _as_tone(getattr(self, name)) for name in COLOUR_TOKENS},
        )


def _as_tone(value: str | list[str] | None) -> Tone | None:
    if value is None:
        return None
    light, *dark = [value] if isinstance(value, str) else value
    return Tone(light.lower(), dark[0].lower() if dark else None)
