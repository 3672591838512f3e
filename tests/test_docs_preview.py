"""docs/preview.md is true: its lenses and triggers are those of the program, its commands work."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from newsletter.preview.lenses import LENSES
from newsletter.smtp.chaos import Chaos, parse_chaos
from tests.conftest import ROOT, needs
from tests.publication import publication

TEXT = (ROOT / "docs/preview.md").read_text("utf-8")


def commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.strip().splitlines()]


def test_the_table_has_every_lens_in_order() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", TEXT, re.MULTILINE) == list(LENSES)


def test_the_commands_work(tmp_path: Path) -> None:
    needs("chromium")
    made = publication(tmp_path)
    for program, *words in commands():
        assert program == "newsletter"
        if "--chaos" in words:
            assert parse_chaos(words[-1]) == parse_chaos("0.05")
            continue
        placed = [str(tmp_path / "preview") if word == "preview" else word for word in words[1:]]
        made.run(words[0], *placed)
    assert len(made.inbox) == 1
    assert list((tmp_path / "preview").rglob("phone-dark.png"))


def test_the_rule_and_the_recipients_are_understood() -> None:
    assert parse_chaos(re.findall(r"`(defer=[^`]+)`", TEXT)[0]).seed == 7
    asked = re.findall(r"`((?:defer|reject|drop|slow)[a-z0-9+.-]*)@`", TEXT)
    assert len(asked) == 10
    for local_part in asked:
        fault = Chaos().fault(f"{local_part}@example.com", 0)
        assert fault is not None
        for word in ("450 4.2.0", "552 5.2.2"):
            if fault.reply.startswith(word):
                assert word in TEXT
