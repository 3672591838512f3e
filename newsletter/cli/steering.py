"""resume, pause, cancel, retry: what becomes of a send that was started."""

from __future__ import annotations

from dataclasses import dataclass

import click

from newsletter.cli.boundary import Desk, answer, interactive, json_option, note
from newsletter.cli.delivering import Delivering
from newsletter.cli.dry_run import people, written_out
from newsletter.cli.naming import issue_argument, latest_send, relay_option, slug_in, unfinished
from newsletter.credentials import load_pool, load_relay, load_relay_for
from newsletter.delivery.again import remembered
from newsletter.delivery.steps import settle_the_dead, start, went_badly
from newsletter.errors import NewsletterError, SendRefused, UsageError
from newsletter.model import DeliveryState, Relay, Send, SendState
from newsletter.store import Store

UNKNOWN_HELP = "What to do about mails in doubt: leave them, send them again, or name them."


@click.command("resume")
@issue_argument
@click.option(
    "--unknown", type=click.Choice(["skip", "retry", "list"]), default=None, help=UNKNOWN_HELP
)
@relay_option
@json_option
@click.pass_obj
def resume_command(
    desk: Desk, name: str, unknown: str | None, relay_name: str | None, as_json: bool
) -> None:
    """Go on with a send of ISSUE that was interrupted. Nobody gets it twice.

    What is sent is the issue as it was frozen, whatever the file says by now. A mail in doubt is
    one whose line died after its last byte: only the relay's log can tell. It is not sent again
    unless you say so, or its relay takes a mail only once.
    """
    resume(desk, name, GoOn(relay_name, unknown, as_json))


@dataclass(frozen=True, slots=True)
class GoOn:
    """How to go on: by which relay (None: as before), and what to do about mails in doubt."""

    relay_name: str | None
    unknown: str | None
    as_json: bool


def resume(desk: Desk, name: str, how: GoOn) -> None:
    """Go on with the unfinished send of the issue, in front of a person."""
    with desk.asked_store() as store:
        slug = slug_in(desk, store, name)
        settle_the_dead(store, slug, desk.now())
        if how.unknown == "list":
            _list_unknown(store, slug, as_json=how.as_json)
            return
        send = _to_go_on_with(store, slug, how.unknown)
        if send.state is SendState.PREPARING:
            send = _begun(desk, store, send)
            if send.state is SendState.PREPARING:
                answer(
                    {"command": "resume", "issue": slug, "state": send.state.value},
                    as_json=how.as_json,
                    text=f"{slug} goes out when its time comes: newsletter status {slug}",
                )
                return
        relay = _relay(desk, send, how.relay_name)
        refuse_another_realm(send, relay)
        _note_if_changed(desk, send)
        _plan_again(desk, store, send, relay)
        _decide_doubt(desk, store, send, how.unknown)
        Delivering(desk, store, as_json=how.as_json).run(_let_go(desk, store, send), relay)


def _let_go(desk: Desk, store: Store, send: Send) -> Send:
    """The send, held no longer. Who resumes one that is held for its canary has decided; one that
    was stopped while its canary was on its way, or watched, goes on with that."""
    if went_badly(send):
        return store.widen(send.id, desk.now())
    return store.hold(send.id, "", desk.now(), send.not_before) if send.hold else send


def _relay(desk: Desk, send: Send, name: str | None) -> Relay:
    """The relay that somebody named, alone; else that of the send, with those that go with it."""
    if name is None:
        return load_relay(desk.config, send.relay, desk.environ)
    return load_relay_for(desk.config, desk.environ, name=name, tag=None)


def _to_go_on_with(store: Store, slug: str, unknown: str | None) -> Send:
    """The send with work left: with `--unknown retry` one that is done has some too. Raises
    SendRefused."""
    if unknown == "retry":
        send = latest_send(store, slug)
        if send.state is SendState.DONE and store.progress(send.id)[DeliveryState.UNKNOWN]:
            return send
    return unfinished(store, slug)


