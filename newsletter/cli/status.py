"""status: who got it, who did not."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import click

from newsletter.cli.boundary import Desk, answer, json_option
from newsletter.cli.dry_run import written_out
from newsletter.cli.ending import goes_on
from newsletter.cli.faces import turn_facts
from newsletter.cli.findings import counted
from newsletter.cli.naming import slug_in
from newsletter.delivery.steps import at_work, goes_on_at, settle_the_dead
from newsletter.errors import StoreError, UsageError
from newsletter.model import Delivery, DeliveryState, SendEntry, SendState, TurnKind
from newsletter.store import Store

COLUMNS = (
    "address",
    "state",
    "reason",
    "attempts",
    "relay",
    "code",
    "status",
    "text",
    "message_id",
    "updated_at",
    "next_at",
)


@click.command("status")
@click.argument("name", metavar="[ISSUE]", required=False)
@click.option(
    "--who",
    type=click.Choice([state.value for state in DeliveryState]),
    help="List the people in this state.",
)
@click.option("--csv", "as_csv", is_flag=True, help="List them as CSV on stdout.")
@click.option("--watch", is_flag=True, help="Look on until it is over; Ctrl-C leaves.")
@json_option
@click.pass_obj
def status_command(
    desk: Desk, name: str | None, who: str | None, as_csv: bool, watch: bool, as_json: bool
) -> None:
    """Say what became of every send, or of each recipient of ISSUE.

    accepted: the relay took responsibility. unknown: the line died after the last byte, only the
    relay's log can tell; it is never sent again silently. skipped: not mailed, with the reason.

    --watch follows a send from any terminal, whoever sends it: with --json as one event a line, the
    last of them the answer.
    """
    if watch and (who or as_csv):
        raise UsageError("--watch shows counts: ask for people without it")
    if name is None and (who or as_csv):
        raise UsageError(
            "--who and --csv want an ISSUE", hint="newsletter status latest --who failed"
        )
    with desk.asked_store() as store:
        slug = slug_in(desk, store, name) if name else None
        if watch:
            from newsletter.cli.watching import Watching  # noqa: PLC0415

            Watching(desk, store, as_json).follow(slug)
        with suppress(StoreError):  # full or locked: then as the ledger has it
            settle_the_dead(store, slug, desk.now())
        sends = store.entries(slug)
        if slug and (as_csv or who):
            listing = Listing(DeliveryState(who) if who else None, as_csv, as_json)
            listing.show(row for send in sends for row in store.deliveries(send.id, listing.state))
            return
        facts = [_facts(store, send) for send in sends]
        nothing = f"{name}: never sent" if name else "nothing was sent yet"
        zone = desk.letter.timezone
        text = "\n".join(_text(store, send, zone) for send in sends) or nothing
        event = {"event": "done"} if watch else {}
        answer({"command": "status", **event, "sends": facts}, as_json=as_json, text=text)


def _facts(store: Store, send: SendEntry) -> dict[str, object]:
    progress = store.progress(send.id)
    return {
        "issue": send.slug,
        "state": send.state.value,
        "relay": send.relay,
        "local": send.local,
        "hold": send.hold,
        "not_before": send.not_before.isoformat() if send.not_before else None,
        "frozen_at": send.frozen_at.isoformat(),
        "finished_at": send.finished_at.isoformat() if send.finished_at else None,
        "content_hash": send.content_hash,
        "commit": send.origin.commit,
        "dirty": send.origin.dirty,
        "candidates": send.candidates,
        "recipients": send.recipients,
        **{state.value: progress[state] for state in DeliveryState},
        "reasons": dict(store.reasons(send.id)),
        "failovers": [
            turn_facts(turn) for turn in store.turns(send.id) if turn.kind is TurnKind.FAILED_OVER
        ],
    }


def _text(store: Store, send: SendEntry, zone: ZoneInfo) -> str:
    progress, reasons = store.progress(send.id), store.reasons(send.id)
    commit = f"commit {send.origin.commit[:9]}" if send.origin.commit else "not in git"
    dirty = ", with uncommitted changes" if send.origin.dirty else ""
    origin = f"{commit}{dirty}   relay {send.relay}"
    lines = [
        f"{send.slug}      {send.state.value}      {send.subject}",
        f"  frozen {written_out(send.frozen_at, zone)}   {send.content_hash[:8]}   {origin}",
        "  " + _counts(progress, send.recipients),
    ]
    if reasons:
        lines.append("  skipped: " + ", ".join(f"{count} {why}" for why, count in reasons.items()))
    if progress[DeliveryState.UNKNOWN]:
        lines.append(f"  in doubt: newsletter status {send.slug} --who unknown")
    lines += _failovers(store, send, zone)
    if send.local:
        lines.append("  on this machine only: nobody else has got it")
    lines += _advice(store, send, zone)
    return "\n".join(lines)


def _failovers(store: Store, send: SendEntry, zone: ZoneInfo) -> Iterator[str]:
    """When a relay was left for others."""
    for turn in store.turns(send.id):
        if turn.kind is TurnKind.FAILED_OVER:
            others = ", ".join(turn.goes_on_by)
            yield f"  {written_out(turn.at, zone)} from {turn.relay} to {others}: {turn.why}"


def _broken_off(store: Store, send: SendEntry) -> Iterator[str]:
    """Why the last run came to an early end, if it did."""
    ends = (TurnKind.SENDING, TurnKind.BROKEN_OFF)
    told = [turn for turn in store.turns(send.id) if turn.kind in ends]
    if told and told[-1].kind is TurnKind.BROKEN_OFF:
        yield f"  broken off: {told[-1].why}"


def _advice(store: Store, send: SendEntry, zone: ZoneInfo) -> Iterator[str]:
    """What comes next, and who makes it come."""
    go_on = f"newsletter resume {send.slug}"
    if send.hold:
        yield f"  held: {send.hold}; go on: {go_on}"
    elif send.state is SendState.PREPARING and send.not_before is not None:
        yield f"  scheduled for {written_out(send.not_before, zone)}"
        yield f"  take it back: newsletter cancel {send.slug}"
    elif send.state is SendState.SENDING:
        yield (
            f"  somebody is sending it; look on: newsletter status {send.slug} --watch"
            if at_work(store, send.id)
            else f"  its sender died; newsletter worker or tick go on, or {go_on}"
        )
    elif not send.state.over:
        yield from _broken_off(store, send)
        yield f"  {goes_on(send, goes_on_at(store, send.id), zone)}"


def _counts(progress: Counter[DeliveryState], recipients: int) -> str:
    shown = (state for state in DeliveryState if progress[state] or state is DeliveryState.ACCEPTED)
    return f"{counted(recipients, 'recipient')}: " + "   ".join(
        f"{state.value} {progress[state]:,}" for state in shown
    )


@dataclass(frozen=True, slots=True)
class Listing:
    """How the rows of the ledger are shown."""

    state: DeliveryState | None
    as_csv: bool
    as_json: bool

    def show(self, rows: Iterator[Delivery]) -> None:
        """Print the rows on stdout."""
        if self.as_csv:
            writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(_cells(row) for row in rows)
        elif self.as_json:
            answer({"command": "status", "people": [_row(row) for row in rows]}, as_json=True)
        else:
            answer({}, as_json=False, text="\n".join(_line(row) for row in rows) or "nobody")


def _row(row: Delivery) -> dict[str, object]:
    reply = row.reply
    return {
        "address": row.address,
        "state": row.state.value,
        "reason": row.reason,
        "attempts": row.attempts,
        "relay": row.relay,
        "code": reply.code if reply else None,
        "status": reply.status if reply else None,
        "text": reply.text if reply else None,
        "message_id": row.message_id,
        "updated_at": row.updated_at.isoformat() if row.updated_at else None,
        "next_at": row.next_at.isoformat() if row.next_at else None,
    }


def _cells(row: Delivery) -> dict[str, object]:
    from newsletter.audience.exports import guard  # noqa: PLC0415

    return {
        key: guard(value) if isinstance(value, str) else value for key, value in _row(row).items()
    }


def _line(row: Delivery) -> str:
    reply = f"  {row.reply.code} {row.reply.status} {row.reply.text}" if row.reply else ""
    again = f"  next try {row.next_at:%Y-%m-%d %H:%M} UTC" if row.next_at else ""
    by = f"  by {row.relay}" if row.relay else ""
    # what the relay's log is searched for
    named = f"  <{row.message_id}>" if row.state is DeliveryState.UNKNOWN and row.message_id else ""
    return f"{row.state.value:<9} {row.address}  {row.reason}{reply}{by}{named}{again}".rstrip()
