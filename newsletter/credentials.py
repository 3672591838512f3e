"""A [relay.NAME] table and the environment -> one Relay with its secret.

Secrets come from the environment, a command or a file, never from the configuration
(deliverability 7.32). They are read here, at the moment a connection is wanted.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.config import Config, RelayTable
from newsletter.errors import ConfigError
from newsletter.model import Letter, Relay, Tls
from newsletter.presets import PRESETS

COMMAND_TIMEOUT_S = 30
EXAMPLE = re.compile(r"(?:^|\.)(?:example(?:\.com|\.net|\.org)?|invalid|test)$")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
INBOX = RelayTable()


def relay_names(config: Config) -> tuple[str, ...]:
    """The relays of the configuration; `inbox` alone when it names none."""
    return tuple(config.tables.relay) or ("inbox",)


def default_relay(config: Config) -> str:
    """`main` when there is one, else the first."""
    names = relay_names(config)
    return "main" if "main" in names else names[0]


def load_relay(config: Config, name: str | None, environ: Mapping[str, str]) -> Relay:
    """The relay of that name (None: the default one) with its password.

    Raises ConfigError for an unknown relay or a secret that cannot be had.
    """
    relay = named_relay(config, name)
    table = config.tables.relay.get(relay.name, INBOX)
    return replace(
        relay,
        username=_username(table, relay.name, environ) or relay.username,
        password=_password(table, relay.name, config.root, environ),
    )


def named_relay(config: Config, name: str | None) -> Relay:
    """The relay of that name (None: the default one), with no secret read. Raises ConfigError."""
    name = name or default_relay(config)
    table = config.tables.relay.get(name, INBOX if name == "inbox" else None)
    if table is None:
        known = ", ".join(relay_names(config))
        raise ConfigError(
            f"no relay is called `{name}`", hint=f"relays: {known}", path=config.path.name
        )
    preset = PRESETS[table.preset]
    folder = table.folder or ("inbox" if preset.kind == "inbox" else "outbox")
    return Relay(
        name=name,
        kind=preset.kind,
        host=table.host or preset.host_in(table.region or ""),
        port=table.port or preset.port,
        tls=Tls(table.tls) if table.tls else preset.tls,
        username=preset.username,
        folder=config.root / folder if table.folder else config.state_folder / folder,
        timeout_s=table.timeout_s,
        mails_per_connection=table.mails_per_connection or preset.mails_per_connection,
        connections=table.connections or preset.connections,
        depth=table.depth,
        limits=table.limits(),
        domains={name.lower(): each.limits() for name, each in table.domains.items()},
    )


def example_left(letter: Letter, relay: Relay) -> str:
    """What is still an example in a letter whose relay reaches people; "" when nothing is, or
    when the relay is on this machine. Readers must not get links to a place that cannot exist
    (RFC 2606)."""
    if relay.kind != "smtp" or relay.host in LOOPBACK:
        return ""
    host = urlsplit(letter.base_url).hostname or ""
    if EXAMPLE.search(host):
        return f"base_url is still an example: {letter.base_url}"
    if EXAMPLE.search(letter.sender.domain):
        return f"`from` is still an example: {letter.sender.address}"
    if "Example Road" in letter.postal_address:
        return f"postal_address is still an example: {letter.postal_address}"
    return ""


def _username(table: RelayTable, relay: str, environ: Mapping[str, str]) -> str | None:
    if table.username_env is None:
        return table.username
    return _from_environ(table.username_env, relay, environ)


def _password(table: RelayTable, relay: str, root: Path, environ: Mapping[str, str]) -> str | None:
    if table.password_env is not None:
        return _from_environ(table.password_env, relay, environ)
    if table.password_file is not None:
        return _from_file(root / Path(table.password_file).expanduser(), relay)
    if table.password_command is not None:
        return _from_command(table.password_command, relay)
    return None


def _from_environ(name: str, relay: str, environ: Mapping[str, str]) -> str:
    try:
        return environ[name]
    except KeyError:
        raise ConfigError(
            f"the relay `{relay}` wants the environment variable {name}, which is not set",
            hint=f"export {name}=...",
            code="config.secret",
        ) from None


def _from_file(path: Path, relay: str) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the relay `{relay}` wants the password in {path}: {error}", code="config.secret"
        ) from error


def _from_command(command: str, relay: str) -> str:
    try:
        done = subprocess.run(
            shlex.split(command),
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise ConfigError(
            f"the password command of the relay `{relay}` failed ({type(error).__name__})",
            hint=f"try it: {command}",
            code="config.secret",
        ) from error
    return done.stdout.strip()
