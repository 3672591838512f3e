"""A mail through all the lenses that a look asks for."""

from __future__ import annotations

from typing import Protocol

from newsletter.preview.lenses import LENSES
from newsletter.preview.lenses.clients import as_client
from newsletter.preview.lenses.zoom import zoomed


class Choice(Protocol):
    """What a look says about lenses: a client's id or "", names of LENSES, percent of text size."""

    @property
    def client(self) -> str: ...
    @property
    def lenses(self) -> tuple[str, ...]: ...
    @property
    def zoom(self) -> int: ...


def through(look: Choice, document: str) -> str:
    """The document as the look's client leaves it, through its lenses, one over the other."""
    if look.client:
        document = as_client(document, look.client)
    for name in look.lenses:
        document = LENSES[name].apply(document)
    return zoomed(document, look.zoom / 100) if look.zoom > 100 else document
