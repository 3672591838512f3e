"""Write the list of checks into docs/checking.md, between its two marks.

    .venv/bin/python docs/make_checking_page.py

It is what `newsletter check --list --json` says, by chapter; the rest of the page is written by
hand.
"""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "checking.md"
BEGIN, END = "<!-- made by docs/make_checking_page.py -->", "<!-- until here -->"
# Two hundred rows of one kind, which have a page of their own.
COMPATIBILITY = "mail clients"


def listed() -> list[dict[str, Any]]:
    """Every check, as the command lists it."""
    command = [sys.executable, "-m", "newsletter", "check", "--list", "--json"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rules: list[dict[str, Any]] = json.loads(said.stdout)["rules"]
    return rules


def page(text: str) -> str:
    """The page with the list as it is now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def tables() -> str:
    """A table for each chapter."""
    return "\n".join(
        chapter(about, list(rules))
        for about, rules in groupby(listed(), key=lambda rule: str(rule["about"]))
    )


def chapter(about: str, rules: list[dict[str, Any]]) -> str:
    heading = f"### {about[:1].upper()}{about[1:]}\n\n"
    if about == COMPATIBILITY:
        return (
            f"{heading}{len(rules)} checks, `compat.` and the name of a feature: "
            "[what mail clients can do](compatibility.md).\n"
        )
    head = f"{heading}| code | | what is found | whose rule |\n|---|---|---|---|\n"
    return head + "".join(map(row, rules))


def row(rule: dict[str, Any]) -> str:
    what, whose = cell(rule["title"]), cell(rule["source"])
    return f"| `{rule['code']}` | {rule['severity']} | {what} | {whose} |\n"


def cell(text: str) -> str:
    return text.replace("&", "&amp;").replace("|", r"\|").strip()


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8", newline="\n")
