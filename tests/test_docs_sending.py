"""docs/sending.md is true: its commands work, its states and tables are those of the program."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from newsletter.cli.faces import EVENT_NAMES
from newsletter.config import load_config
from newsletter.delivery.breaker import IN_A_ROW, UNHEARD_OF
from newsletter.delivery.outcome import MAX_ATTEMPTS
from newsletter.delivery.run import CLAIM
from newsletter.delivery.steps import CanaryRule
from newsletter.model import DeliveryState, SendState, TurnKind
from tests.publication import publication

TEXT = (Path(__file__).resolve().parent.parent / "docs/sending.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_every_command_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = publication(tmp_path)
    made.people(2)
    made.run("send", "latest", "--yes")
    for block in blocks("sh"):
        for command in block.strip().splitlines():
            words = shlex.split(command)
            assert words[0] == "newsletter"
            made.run(*words[1:])
    assert "newsletter tick" in TEXT
    made.run("tick")


def test_every_table_of_the_configuration_is_one(tmp_path: Path) -> None:
    for block in blocks("toml"):
        made = publication(tmp_path)
        text = (made.root / "newsletter.toml").read_text("utf-8")
        if "relay.main" in block:
            text = re.sub(r"\[relay\.main\].*?(?=\[database\])", "", text, flags=re.DOTALL)
        made.write("newsletter.toml", f"{text}\n{block}")
        tomllib.loads(f"{text}\n{block}")
        load_config(made.root)


def test_every_state_is_explained() -> None:
    text = TEXT[TEXT.index("## The states of a send") :]
    explained = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert explained == {state.value for state in (*SendState, *DeliveryState)}


def test_every_event_is_explained() -> None:
    text = TEXT[TEXT.index("| event | when |") : TEXT.index("## Afterwards")]
    explained = {name for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
                 for name in re.findall(r"`([\w-]+)`", row)}  # fmt: skip
    told = {EVENT_NAMES.get(kind, kind.value.replace(" ", "-")) for kind in TurnKind}
    assert explained == told | {"started", "progress", "replies", "done"}


def test_the_numbers_are_those_of_the_program() -> None:
    assert (CanaryRule().watch.total_seconds(), CanaryRule().most_failed) == (600, 0.05)
    assert (IN_A_ROW, UNHEARD_OF, MAX_ATTEMPTS, CLAIM) == (3, 10, 5, 100)
