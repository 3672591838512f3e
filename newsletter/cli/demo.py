"""demo: the whole main job on this machine; nothing leaves it."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import click

from newsletter.cli.boundary import Desk, answer, json_option, note
from newsletter.cli.delivering import Delivering
from newsletter.composed import Composed, ready
from newsletter.defaults import default_folder
from newsletter.delivery.origin import origin_of
from newsletter.delivery.publish import Publication, publish
from newsletter.errors import ConfigError
from newsletter.model import Article, DeliveryState, NewSubscriber, Relay
from newsletter.sample import people, sample_config
from newsletter.store import Audience


@click.command("demo")
@click.option("--port", type=click.IntRange(1, 65535), help="Port (default: 8025, or a free one).")
@click.option("--recipients", type=click.IntRange(1, 5000), default=50, show_default=True)
@click.option("--open/--no-open", "show", default=True, help="Open the browser.")
@click.option("--once", is_flag=True, help="End after the send, with a summary.")
@json_option
@click.pass_obj
def demo_command(
    desk: Desk, port: int | None, recipients: int, show: bool, once: bool, as_json: bool
) -> None:
    """Compose, preview and send a sample letter on this machine. Nothing leaves it.

    Uses the publication you are in, or the sample one, and an audience of invented people; sends
    through a real SMTP conversation to an inbox in .newsletter/demo/ and shows it in the browser.
    """
    stage = _stage(desk)
    shelf = stage.shelf()
    article = shelf.find("latest")
    composed = shelf.compose(article)
    if not as_json:
        note(f"compose   {article.path}   {_words(article)} words, {_size(composed)} of HTML")
    facts = _send(stage, composed, recipients, as_json=as_json)
    if once:
        answer(
            facts,
            as_json=as_json,
            text=f"inbox     {stage.state / 'inbox'}   {facts['sent']} mails",
        )
        return
    _serve(stage, article, facts, (port, show, as_json))


def command() -> str:
    """How this program was started: `newsletter`, or from a bare checkout `python3 send.py`."""
    return "python3 send.py" if Path(sys.argv[0]).name == "send.py" else "newsletter"


def _stage(desk: Desk) -> Desk:
    """A desk of the demo's own, below .newsletter/demo, made anew."""
    try:
        config = desk.config
    except ConfigError as error:
        if error.code != "config.none":
            raise
        config = sample_config(default_folder("issues"))
        state = desk.folder.resolve() / ".newsletter" / "demo"
    else:
        state = config.state_folder / "demo"
    state.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.rmtree(state, ignore_errors=True)
    return Desk(folder=desk.folder, environ=desk.environ, state_folder=state, given=config)


def _words(article: Article) -> int:
    return len(article.body.split())


def _size(composed: Composed) -> str:
    return f"{len(composed.email.html.encode()) / 1024:.0f} KB"


def _send(stage: Desk, composed: Composed, recipients: int, *, as_json: bool) -> dict[str, object]:
    relay = _inbox(stage)
    started = time.monotonic()
    with stage.open_store() as store:
        for address, name in people(recipients):
            person = NewSubscriber(address=address, name=name, consent_source="invented")
            store.add(person, stage.now())
        publication = Publication(
            email=ready(composed),
            origin=origin_of(stage.config.root),
            letterhead=stage.letter.letterhead,
            relay=relay.name,
            audience=Audience(local=relay.local),
        )
        send = publish(store, publication, stage.now())
        Delivering(stage, store, as_json=False).deliver(send, relay)
        progress = store.progress(send.id)
    seconds = time.monotonic() - started
    if not as_json:
        note(
            f"send      {recipients} people -> SMTP on 127.0.0.1 (this machine only)   "
            f"{progress[DeliveryState.ACCEPTED]} sent, {progress[DeliveryState.FAILED]} failed, "
            f"{seconds:.1f} s"
        )
    return {
        "command": "demo",
        "issue": send.slug,
        "sent": progress[DeliveryState.ACCEPTED],
        **{state.value: progress[state] for state in DeliveryState},
        "inbox_folder": str(stage.state / "inbox"),
    }


def _inbox(stage: Desk) -> Relay:
    return Relay(name="inbox", kind="inbox", folder=stage.state / "inbox")


def _serve(
    stage: Desk, article: Article, facts: dict[str, object], wish: tuple[int | None, bool, bool]
) -> None:
    from newsletter.cli.studio import studio_of  # noqa: PLC0415
    from newsletter.preview.app import desk_app  # noqa: PLC0415
    from newsletter.preview.serve import address_of, listen, open_in_browser, serve  # noqa: PLC0415

    port, show, as_json = wish
    listener = listen(port)
    url = address_of(listener)
    preview, inbox = f"{url}/preview/{article.slug}", f"{url}/inbox"

    def when_up() -> None:
        text = (
            f"preview   {preview}\ninbox     {inbox}   {facts['sent']} mails\n"
            f"Nothing left this machine. Ctrl-C stops.   Your own: {command()} init ~/my-letter"
        )
        answer({**facts, "preview": preview, "inbox": inbox}, as_json=as_json, text=text)
        if show:
            open_in_browser(inbox)

    watched = (stage.letter.issues, stage.letter.templates, stage.state / "inbox")
    serve(desk_app(studio_of(stage, _inbox), watched), listener, when_up)
