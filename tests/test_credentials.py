"""Relays with their secrets: from the environment, a command or a file, never from the config."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.credentials import default_relay, load_relay
from newsletter.errors import ConfigError
from newsletter.model import Tls
from newsletter.sample import sample_toml

BASE = sample_toml("Field Notes", "https://letters.example.org", "Ana <ana@letters.example.org>")


def config(folder: Path, relays: str) -> Config:
    text = BASE.replace('[relay.main]\npreset = "inbox"\n', relays)
    (folder / "newsletter.toml").write_text(text, "utf-8")
    return load_config(folder)


def test_a_fresh_publication_sends_to_the_inbox_on_this_machine(tmp_path: Path) -> None:
    relay = load_relay(config(tmp_path, ""), None, {})
    assert (relay.kind, relay.folder) == ("inbox", tmp_path / ".newsletter" / "inbox")


def test_the_relay_called_main_is_the_default(tmp_path: Path) -> None:
    text = '[relay.other]\npreset = "file"\n[relay.main]\npreset = "inbox"\n'
    assert default_relay(config(tmp_path, text)) == "main"


def test_a_preset_knows_its_port_and_mode(tmp_path: Path) -> None:
    text = '[relay.main]\npreset = "ses"\nregion = "eu-west-1"\n'
    text += 'username_env = "U"\npassword_env = "P"\n'
    relay = load_relay(config(tmp_path, text), None, {"U": "user", "P": "secret"})
    assert (relay.host, relay.port) == ("email-smtp.eu-west-1.amazonaws.com", 465)
    assert relay.tls is Tls.IMPLICIT
    assert (relay.username, relay.password) == ("user", "secret")


def test_attack_36_a_password_never_shows_in_repr(tmp_path: Path) -> None:
    text = '[relay.main]\npreset = "smtp"\nhost = "mx.example.org"\n'
    text += 'username = "u"\npassword_env = "P"\n'
    assert "hunter2" not in repr(load_relay(config(tmp_path, text), None, {"P": "hunter2"}))


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    text = '[relay.main]\npreset = "smtp"\nhost = "mx.example.org"\npassword_env = "NOT_SET"\n'
    with pytest.raises(ConfigError, match="NOT_SET"):
        load_relay(config(tmp_path, text), None, {})


def test_a_password_comes_from_a_file_or_a_command(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    table = '[relay.main]\npreset = "smtp"\nhost = "mx.example.org"\n'
    relay = load_relay(config(tmp_path, table + 'password_file = "secret"\n'), None, {})
    assert relay.password == "from a file"
    command = f"password_command = \"{sys.executable} -c 'print(12345)'\"\n"
    assert load_relay(config(tmp_path, table + command), None, {}).password == "12345"


def test_a_failing_password_command_does_not_repeat_its_output(tmp_path: Path) -> None:
    table = '[relay.main]\npreset = "smtp"\nhost = "mx.example.org"\n'
    command = f"password_command = \"{sys.executable} -c 'raise SystemExit(3)'\"\n"
    with pytest.raises(ConfigError, match="command for the password"):
        load_relay(config(tmp_path, table + command), None, {})


def test_an_unknown_relay_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="relays: main"):
        load_relay(config(tmp_path, '[relay.main]\npreset = "inbox"\n'), "mian", {})