def _begun(desk: Desk, store: Store, send: Send) -> Send:
    """A scheduled send: frozen when its time has come, no longer held when somebody held it. Raises
    SendRefused when there is nothing to go on with yet."""
    if send.not_before is None or send.not_before <= desk.now():
        store.hold(send.id, "", desk.now(), send.not_before)
        return start(store, send, desk.now())
    if send.hold:
        return store.hold(send.id, "", desk.now(), send.not_before)
    raise SendRefused(
        f"it is scheduled for {written_out(send.not_before, desk.letter.timezone)}, still to come",
        hint=f"take it back: newsletter cancel {send.slug}, and send it now",
        code="send.scheduled",
    )


def refuse_another_realm(send: Send, relay: Relay) -> None:
    """A send that began with people does not end in a folder here, which would count as theirs; nor
    does a try become the real thing. Raises SendRefused."""
    if send.local is not relay.local:
        began = "began as a try on this machine" if send.local else "began with a relay to people"
        raise SendRefused(
            f"the send {began}, and {relay.name} is {relay.place}",
            hint=f"name the relay it began with (--relay), or: newsletter cancel {send.slug}",
            code="send.relay",
        )


def _decide_doubt(desk: Desk, store: Store, send: Send, unknown: str | None) -> None:
    """Send mails in doubt again when that was asked for; ask when somebody is there."""
    rows = store.deliveries(send.id, DeliveryState.UNKNOWN)
    doubtful = sum(row.next_at is None for row in rows)
    if not doubtful:
        return
    if unknown is None and interactive():
        note(f"{people(doubtful)} may or may not have got it: newsletter status {send.slug}")
        again = click.confirm("Send it to them again?", default=False, err=True)
        unknown = "retry" if again else "skip"
    if unknown == "retry":
        store.reopen(send.id, DeliveryState.UNKNOWN, desk.now())
    elif unknown is None:
        note(f"in doubt and left alone: {people(doubtful)}; see --unknown")


def _plan_again(desk: Desk, store: Store, send: Send, relay: Relay) -> int:
    """How many in doubt need no decision: the relay that may have their mail takes it only once,
    and is asked again without waiting any longer."""
    pool = load_pool(desk.config, relay, desk.environ, send.letterhead.sender.address)
    since = remembered(pool, desk.now())
    return store.plan_again(send.id, since, desk.now(), at_once=True)


def _list_unknown(store: Store, slug: str, *, as_json: bool) -> None:
    rows = [
        row
        for send in store.entries(slug)
        for row in store.deliveries(send.id, DeliveryState.UNKNOWN)
    ]
    listed = [
        {"address": row.address, "message_id": row.message_id, "relay": row.relay} for row in rows
    ]
    lines = [f"{row.address}  <{row.message_id}>  by {row.relay or '?'}" for row in rows]
    text = "\n".join(lines) or "nobody is in doubt"
    answer({"command": "resume", "unknown": listed}, as_json=as_json, text=text)


def _note_if_changed(desk: Desk, send: Send) -> None:
    """Say that the file is not what is sent any more."""
    try:
        shelf = desk.shelf()
        email = shelf.compose(shelf.find(send.slug)).email
    except NewsletterError:
        return
    if email.content_hash != send.content_hash:
        note(
            "the issue would be another by now (its article, a neighbour, the template or the "
            "configuration has changed): it is sent as it was frozen"
        )


@click.command("pause")
@issue_argument
@json_option
@click.pass_obj
def pause_command(desk: Desk, name: str, as_json: bool) -> None:
    """Stop a send of ISSUE after the mails in flight, wherever it runs; resume goes on."""
    with desk.asked_store() as store:
        send = unfinished(store, slug_in(desk, store, name), "pause")
        held = store.hold(send.id, "paused by hand", desk.now(), send.not_before)
        _report(store, held, "pause", as_json=as_json)


@click.command("cancel")
@issue_argument
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def cancel_command(desk: Desk, name: str, yes: bool, as_json: bool) -> None:
    """Give a send of ISSUE up: who has not got it will not get it.

    Mails in flight still arrive. A send nobody has got yet is taken back whole, and the issue can
    be sent again; afterwards `newsletter send ISSUE --only-new` reaches the others.
    """
    with desk.asked_store() as store:
        send = unfinished(store, slug_in(desk, store, name), "cancel")
        _agree_to_cancel(store, send, yes=yes)
        _report(store, cancelled(desk, store, send), "cancel", as_json=as_json)


