"""docs/checking.md is true: its list is that of today, its commands and keys work."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from docs.make_checking_page import PAGE, page
from newsletter.config.tables import CheckTable
from newsletter.lint.policy import misspelt
from tests.linted import GOOD
from tests.publication import publication

TEXT = PAGE.read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]
ADA = "subscribers add ada@example.com --name Ada"


def test_the_list_is_that_of_today() -> None:
    assert page(TEXT) == TEXT, "make it anew: .venv/bin/python docs/make_checking_page.py"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_works(tmp_path: Path, command: str) -> None:
    letter = publication(tmp_path)
    letter.run(*ADA.split())
    mail = tmp_path / "mail.eml"
    mail.write_bytes(GOOD.content)
    words = shlex.split(command.partition(" >")[0].replace("mail.eml", str(mail)))
    assert words.pop(0) == "newsletter"
    result = letter.run(*words, code=None)
    assert result.exit_code == (3 if "--strict" in words else 0), result.output


@pytest.mark.parametrize("block", blocks("toml"))
def test_every_key_is_one(block: str) -> None:
    table = CheckTable.model_validate(tomllib.loads(block)["check"])
    assert misspelt([*table.ignore, *table.severity]) == {}


def test_every_code_in_the_words_is_one() -> None:
    [ignored] = re.findall(r"^ignore: \[(.*)\]$", TEXT, re.MULTILINE)
    assert misspelt(ignored.split(", ")) == {}


def test_the_workflow_runs_commands_that_there_are(tmp_path: Path) -> None:
    runs = re.findall(r"- run: newsletter (.*)", TEXT)
    assert runs
    letter = publication(tmp_path)
    for run in runs:
        letter.run(*shlex.split(run), "--list")
