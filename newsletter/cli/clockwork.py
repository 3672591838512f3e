"""worker, tick: sends whose time has come, without anybody at the terminal.

Both do the same: everything that is due, in the order of the sends. A send that somebody paused, or
whose canary went badly, waits for that person; one that was interrupted goes on. Mails in doubt
stay in doubt, unless their relay tells those it has from those it has not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import click

from newsletter.cli.boundary import Desk, answer, json_option, note
from newsletter.cli.delivering import Brake, Delivering
from newsletter.cli.steering import refuse_another_realm
from newsletter.credentials import load_relay
from newsletter.delivery.steps import Next, Step, judge, next_step, start
from newsletter.errors import NewsletterError, RelayError, SendRefused, StoreError
from newsletter.model import Send
from newsletter.store import Store

LONGEST_NAP = timedelta(seconds=15)
EXIT_UNAVAILABLE = 75


@dataclass(slots=True)
class Clockwork:
    """What is due, done, on one store."""

    desk: Desk
    store: Store
    brake: Brake = field(default_factory=Brake)
    failed: NewsletterError | None = None

    def tick(self) -> Iterator[tuple[Send, Next]]:
        """Each send that is not over, after everything that was due of it was done."""
        for entry in self.store.entries():
            if entry.state.over or self.brake.pulled:
                continue
            try:
                step = self._through(entry.id)
                yield self.store.send(entry.id), step
            except SendRefused as error:  # another process is at it, or the relay is another one
                note(f"{entry.slug}: {error}")
            except RelayError as error:  # the others may have another relay
                note(f"{entry.slug}: {error}")
                self.failed = error

    def _through(self, send_id: int) -> Next:
        """The first thing about the send that cannot be done now."""
        delivered = False
        while True:
            send = self.store.send(send_id)
            step = next_step(self.store, send, self.desk.now())
            if self.brake.pulled or step.step in (Step.WAIT, Step.HELD, Step.OVER):
                return step
            if step.step is Step.DELIVER and delivered:
                return Next(Step.WAIT)
            delivered = step.step is Step.DELIVER
            self._take(send, step.step)

    def _take(self, send: Send, step: Step) -> None:
        delivering = Delivering(self.desk, self.store, as_json=False, brake=self.brake)
        if step is Step.FREEZE:
            start(self.store, send, self.desk.now())
        elif step is Step.JUDGE:
            judge(self.store, send, delivering.canary_rule, self.desk.now())
        else:
            note(f"{send.slug}: sending")
            relay = load_relay(self.desk.config, send.relay, self.desk.environ)
            refuse_another_realm(send, relay)
            delivering.deliver(send, relay)


@click.command("tick")
@json_option
@click.pass_obj
def tick_command(desk: Desk, as_json: bool) -> None:
    """Do what is due, once: start scheduled sends, go on with deferred and interrupted ones.

    For cron, every five minutes or so. Two at once do no harm: a send has one sender.
    """
    with desk.asked_store() as store:
        clockwork = Clockwork(desk, store)
        with clockwork.brake.held():
            done = [_line(send, step) for send, step in clockwork.tick()]
    text = "\n".join(f"{row['issue']}: {_words(row)}" for row in done) or "nothing is due"
    answer({"command": "tick", "sends": done}, as_json=as_json, text=text)
    if clockwork.failed is not None:
        click.get_current_context().exit(EXIT_UNAVAILABLE)


@click.command("worker")
@json_option
@click.pass_obj
def worker_command(desk: Desk, as_json: bool) -> None:
    """Do what is due, and wait for what will be, until Ctrl-C or SIGTERM.

    The first signal finishes the mails in flight; the second drops the connections.
    """
    note("waiting for sends that are due; Ctrl-C stops")
    brake = Brake()
    with brake.held():
        while not brake.pulled:
            until = _round(desk, brake)
            brake.rest(max((until - desk.now()).total_seconds(), 1.0))
    note("stopped; what is left goes on with the next worker")


def _round(desk: Desk, brake: Brake) -> datetime:
    """Until when nothing is due, as far as is known now."""
    soon = desk.now() + LONGEST_NAP
    try:
        with desk.asked_store() as store:
            clockwork = Clockwork(desk, store, brake)
            return min([soon, *(step.until for _, step in clockwork.tick() if step.until)])
    except StoreError as error:  # locked by another, or the disk is full: that may pass
        note(f"waiting: {error}")
        return soon


def _line(send: Send, step: Next) -> dict[str, object]:
    return {
        "issue": send.slug,
        "state": send.state.value,
        "hold": send.hold,
        "until": step.until.isoformat() if step.until else None,
    }


def _words(row: dict[str, object]) -> str:
    waits = f", until {row['until']}" if row["until"] else ""
    return f"{row['state']}{waits}" + (f" ({row['hold']})" if row["hold"] else "")
