"""What each tab of a received mail shows.

Enters: a mail of the inbox as it is looked at. Leaves: the values for the tab's template. One
function a tab; those that an issue has too share its templates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from newsletter.lint import check_mail
from newsletter.model import Problem
from newsletter.preview.arrival import Arrival
from newsletter.preview.checked import counts, groups_of
from newsletter.preview.lenses.links import links_in
from newsletter.preview.lenses.outline import headings_in
from newsletter.preview.look import ALL_STATES, Look, frames_of
from newsletter.preview.mime_tree import parts_of
from newsletter.preview.studio import Studio
from newsletter.preview.unsubscribing import Button, button_of
from newsletter.preview.weight import shares, stretches

TABS = {
    "mail": "Mail",
    "states": "All states",
    "text": "Plain text",
    "source": "Source",
    "headers": "Headers",
    "raw": "Raw",
    "unsubscribe": "Unsubscribe",
    "checks": "Checks",
}
Values = dict[str, object]


@dataclass(frozen=True, slots=False)
class OpenMail:
    """A received mail on the desk, looked at in one way."""

    studio: Studio
    arrival: Arrival
    look: Look

    @cached_property
    def button(self) -> Button:
        return button_of(self.arrival.content)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        return check_mail(self.arrival.content, Path(f"{self.arrival.key}.eml"))

    @property
    def counts(self) -> dict[str, int]:
        return counts(self.problems)


def values_of(opened: OpenMail) -> Values:
    """What the template of the chosen tab wants."""
    return VALUES[opened.look.tab](opened)


def _mail(opened: OpenMail) -> Values:
    html = opened.arrival.html
    return {
        "frames": frames_of(opened.look),
        "links": links_in(html),
        "headings": headings_in(html),
    }


def _states(_opened: OpenMail) -> Values:
    return {"frames": ALL_STATES}


def _text(opened: OpenMail) -> Values:
    text = opened.arrival.text
    return {"text": text, "longest": max(map(len, text.splitlines()), default=0)}


def _source(opened: OpenMail) -> Values:
    html = opened.arrival.html
    size = len(html.encode("utf-8", "replace"))
    return {"shares": shares(html), "stretches": stretches(html), "size": size}


def _headers(opened: OpenMail) -> Values:
    content = opened.arrival.content
    return {
        "headers": opened.arrival.headers,
        "parts": parts_of(content),
        "size": len(content),
        "parts_at": f"/inbox/{opened.arrival.key}/part/",
    }


def _raw(opened: OpenMail) -> Values:
    text = opened.arrival.content.decode("utf-8", "replace")
    marked: dict[int, list[Problem]] = {}
    for problem in opened.problems:
        if problem.line is not None:
            marked.setdefault(problem.line, []).append(problem)
    return {"lines": text.splitlines(), "marked": marked}


def _unsubscribe(opened: OpenMail) -> Values:
    door, token = opened.studio.door, opened.button.token
    return {"named": door.who(token) if door and token else None}


def _checks(opened: OpenMail) -> Values:
    return {"groups": groups_of(opened.problems)}


VALUES: Mapping[str, Callable[[OpenMail], Values]] = {
    "mail": _mail,
    "states": _states,
    "text": _text,
    "source": _source,
    "headers": _headers,
    "raw": _raw,
    "unsubscribe": _unsubscribe,
    "checks": _checks,
}
