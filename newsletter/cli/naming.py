"""How an issue, its sends and a relay are named on the command line."""

from __future__ import annotations

import click

from newsletter.cli.boundary import Desk
from newsletter.errors import SendRefused
from newsletter.model import Send
from newsletter.store import Store

issue_argument = click.argument("name", metavar="ISSUE")
relay_option = click.option("--relay", "relay_name", metavar="NAME", help="Another relay.")


def slug_in(desk: Desk, store: Store, name: str) -> str:
    """The slug that `name` means: one that the ledger knows as it stands, else an article's."""
    if store.entries(name):
        return name
    return desk.shelf().find(name).slug


def latest_send(store: Store, slug: str) -> Send:
    """The newest send of the issue. Raises SendRefused when there is none."""
    sends = store.sends(slug)
    if not sends:
        raise SendRefused(f"{slug} was never sent", hint=f"newsletter send {slug}")
    return sends[-1]


def unfinished(store: Store, slug: str, verb: str = "resume") -> Send:
    """The send of the issue that has work left. Raises SendRefused when there is none to `verb`."""
    for send in store.sends(slug):
        if not send.state.over:
            return send
    raise SendRefused(
        f'nothing to {verb}: no unfinished send of "{slug}"',
        hint=f"newsletter status {slug}",
        code="send.nothing",
    )
