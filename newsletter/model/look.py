"""What a publication says about its looks: ten tokens, and which look they change."""

from __future__ import annotations

from dataclasses import dataclass

SHIPPED_LOOKS = ("letter", "plain", "digest")
# Between the edge of the panel and its text, on either side.
PANEL_PADDING = 40
COLOUR_TOKENS = ("page", "panel", "ink", "link", "accent")


@dataclass(frozen=True, slots=True)
class Tone:
    """A colour as `#1f6b54` and its partner in the dark, None to have that one derived."""

    light: str
    dark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeTokens:
    """The look by name and the ten tokens; None or empty leaves a token to the look.

    `width` and `radius` are CSS pixels; `logo` is a file of the publication; `thumbnails` shows
    the neighbours' pictures on their teaser cards.
    """

    look: str = "letter"
    page: Tone | None = None
    panel: Tone | None = None
    ink: Tone | None = None
    link: Tone | None = None
    accent: Tone | None = None
    heading_font: str = ""
    body_font: str = ""
    width: int = 600
    radius: int | None = None
    logo: str = ""
    thumbnails: bool = False

    @property
    def measure(self) -> int:
        """How wide text and pictures may be, in CSS pixels."""
        return self.width - 2 * PANEL_PADDING

    @property
    def tones(self) -> dict[str, Tone]:
        """The colours that are set, by token."""
        named = ((name, getattr(self, name)) for name in COLOUR_TOKENS)
        return {name: tone for name, tone in named if tone is not None}

    def sets(self, token: str) -> bool:
        """Whether the publication says something of its own about the token."""
        return bool(getattr(self, token) != getattr(ThemeTokens(), token))
