"""preview: the desk on this machine."""

from __future__ import annotations

import click

from newsletter.cli.boundary import Desk, answer, json_option
from newsletter.config import load_config
from newsletter.model import Letter
from newsletter.preview.app import desk_app
from newsletter.preview.serve import address_of, listen, open_in_browser, serve
from newsletter.preview.studio import Studio


def studio_of(desk: Desk) -> Studio:
    """The desk's studio; the configuration is read afresh for every page."""

    def load() -> Letter:
        return load_config(desk.folder).letter()

    return Studio(load=load, inbox=desk.state / "inbox", now=desk.now)


@click.command("preview")
@click.argument("name", metavar="[ISSUE]", required=False)
@click.option("--port", type=click.IntRange(1, 65535), help="Port (default: 8025, or a free one).")
@click.option("--open/--no-open", "show", default=True, help="Open the browser.")
@json_option
@click.pass_obj
def preview_command(
    desk: Desk, name: str | None, port: int | None, show: bool, as_json: bool
) -> None:
    """Serve one page with every issue as it will arrive, and the inbox on this machine.

    Bound to 127.0.0.1. A saved article, template or configuration shows at once. Ctrl-C stops.
    """
    letter, listener = desk.letter, listen(port)
    url = address_of(listener)
    first = f"{url}/preview/{desk.shelf().find(name).slug}" if name else f"{url}/"
    facts = {"command": "preview", "preview": first, "inbox": f"{url}/inbox"}
    text = f"preview   {first}\ninbox     {url}/inbox\nCtrl-C stops."

    def when_up() -> None:
        answer(facts, as_json=as_json, text=text)
        if show:
            open_in_browser(first)

    watched = (letter.issues, letter.templates, desk.config.path, desk.state / "inbox")
    serve(desk_app(studio_of(desk), watched), listener, when_up)
