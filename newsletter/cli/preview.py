"""preview: the desk on this machine."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from newsletter.cli.boundary import Desk, answer, json_option
from newsletter.cli.studio import studio_of
from newsletter.preview.app import desk_app
from newsletter.preview.serve import address_of, listen, open_in_browser, serve
from newsletter.smtp.chaos import parse_chaos


@click.command("preview")
@click.argument("name", metavar="[ISSUE]", required=False)
@click.option("--port", type=click.IntRange(1, 65535), help="Port (default: 8025, or a free one).")
@click.option("--open/--no-open", "show", default=True, help="Open the browser.")
@click.option("--chaos", "rule", metavar="RULE", help="Misbehave as a relay: see below.")
@json_option
@click.pass_obj
def preview_command(
    desk: Desk, name: str | None, port: int | None, show: bool, rule: str | None, as_json: bool
) -> None:
    """Serve one page with every issue as it will arrive, and the inbox on this machine.

    Bound to 127.0.0.1. A saved article, template or configuration shows at once. Ctrl-C stops.

    With --chaos, what another terminal sends to the relay "inbox" meets a bad day, the same one
    every time. RULE is a share of trouble: 0.05 defers 5 % of the mails, and of another 1 % each it
    refuses the recipient, or drops the line after the final dot. Or its parts, with a seed for
    other dice: defer=0.05,reject=0.01,drop=0.01,slow=0.1,wait=2,seed=7. Recipients can ask for a
    fault by name, whatever the share (0 for these alone): defer@, reject@, drop@, slow@; in detail
    reject+550-5.1.1@, defer+421-4.7.0@, defer+once@, drop+rcpt@, reject+dot@, slow+3s@.
    """
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


def _remark(rule: str | None) -> str:
    return f"chaos     {rule}: send from another terminal to meet it\n" if rule else ""


def misbehaving(inbox: Path, rule: str | None) -> AbstractContextManager[object]:
    """While it lasts, mail to the inbox meets what the rule says. Raises UsageError."""
    if rule is None:
        return nullcontext()
    from newsletter.smtp.inbox import unruly_inbox  # noqa: PLC0415 - aiosmtpd only where it serves

    return unruly_inbox(inbox, parse_chaos(rule))
