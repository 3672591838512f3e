"""preview: the desk on this machine."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from newsletter.cli.boundary import Desk, answer, json_option
from newsletter.cli.studio import studio_of
from newsletter.errors import UsageError
from newsletter.preview.app import desk_app
from newsletter.preview.camera import find_chromium
from newsletter.preview.once import Order, pictures_of, take_pictures, write_views
from newsletter.preview.serve import address_of, listen, open_in_browser, serve
from newsletter.smtp.chaos import parse_chaos


@click.command("preview")
@click.argument("name", metavar="[ISSUE]", required=False)
@click.option("--port", type=click.IntRange(1, 65535), help="Port (default: 8025, or a free one).")
@click.option("--open/--no-open", "show", default=True, help="Open the browser.")
@click.option("--once", is_flag=True, help="Write the views as files into --out, and end.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder for --once, new or written by it before.",
)
@click.option("--screenshots", is_flag=True, help="With --once: PNGs too, taken by Chromium.")
@click.option("--chaos", "rule", metavar="RULE", help="Misbehave as a relay: see below.")
@json_option
@click.pass_obj
def preview_command(
    desk: Desk,
    name: str | None,
    port: int | None,
    show: bool,
    once: bool,
    out: Path | None,
    screenshots: bool,
    rule: str | None,
    as_json: bool,
) -> None:
    """Serve one page with every issue as it will arrive, and the inbox on this machine.

    Bound to 127.0.0.1. A saved article, template or configuration shows at once. Ctrl-C stops.

    With --once --out DIR, the same views are written as files that open without a server, for a
    pull request: of ISSUE, or of all.

    With --chaos, what another terminal sends to the relay "inbox" meets a bad day, the same one
    every time. RULE is a share of trouble: 0.05 defers 5 % of the mails, and of another 1 % each it
    refuses the recipient, or drops the line after the final dot. Or its parts, with a seed for
    other dice: defer=0.05,reject=0.01,drop=0.01,slow=0.1,wait=2,seed=7. Recipients can ask for a
    fault by name, whatever the share (0 for these alone): defer@, reject@, drop@, slow@; in detail
    reject+550-5.1.1@, defer+421-4.7.0@, defer+once@, drop+rcpt@, reject+dot@, slow+3s@.
    """
    if once or out or screenshots:
        if not once or out is None:
            raise UsageError("--once, --out DIR and --screenshots go together")
        write_once(desk, Order((name,) if name else (), out, screenshots), as_json=as_json)
        return
    letter, listener = desk.letter, listen(port)
    url = address_of(listener)
    first = f"{url}/preview/{desk.shelf().find(name).slug}" if name else f"{url}/"
    facts = {"command": "preview", "preview": first, "inbox": f"{url}/inbox"}
    text = f"preview   {first}\ninbox     {url}/inbox\n{_remark(rule)}Ctrl-C stops."

    def when_up() -> None:
        answer(facts, as_json=as_json, text=text)
        if show:
            open_in_browser(first)

    watched = (letter.issues, letter.templates, desk.config.path, desk.state / "inbox")
    with misbehaving(desk.state / "inbox", rule):
        serve(desk_app(studio_of(desk), watched), listener, when_up)


def write_once(desk: Desk, order: Order, *, as_json: bool) -> None:
    """Write the views as files, and answer with what was written. Raises the first error that kept
    an issue from being composed when everything else is there."""
    # The browser is looked for first: nobody wants to wait for files to hear that it lacks.
    program = find_chromium() if order.pictured else ""
    leaves = write_views(studio_of(desk), order)
    taken = take_pictures(program, pictures_of(leaves), order.out) if program else 0
    first = (order.out / "index.html").resolve()
    facts = {
        "command": "preview",
        "index": str(first),
        "screenshots": taken,
        "issues": [{"slug": leaf.folder, "bytes": leaf.size, **leaf.counts} for leaf in leaves],
    }
    count = "1 issue" if len(leaves) == 1 else f"{len(leaves)} issues"
    shots = f", {taken} screenshots" if taken else ""
    answer(facts, as_json=as_json, text=f"wrote     {count}{shots}\nopen      {first}")
    unread = () if order.names else desk.shelf().archive.errors
    for error in (*unread, *(leaf.error for leaf in leaves if leaf.error)):
        raise error


def _remark(rule: str | None) -> str:
    return f"chaos     {rule}: send from another terminal to meet it\n" if rule else ""


def misbehaving(inbox: Path, rule: str | None) -> AbstractContextManager[object]:
    """While it lasts, mail to the inbox meets what the rule says. Raises UsageError."""
    if rule is None:
        return nullcontext()
    from newsletter.smtp.inbox import unruly_inbox  # noqa: PLC0415 - aiosmtpd only where it serves

    return unruly_inbox(inbox, parse_chaos(rule))
