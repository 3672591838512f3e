"""Write the table of presets into docs/relays.md, between its two marks.

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
SPANS = {"per_second": "second", "per_minute": "minute", "per_hour": "hour", "per_day": "day"}


def page(text: str) -> str:
    """The page with the presets as they are now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"


def table() -> str:
    """Every preset: where, how fast, what is put into each mail, what to know."""
    head = (
        "| preset | host, port, protection | limits | in every mail | to know |",
        "|---" * 5 + "|",
    )
    return "\n".join([*head, *(_row(preset) for preset in PRESETS.values())]) + "\n"


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
