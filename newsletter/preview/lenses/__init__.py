"""Lenses: a mail's HTML as one kind of client or reader would see it.

Each is a pure function, whole document in, whole document out, and they can be put one over the
other. What no client says of itself (inversion, Word) is an approximation and says so in its title.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from newsletter.errors import ConfigError, UsageError
from newsletter.lint.caniemail import client
from newsletter.preview.lenses.clients import as_client
from newsletter.preview.lenses.dark import inverted
from newsletter.preview.lenses.links import linked
from newsletter.preview.lenses.outline import outlined
from newsletter.preview.lenses.pictures import images_off
from newsletter.preview.lenses.styles import without_style
from newsletter.preview.lenses.word import word_sketch
from newsletter.preview.lenses.zoom import zoomed

DOUBLE = 2.0
CLIENT = "client:"


@dataclass(frozen=True, slots=True)
class Lens:
    """One way to look at a mail. `name` goes into addresses, `title` is for people."""

    name: str
    title: str
    apply: Callable[[str], str]


LENSES: Mapping[str, Lens] = MappingProxyType(
    {
        lens.name: lens
        for lens in (
            Lens("images-off", "Images off", images_off),
            Lens("no-style", "Style blocks dropped", without_style),
            Lens("inverted", "Dark by inversion (approximation)", inverted),
            Lens("word", "Outlook for Windows (sketch)", word_sketch),
            Lens("zoom", "Text at 200 %", lambda document: zoomed(document, DOUBLE)),
            Lens("links", "Links numbered", linked),
            Lens("outline", "Heading outline", outlined),
        )
    }
)


def lens_named(name: str) -> Lens:
    """The lens of that name: one of LENSES, or `client:gmail.ios`. Raises UsageError."""
    if name.startswith(CLIENT):
        return client_lens(name.removeprefix(CLIENT))
    try:
        return LENSES[name]
    except KeyError:
        known = ", ".join(LENSES)
        raise UsageError(f"there is no lens {name!r}", hint=f"there are: {known}") from None


def client_lens(client_id: str) -> Lens:
    """The lens that drops what caniemail says that client drops. Raises UsageError."""
    try:
        found = client(client_id)
    except ConfigError as error:
        raise UsageError(error.message, hint=error.hint) from None
    title = f"{found.name}, without what it drops"
    return Lens(f"{CLIENT}{found.id}", title, lambda document: as_client(document, found.id))


__all__ = ["LENSES", "Lens", "client_lens", "lens_named"]
