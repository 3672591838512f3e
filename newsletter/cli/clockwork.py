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
from newsletter.cli.dry_run import written_out
from newsletter.cli.steering import refuse_another_realm
from newsletter.credentials import load_relay
from newsletter.delivery.steps import Next, Step, judge, next_step, start
from newsletter.errors import ConfigError, NewsletterError, SendRefused, StoreError
from newsletter.model import Send
from newsletter.store import Store

LONGEST_NAP = timedelta(seconds=15)
DAMAGED = "store.damaged"
WAITING = "waiting"


@dataclass(slots=True)
class Clockwork:
    """What is due, done. `said` is what went wrong with each send the last time, so that a worker
    does not say it again each quarter of a minute; `failed` is the last of it."""

    desk: Desk
    brake: Brake
    as_json: bool
    said: dict[str, str] = field(default_factory=dict)
    failed: NewsletterError | None = None

    def tick(self, store: Store) -> Iterator[tuple[Send, Next]]:
        """Each send that is not over, after everything that was due of it was done. What is wrong
        with one of them is no reason to leave the others alone."""
        for entry in store.entries():
            if entry.state.over or self.brake.pulled:
                continue
            try:
                step = self._through(store, entry.id)
                send = store.send(entry.id)
            except SendRefused as error:  # another process is at it, or the relay is another one
                self.say(entry.slug, error)
            except NewsletterError as error:
                if isinstance(error, StoreError) and error.code != DAMAGED:
                    raise
                self.say(entry.slug, error)
                self.failed = error
            else:
                self.said.pop(entry.slug, None)
                yield send, step

    def say(self, about: str, error: NewsletterError) -> None:
        """Say it, unless that was the last thing said about it."""
        if self.said.get(about) != str(error):
            note(f"{about}: {error}")
        self.said[about] = str(error)

    def _through(self, store: Store, send_id: int) -> Next:
        """The first thing about the send that cannot be done now."""
        delivered = False
        while True:
            send = store.send(send_id)
            step = next_step(store, send, self.desk.now())
            if self.brake.pulled or step.step in (Step.WAIT, Step.HELD, Step.OVER):
                return step
            if step.step is Step.DELIVER and delivered:
                return Next(Step.WAIT)
            delivered = step.step is Step.DELIVER
            self._take(Delivering(self.desk, store, self.as_json, self.brake), send, step.step)

    def _take(self, delivering: Delivering, send: Send, step: Step) -> None:
        store, now = delivering.store, self.desk.now()
        if step is Step.FREEZE:
            start(store, send, now)
        elif step is Step.JUDGE:
            judge(store, send, delivering.canary_rule, now)
        else:
            note(f"{send.slug}: sending")
            relay = load_relay(self.desk.config, send.relay, self.desk.environ)
            refuse_another_realm(send, relay)
            delivering.unattended(send, relay)


@click.command("tick")
@json_option
@click.pass_obj
def tick_command(desk: Desk, as_json: bool) -> None:
    """Do what is due, once: start scheduled sends, go on with deferred and interrupted ones.

    For cron, every five minutes or so. Two at once do no harm: a send has one sender.
    """
    clockwork = Clockwork(desk, Brake(), as_json)
    with desk.asked_store() as store, clockwork.brake.held():
        done = list(clockwork.tick(store))
    nothing = "" if clockwork.said else "nothing is due"
    text = "\n".join(_words(desk, send, step) for send, step in done) or nothing
    facts = {"command": "tick", "sends": [_facts(send, step) for send, step in done]}
    answer(facts, as_json=as_json, text=text)
    if clockwork.failed is not None:
        click.get_current_context().exit(clockwork.failed.exit_code)


@click.command("worker")
@json_option
@click.pass_obj
def worker_command(desk: Desk, as_json: bool) -> None:
    """Do what is due, and wait for what will be, until Ctrl-C or SIGTERM.

    The first signal finishes the mails in flight; the second drops the connections. With --json,
    the events of every send.
    """
    note("waiting for sends that are due; Ctrl-C stops")
    brake, said = Brake(), dict[str, str]()
    with brake.held():
        while not brake.pulled:
            # read anew: a worker runs for months, and the configuration changes meanwhile
            until = _round(Clockwork(desk.anew(), brake, as_json, said))
            brake.linger(max((until - desk.now()).total_seconds(), 1.0), "stopping")
    note("stopped; what is left goes on with the next worker")


def _round(clockwork: Clockwork) -> datetime:
    """Until when nothing is due, as far as is known now."""
    soon = clockwork.desk.now() + LONGEST_NAP
    try:
        with clockwork.desk.asked_store() as store:
            steps = clockwork.tick(store)
            until = min([soon, *(step.until for _, step in steps if step.until)])
    except (StoreError, ConfigError) as error:  # locked, a full disk, a slip: that may pass
        clockwork.say(WAITING, error)
        return soon
    clockwork.said.pop(WAITING, None)
    return until


def _facts(send: Send, step: Next) -> dict[str, object]:
    return {
        "issue": send.slug,
        "state": send.state.value,
        "hold": send.hold,
        "until": step.until.isoformat() if step.until else None,
    }


def _words(desk: Desk, send: Send, step: Next) -> str:
    until = step.until and written_out(step.until, desk.letter.timezone)
    waits = f", until {until}" if until else ""
    return f"{send.slug}: {send.state.value}{waits}" + (f" ({send.hold})" if send.hold else "")
