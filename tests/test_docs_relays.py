"""docs/relays.md is true: its commands work, its tables are configuration, its presets current."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from docs.make_relays_page import PAGE, page
from newsletter.config import load_config
from newsletter.config.tables import RelayTable
from newsletter.credentials import load_pool, load_relay_for, named_relay
from newsletter.presets import PRESETS
from tests.publication import Publication, publication

TEXT = PAGE.read_text("utf-8")
SECRETS = dict.fromkeys(re.findall(r'_env = "(\w+)"', TEXT), "x")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def configured(folder: Path, block: str) -> Publication:
    """A publication with this block in its configuration, in place of what it replaces."""
    made = publication(folder, months=1)
    text = (made.root / "newsletter.toml").read_text("utf-8")
    if "[relay.main]" in block:
        text = re.sub(r"\[relay\.main\].*?(?=\[database\])", "", text, flags=re.DOTALL)
    if block.startswith("[sender]"):
        text = text.replace("[sender]\n", block, 1)
        block = ""
    made.write("newsletter.toml", f"{text}\n{block}")
    return made


def test_the_table_is_that_of_the_program() -> None:
    assert page(TEXT) == TEXT, "make it anew: .venv/bin/python docs/make_relays_page.py"
    for name in PRESETS:
        assert f"| `{name}` |" in TEXT


@pytest.mark.parametrize("block", blocks("toml"))
def test_every_table_of_the_configuration_is_one(tmp_path: Path, block: str) -> None:
    load_config(configured(tmp_path, block).root)


def test_every_command_works(tmp_path: Path) -> None:
    (keys,) = (block for block in blocks("toml") if block.startswith("[dkim]"))
    made = publication(tmp_path, months=1)
    commands = [line for block in blocks("sh") for line in block.strip().splitlines()]
    for command in commands:
        words = shlex.split(command)
        assert words[0] == "newsletter"
        if words[1:3] == ["dkim", "show"]:
            configured(tmp_path, keys)
        made.run(*words[1:])
    shown = made.ask("dkim", "show")["keys"]
    assert [one["name"].partition(".")[0] for one in shown] == ["n1", "n1e"]
    found = [one["what"] for one in made.ask("doctor", code=None)["findings"] if one["ok"]]
    assert any("signed as n1e." in what for what in found)


def test_the_relays_that_go_together_are_those_it_says(tmp_path: Path) -> None:
    (block,) = (block for block in blocks("toml") if "weight = 3" in block)
    config = load_config(configured(tmp_path, block).root)

    def go(name: str | None, tag: str | None) -> list[str]:
        relay = load_relay_for(config, SECRETS, name=name, tag=tag)
        return [each.name for each in load_pool(config, relay, SECRETS)]

    assert go(None, None) == ["main", "second", "spare"]
    assert go("spare", None) == ["spare"]
    assert go(None, "member") == ["members"]


def test_the_keys_it_names_are_keys() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (`[a-z`, ]+`) \|", TEXT, re.MULTILINE)
    assert {name for name, _ in rows} == {"inbox", "file", "maildir", "sendmail", "lmtp"}
    named = {key for _, keys in rows for key in re.findall(r"[a-z]+", keys)}
    assert named <= set(RelayTable.model_fields)


def test_bounces_come_back_where_it_says(tmp_path: Path) -> None:
    (block,) = (block for block in blocks("toml") if "bounce_domain" in block)
    made = configured(tmp_path, block)
    assert load_config(made.root).letter().bounce_domain == "bounce.letters.example.org"
    said = made.run("doctor", code=None).output
    assert "bounces come back to bounce.letters.example.org" in said


def test_ses_is_what_it_shows(tmp_path: Path) -> None:
    (block,) = (block for block in blocks("toml") if "X-SES-CONFIGURATION-SET" in block)
    relay = named_relay(load_config(configured(tmp_path, block).root), None)
    assert relay.headers[-1] == ("X-SES-CONFIGURATION-SET", "letters")
    assert relay.host == "email-smtp.eu-west-1.amazonaws.com"
