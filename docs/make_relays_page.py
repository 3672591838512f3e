"""Write what the presets know into docs/relays.md, between two marks each.

    .venv/bin/python docs/make_relays_page.py

It is newsletter/presets.py; the rest of the page is written by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from newsletter.presets import PRESETS, Preset  # noqa: E402

PAGE = ROOT / "docs" / "relays.md"
BEGIN, END = "<!-- made by docs/make_relays_page.py -->", "<!-- until here -->"
ONCE, ONCE_END = "<!-- once: made by docs/make_relays_page.py -->", "<!-- once: until here -->"
SPANS = {"per_second": "second", "per_minute": "minute", "per_hour": "hour", "per_day": "day"}


def page(text: str) -> str:
    """The page with the presets as they are now."""
    return _between(_between(text, BEGIN, END, table()), ONCE, ONCE_END, once())


def _between(text: str, begin: str, end: str, made: str) -> str:
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{made}\n{end}{after}"


def table() -> str:
    """Every preset: where, how fast, what is put into each mail, what to know."""
    head = (
        "| preset | host, port, protection | limits | in every mail | to know |",
        "|---" * 5 + "|",
    )
    return "\n".join([*head, *(_row(preset) for preset in PRESETS.values())]) + "\n"


def once() -> str:
    """Every preset whose relay takes a mail only once: by which field, for how long."""
    rows = (
        f"| `{preset.name}` | `{preset.once}` | {preset.once_for_h} hours |"
        for preset in PRESETS.values()
        if preset.once
    )
    return "\n".join(["| preset | field | remembers it for |", "|---|---|---|", *rows]) + "\n"


def _row(preset: Preset) -> str:
    fields = [f"`{name}: {value}`" for name, value in preset.headers]
    fields += [f"`{preset.once}: ` and the Message-ID"] if preset.once else []
    notes = " ".join(part for part in (preset.note, preset.login) if part)
    cells = (f"`{preset.name}`", _place(preset), _limits(preset), "<br>".join(fields), notes)
    return "| " + " | ".join(cells) + " |"


def _place(preset: Preset) -> str:
    if not preset.port:
        return "this machine"
    host = f"`{preset.host}`" if preset.host else "yours"
    return f"{host} {preset.port}, {preset.tls.value}"


def _limits(preset: Preset) -> str:
    if preset.sold_by_day:
        return "`per_day` is yours to say"
    return ", ".join(_spelt(preset))


def _spelt(preset: Preset) -> Iterator[str]:
    for name, span in SPANS.items():
        if (cap := getattr(preset.limits, name)) is not None:
            yield f"{cap} a {span}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