def cancelled(desk: Desk, store: Store, send: Send) -> Send:
    """The send, cancelled; rows that a dead sender left are settled, those of one at work are its
    own to settle."""
    done = store.cancel(send.id, desk.now())
    try:
        with store.sender_lock(send.id):
            store.recover(send.id, desk.now())
            return store.cancel(send.id, desk.now())
    except SendRefused:
        return done


def _agree_to_cancel(store: Store, send: Send, *, yes: bool) -> None:
    if yes:
        return
    if not interactive():
        raise UsageError("nobody is at the terminal to confirm", hint="say it with --yes")
    accepted = store.progress(send.id)[DeliveryState.ACCEPTED]
    note(
        f"{people(accepted)} got {send.slug} already; {people(send.recipients - accepted)} did not"
    )
    if not click.confirm("Cancel it?", default=False, err=True):
        raise SendRefused("not cancelled: nothing has changed", code="send.declined")


@click.command("retry")
@issue_argument
@click.option("--failed", "state", flag_value="failed", help="Those who were refused.")
@click.option("--deferred", "state", flag_value="deferred", help="Those who wait, without waiting.")
@click.option("--unknown", "state", flag_value="unknown", help="Those in doubt: may arrive twice.")
@relay_option
@json_option
@click.pass_obj
def retry_command(
    desk: Desk, name: str, state: str | None, relay_name: str | None, as_json: bool
) -> None:
    """Try again to reach people of ISSUE who did not get it.

    People who were suppressed or have unsubscribed are not mailed, whatever is asked for.
    """
    if state is None:
        raise UsageError(
            "say whom to try again",
            hint=f"newsletter retry {name} --failed, --deferred or --unknown",
        )
    with desk.asked_store() as store:
        slug = slug_in(desk, store, name)
        settle_the_dead(store, slug, desk.now())
        send = latest_send(store, slug)
        relay = _relay(desk, send, relay_name)
        refuse_another_realm(send, relay)
        _refuse_cancelled(send)
        left = store.progress(send.id)[DeliveryState.PENDING]
        again = _plan_again(desk, store, send, relay) if state == DeliveryState.UNKNOWN else 0
        count = store.reopen(send.id, DeliveryState(state), desk.now()) + again
        _say_how_many(send, state, count, left)
        Delivering(desk, store, as_json=as_json).run(store.send(send.id), relay)


def _refuse_cancelled(send: Send) -> None:
    if send.state is SendState.CANCELLED:
        raise SendRefused(
            f"{send.slug} was cancelled: nobody of it is tried again",
            hint=f"to those who have not got it: newsletter send {send.slug} --only-new",
            code="send.cancelled",
        )


def _say_how_many(send: Send, state: str, count: int, left: int) -> None:
    """Say to how many it goes; `left` were not tried yet. Raises SendRefused for nobody."""
    if not count:
        hint = f"{people(left)} not tried yet: newsletter resume {send.slug}"
        if not left:
            hint = f"newsletter status {send.slug}"
        raise SendRefused(f"nobody is {state}", hint=hint, code="send.nothing")
    more = f", and going on with {people(left)} not tried yet" if left else ""
    note(f"trying {people(count)} again{more}")


def _report(store: Store, send: Send, command: str, *, as_json: bool) -> None:
    progress = store.progress(send.id)
    left = progress[DeliveryState.PENDING] + progress[DeliveryState.CLAIMED]
    facts = {
        "command": command,
        "issue": send.slug,
        "state": send.state.value,
        "hold": send.hold,
        **{state.value: progress[state] for state in DeliveryState},
    }
    got, kept = f"{people(progress[DeliveryState.ACCEPTED])} got it", f"{left:,} left"
    if send.state is SendState.PREPARING and send.hold:
        got, kept = send.hold, f"it will not leave before newsletter resume {send.slug}"
    elif send.state is SendState.CANCELLED:
        lost = send.recipients - progress[DeliveryState.ACCEPTED]
        kept = f"{lost:,} did not and will not"
    text = f"{send.slug} is {send.state.value}: {got}, {kept}"
    answer(facts, as_json=as_json, text=text)
