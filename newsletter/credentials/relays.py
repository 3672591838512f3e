"""A [relay.NAME] table and the environment -> one Relay with its secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.config import Config, RelayTable, mailbox
from newsletter.credentials.signing import signing_keys
from newsletter.credentials.sources import Source
from newsletter.errors import ConfigError
from newsletter.model import Letter, Limits, Relay, Tls
from newsletter.presets import PRESETS

EXAMPLE = re.compile(r"(?:^|\.)(?:example(?:\.com|\.net|\.org)?|invalid|test)$")
INBOX = RelayTable()
FOLDERS = {"inbox": "inbox", "maildir": "maildir"}


def relay_names(config: Config) -> tuple[str, ...]:
    """The relays of the configuration; `inbox` alone when it names none."""
    return tuple(config.tables.relay) or ("inbox",)


def default_relay(config: Config, tag: str | None = None) -> str:
    """Of the relays that take the letter's mail, those for sends to that tag, else those for no
    tag in particular; of these the ones that name its From most closely; of these `main` when it
    is among them, else the first."""
    author = mailbox(config.tables.sender.from_).address
    tables = {name: config.tables.relay.get(name, INBOX) for name in relay_names(config)}
    near = {name: near for name in tables if (near := tables[name].nearness(author)) is not None}
    for_tag = [name for name in near if tag in tables[name].tags]
    names = for_tag or [name for name in near if not tables[name].tags] or list(near)
    most = max(near[name] for name in names)
    nearest = [name for name in names if near[name] == most]
    return "main" if "main" in nearest else nearest[0]


def refuse_author(config: Config, name: str, author: str) -> None:
    """Raise ConfigError when that relay is for mail from others only."""
    if config.tables.relay.get(name, INBOX).nearness(author) is None:
        others = ", ".join(config.tables.relay[name].from_)
        raise ConfigError(
            f"relay {name} takes mail from {others} only, and this is from {author}",
            hint=f"name another relay (--relay), or add it to `from` in [relay.{name}]",
            path=config.path.name,
        )


def load_relay_for(
    config: Config, environ: Mapping[str, str], *, name: str | None, tag: str | None
) -> Relay:
    """The relay that somebody named, alone; else the one for sends to that tag. Raises
    ConfigError as `load_relay`."""
    relay = load_relay(config, name or default_relay(config, tag), environ)
    return replace(relay, weight=None) if name else relay


def load_pool(
    config: Config, relay: Relay, environ: Mapping[str, str], author: str | None = None
) -> tuple[Relay, ...]:
    """The relay and those that go together with it: they have a weight too, the same tags, and
    name the From (`author`, or the letter's) as closely. Raises ConfigError as `load_relay`, and
    when the relay does not take mail from there."""
    tables = config.tables.relay
    author = author or mailbox(config.tables.sender.from_).address
    refuse_author(config, relay.name, author)
    if relay.weight is None or relay.name not in tables:
        return (relay,)
    tags, near = set(tables[relay.name].tags), tables[relay.name].nearness(author)
    others = (
        name
        for name, table in tables.items()
        if name != relay.name and table.weight is not None
        if set(table.tags) == tags and table.nearness(author) == near
    )
    return (relay, *(load_relay(config, name, environ) for name in others))


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
        dkim=signing_keys(config, environ) if table.dkim else (),
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
    folder = table.folder or FOLDERS.get(preset.kind, "outbox")
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
        weight=table.weight,
        depth=table.depth,
        reports=table.reports,
        headers=(*preset.headers, *table.headers.items()),
        replaces=preset.replaces,
        once=preset.once,
        once_for_h=preset.once_for_h,
        program=table.program,
        limits=_limits(table.limits(), preset.limits),
        domains={name.lower(): each.limits() for name, each in table.domains.items()},
    )


def _limits(ours: Limits, published: Limits) -> Limits:
    """Ours where we set one, else what the relay publishes."""
    asked = {each.name: getattr(ours, each.name) for each in fields(Limits)}
    return replace(published, **{name: cap for name, cap in asked.items() if cap is not None})


def example_left(letter: Letter, relay: Relay) -> str:
    """What is still an example in a letter whose relay reaches people; "" when nothing is, or
    when the relay is on this machine. Readers must not get links to a place that cannot exist
    (RFC 2606)."""
    if not relay.reaches_people:
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
    source = Source(owner=f"the relay `{relay}`", what="the username", variable=table.username_env)
    return source.read(environ) or table.username


def _password(table: RelayTable, relay: str, root: Path, environ: Mapping[str, str]) -> str | None:
    path = table.password_file
    source = Source(
        owner=f"the relay `{relay}`",
        what="the password",
        variable=table.password_env,
        path=root / Path(path).expanduser() if path is not None else None,
        command=table.password_command,
    )
    return source.read(environ)
