"""How an issue is looked at: everything behind the question mark of its URL.

Enters: a query, typed by anybody. Leaves: a Look with values that make sense, and the URLs of its
neighbours. Knows no issue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from newsletter.lint.caniemail import clients
from newsletter.preview.lenses import LENSES

TABS = {
    "mail": "Mail",
    "states": "All states",
    "text": "Plain text",
    "markdown": "Markdown",
    "source": "Source",
    "headers": "Headers",
    "teasers": "Teasers",
    "reader": "Reader",
    "checks": "Checks",
    "diff": "Diff",
}
# What the tabs were called in the first links that people kept.
FORMER = {"html": "mail"}
WIDTHS = (320, 360, 390, 600, 800)
NARROWEST, WIDEST = 280, 1200
SCHEMES = {"both": "Both", "light": "Light", "dark": "Dark"}
ZOOMS = (100, 125, 150, 175, 200)
# Those that are no client but a tool have a place of their own.
LENS_WORDS = {
    "images-off": "Images off",
    "no-style": "No <style>",
    "inverted": "Inverted dark",
    "word": "Word sketch",
    "links": "Links",
    "outline": "Outline",
}
DESKTOP, PHONE = 600, 360
# `as` is a word of Python.
_IN_URL = {"width": "w", "scheme": "look", "lenses": "lens", "reader": "as"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One way to look at an issue. `width` is in CSS pixels, 0 for a desktop beside a phone;
    `lenses` lie one over the other; `reader` is an address, an invented reader's name, or "" for
    the usual one; `line` and `file` are what the Markdown view jumps to."""

    tab: str = "mail"
    width: int = 0
    scheme: str = "both"
    lenses: tuple[str, ...] = ()
    client: str = ""
    zoom: int = 100
    reader: str = ""
    line: int = 0
    file: str = ""

    def query(self, **changes: Any) -> str:
        """The query of this look with `changes`, defaults left out; "?" when nothing is left."""
        other = replace(self, **changes)
        pairs: list[tuple[str, object]] = []
        for each in fields(other):
            value = getattr(other, each.name)
            if value == each.default:
                continue
            words = value if isinstance(value, tuple) else (value,)
            pairs += [(_IN_URL.get(each.name, each.name), word) for word in words]
        return f"?{urlencode(pairs)}"

    def on(self, tab: str) -> str:
        """The query of another tab, without the line that only the Markdown view has."""
        return self.query(tab=tab, line=0, file="")

    def at(self, line: int | None, file: object = "") -> str:
        """The query of the Markdown view at a line."""
        return self.query(tab="markdown", line=line or 0, file=str(file))

    def frame(self, lens: str = "") -> str:
        """The query of a frame: what changes the mail's own HTML. `lens` instead of the chosen."""
        lenses = (lens,) if lens else self.lenses
        mail = Look(lenses=lenses, client=self.client, zoom=self.zoom, reader=self.reader)
        return mail.query()


@dataclass(frozen=True, slots=True)
class Frame:
    """A window on the mail: its name, width in CSS pixels, scheme, and a lens before it."""

    title: str
    width: int
    dark: bool = False
    lens: str = ""


ALL_STATES = (
    Frame("Desktop, light", DESKTOP),
    Frame("Desktop, dark", DESKTOP, dark=True),
    Frame("Desktop, inverted", DESKTOP, lens="inverted"),
    Frame("Outlook with Word, sketch", DESKTOP, lens="word"),
    Frame("Phone, light", PHONE),
    Frame("Phone, dark", PHONE, dark=True),
    Frame("Phone, images off", PHONE, lens="images-off"),
    Frame("Phone, no <style>", PHONE, lens="no-style"),
)


def look_of(pairs: Iterable[tuple[str, str]]) -> Look:
    """The look that a query asks for; what is unknown or out of range is as if it were absent."""
    asked = list(pairs)
    one = dict(asked)
    tab = FORMER.get(one.get("tab", ""), one.get("tab", ""))
    width = _number(one.get("w"))
    lenses = [word for key, value in asked if key == "lens" for word in value.split(",")]
    return Look(
        tab=tab if tab in TABS else "mail",
        width=min(max(width, NARROWEST), WIDEST) if width else 0,
        scheme=one.get("look", "") if one.get("look") in SCHEMES else "both",
        lenses=tuple(name for name in LENSES if name in lenses),
        client=_known_client(one.get("client", "")),
        zoom=min(max(_number(one.get("zoom")) or 100, 100), 200),
        reader=one.get("as", "").strip(),
        line=_number(one.get("line")),
        file=one.get("file", ""),
    )


def frames_of(look: Look) -> tuple[Frame, ...]:
    """The windows of the mail view: light beside dark, or what is asked for. Clients that invert,
    and Word, know no dark style of the author's."""
    if "word" in look.lenses:
        return (Frame("Outlook with Word, sketch", look.width or DESKTOP),)
    if "inverted" in look.lenses:
        return _duo("inverted", look.width)
    if look.scheme != "both":
        return _duo(look.scheme, look.width)
    if look.width:
        return Frame("Light", look.width), Frame("Dark", look.width, dark=True)
    return Frame("Desktop, light", DESKTOP), Frame("Phone, dark", PHONE, dark=True)


def _duo(word: str, width: int) -> tuple[Frame, ...]:
    dark = word == "dark"
    if width:
        return (Frame(word.capitalize(), width, dark),)
    return Frame(f"Desktop, {word}", DESKTOP, dark), Frame(f"Phone, {word}", PHONE, dark)


def _known_client(name: str) -> str:
    return name if any(client.id == name for client in clients()) else ""


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else 0
