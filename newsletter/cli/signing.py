"""dkim: key pairs for signing mail, and what the DNS is to say of them."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path

import click

from newsletter.cli.boundary import Desk, answer, json_option
from newsletter.config.signing import SELECTOR
from newsletter.credentials import signing_domain, signing_keys
from newsletter.errors import ConfigError, UsageError
from newsletter.mime.dkim_keys import dns_name, dns_record, make_key, strings
from newsletter.model import DkimKey

SIGNED_BY_THE_RELAY = (
    "Most relays sign by themselves and say in their own pages what to publish; a key of yours is "
    "for relays that do not: your own mail server, sendmail."
)


@click.group("dkim")
def dkim_command() -> None:
    """Make the key that mail is signed with, and say what to publish in the DNS."""


@dkim_command.command("keygen")
@click.option("--selector", metavar="NAME", help="The key's name in the DNS (default: by month).")
@click.option("--ed25519", is_flag=True, help="A second, shorter key; not every reader knows it.")
@json_option
@click.pass_obj
def keygen(desk: Desk, selector: str | None, ed25519: bool, as_json: bool) -> None:
    """Write a new private key, for its owner only, and print its DNS record and the next step."""
    selector = _selector(selector, desk.now(), ed25519=ed25519)
    path = desk.config.state_folder / "dkim" / f"{selector}.pem"
    key = DkimKey(
        domain=signing_domain(desk.config), selector=selector, pem=make_key(ed25519=ed25519)
    )
    _write(path, key.pem)
    prefix = "ed25519_" if ed25519 else ""
    tables = "\n".join(
        [
            f"[{'tool.newsletter.' if desk.config.path.name == 'pyproject.toml' else ''}dkim]",
            f'{prefix}selector = "{selector}"',
            f'{prefix}key_file = "{path.relative_to(desk.config.root)}"',
        ]
    )
    facts = {"command": "dkim keygen", "key_file": str(path), **_facts(key)}
    text = (
        f"wrote {path}, readable by you only\n\n"
        f"1. Publish this in the DNS of {key.domain}:\n\n{zone_line(key)}\n\n"
        f"2. When it is there, put this into {desk.config.path.name}:\n\n{tables}\n\n"
        f"3. newsletter doctor\n\n{SIGNED_BY_THE_RELAY}"
    )
    answer(facts, as_json=as_json, text=text)


@dkim_command.command("show")
@json_option
@click.pass_obj
def show(desk: Desk, as_json: bool) -> None:
    """Print the DNS record of each key in the configuration."""
    keys = signing_keys(desk.config, desk.environ)
    text = (
        "\n\n".join(zone_line(key) for key in keys) or "nothing is signed: newsletter dkim keygen"
    )
    facts = {"command": "dkim show", "keys": [_facts(key) for key in keys]}
    answer(facts, as_json=as_json, text=text)


def zone_line(key: DkimKey) -> str:
    """The record as a line of a zone file (RFC 1035 5.1)."""
    pieces = " ".join(f'"{piece}"' for piece in strings(dns_record(key)))
    return f"{dns_name(key)}. IN TXT ( {pieces} )"


def _facts(key: DkimKey) -> dict[str, object]:
    record = dns_record(key)
    return {"name": dns_name(key), "record": record, "strings": list(strings(record))}


def _selector(wanted: str | None, now: datetime, *, ed25519: bool) -> str:
    """The selector, by default one that says when the key was made. Raises UsageError."""
    selector = wanted or f"n{now:%Y%m}{'e' if ed25519 else ''}"
    if len(selector) > 63 or re.fullmatch(SELECTOR, selector) is None:
        raise UsageError(f"{selector!r} is no selector", hint="letters, digits and hyphens")
    return selector


def _write(path: Path, pem: str) -> None:
    """The key as a new file of mode 0600. Raises ConfigError when there is one already: it may be
    in use."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise ConfigError(
            "there is a key of that selector already",
            path=path,
            hint="choose another: newsletter dkim keygen --selector NAME",
        ) from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(pem)
