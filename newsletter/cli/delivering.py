"""Running a send in front of a person: progress, Ctrl-C, the summary and its exit code."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from types import FrameType
from typing import Any

import click

from newsletter.cli.boundary import Desk, answer, note, note_at_once
from newsletter.cli.ending import counts, ended_facts, what_next
from newsletter.cli.faces import Events, Pulse, emit, faces_for, tell_replies
from newsletter.cli.sight import Count
from newsletter.credentials import load_pool
from newsletter.delivery.deliver import deliver_by
from newsletter.delivery.run import Office
from newsletter.delivery.steps import (
    CanaryRule,
    Step,
    goes_on_at,
    judge,
    next_step,
    rest_after,
    watched,
)
from newsletter.delivery.way import WayOut
from newsletter.errors import RelayError, StoreError
from newsletter.model import Delivery, Relay, Send, SendEntry
from newsletter.smtp import open_transports
from newsletter.store import Store

SLICE_S = 0.1
STOPPED = "stopped by hand"
FINISHING = "finishing the mails in flight; Ctrl-C again to drop the connections"
# A worker comes in when whoever waits out the undo window has died, and not at the same moment.
GRACE = timedelta(minutes=1)


@dataclass(slots=True)
class Brake:
    """Ctrl-C or SIGTERM once: finish the mails in flight and stop. Twice: stop now; the ledger
    then names those in doubt."""

    pulled: bool = False
    by_hand: bool = False
    remark: str = FINISHING

    def pull(self, number: int, _frame: FrameType | None) -> None:
        if self.pulled:
            raise KeyboardInterrupt
        self.pulled = True
        self.by_hand = number == signal.SIGINT
        note_at_once(self.remark)

    def wait(self, seconds: float) -> None:
        """Sleep before the next line to the relay, not a moment longer once the brake is pulled:
        `time.sleep` goes on sleeping after a signal (PEP 475)."""
        note(f"the relay is not there; trying again in {seconds:.0f} s")
        self.rest(seconds)

    def rest(self, seconds: float) -> None:
        """Wait, not a moment longer once the brake is pulled."""
        until = time.monotonic() + seconds
        while not self.pulled and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, SLICE_S))

    def linger(self, seconds: float, remark: str, why: str = "") -> None:
        """Rest while no mail is in flight, and say why; `remark` is what is said when the brake is
        pulled."""
        self.remark = remark
        try:
            if why:
                note(why)
            self.rest(seconds)
        finally:
            self.remark = FINISHING

    @contextmanager
    def held(self) -> Iterator[None]:
        """While this is open, the signals pull the brake."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, self.pull) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)


@dataclass(frozen=True)
class Delivering:
    """One send, delivered in front of a person or, with `as_json`, of a program too."""

    desk: Desk
    store: Store
    as_json: bool
    brake: Brake = field(default_factory=Brake)

    @cached_property
    def events(self) -> Events | None:
        """The events a program reads, None when nobody asked for them."""
        return Events() if self.as_json else None

    def run(self, send: Send, relay: Relay, undo: timedelta | None = None) -> None:
        """Deliver what is due and print the summary. Leaves through click's exit with 4 or 5
        when not everything was accepted."""
        started = time.monotonic()
        if self.events:
            self.events.started(started_facts(send, relay))
        try:
            with self.brake.held():
                if undo and self._undone(send, undo):
                    return
                self.work(send, relay)
        except KeyboardInterrupt:
            if not self.brake.pulled:
                raise
            self.store.hold(send.id, STOPPED, self.desk.now(), send.not_before)
        except RelayError:
            self._tell_replies(send)
            note(self._summary(send, time.monotonic() - started))
            raise
        except StoreError:
            note(f"what was sent is known, and nobody gets it twice: newsletter resume {send.slug}")
            raise
        self._tell_replies(send)
        self.summarise(send, time.monotonic() - started)

    def _tell_replies(self, send: Send) -> None:
        if self.events:
            tell_replies(self.store, send.id, send.slug)

    def _undone(self, send: Send, undo: timedelta) -> bool:
        """Whether somebody took the send back, here, or stopped it elsewhere, before its first mail
        left."""
        seconds = undo.total_seconds()
        why = f"the first mail leaves in {seconds:.0f} s; Ctrl-C takes it back"
        self.brake.linger(seconds, "taking it back", why)
        if not self.brake.pulled:
            return self._stopped_elsewhere(send)
        self.store.cancel(send.id, self.desk.now())
        ended = {"command": "send", "event": "done", "issue": send.slug, "state": "cancelled"}
        facts = {**ended, "sent": 0, "exit": 0}
        answer(facts, as_json=self.as_json, text="taken back: nothing was sent")
        return True

    def _stopped_elsewhere(self, send: Send) -> bool:
        now = self.store.send(send.id)
        stopped = bool(now.hold) or now.state.over
        if stopped:
            self.summarise(now, 0.0)
        return stopped

    def work(self, send: Send, relay: Relay) -> None:
        """Deliver what is due; with a canary, its sample, and after the watch the others."""
        while True:
            if not watched(self.store, send, self.desk.now()):
                self.deliver(send, relay)
                send = self.store.send(send.id)
                step = next_step(self.store, send, self.desk.now()).step
                if send.widened or step is not Step.JUDGE or self.brake.pulled:
                    break
            send = self._watched(send)
            if send.hold:
                note(send.hold)
            if send.hold or self.brake.pulled:
                break
        if self.brake.by_hand:
            self.store.hold(send.id, STOPPED, self.desk.now(), send.not_before)

    @property
    def canary_rule(self) -> CanaryRule:
        table = self.desk.config.tables.send
        watch = timedelta(seconds=table.canary_watch_s)
        return CanaryRule(watch=watch, most_failed=table.canary_failures)

    def _watched(self, send: Send) -> Send:
        """The send after its canary was watched: widened, or held."""
        send = judge(self.store, send, self.canary_rule, self.desk.now())
        if send.not_before is None:
            return send
        left = (send.not_before - self.desk.now()).total_seconds()
        why = f"the canary is out to {send.canary}; watching it for {left:.0f} s"
        self.brake.linger(left, "stopping; nobody but the canary has got it", why)
        if self.brake.pulled:
            return send
        return judge(self.store, self.store.send(send.id), self.canary_rule, self.desk.now())

    def unattended(self, send: Send, relay: Relay) -> None:
        """Deliver what is due; a program is told how it began and ended."""
        if self.events is None:
            self.deliver(send, relay)
            return
        started = time.monotonic()
        self.events.started(started_facts(send, relay))
        try:
            self.deliver(send, relay)
        finally:
            self._tell_replies(send)
            progress = self.store.progress(send.id)
            emit("done", ended_facts(self._entry(send), progress, time.monotonic() - started))

    def deliver(self, send: Send, relay: Relay) -> None:
        """Deliver what is due, showing progress; Ctrl-C finishes the mails in flight. When a relay
        breaks it off, it rests for as long as the error says."""
        count = Count(self.store, send, relay.limits)
        try:
            # Closed here, whatever is raised: the ledger is in order before the store is closed.
            with (
                self.brake.held(),
                self._pulse(count),
                closing(self._deliveries(send, relay)) as rows,
            ):
                take = count.take
                for row in rows:
                    take(row)
        except RelayError as error:
            rest_after(self.store, send.id, error, self.desk.now())
            raise

    def _deliveries(self, send: Send, relay: Relay) -> Generator[Delivery, None, None]:
        pool = load_pool(self.desk.config, relay, self.desk.environ, send.letterhead.sender.address)
        outs = [WayOut(each, open_transports(each)) for each in pool]
        return deliver_by(send, outs, self.office())

    def office(self) -> Office:
        return Office(
            store=self.store,
            letter=self.desk.letter,
            keys=self.desk.keys,
            now=self.desk.now,
            sleep=self.brake.wait,
            jitter=random.random,
            stopping=lambda: self.brake.pulled,
            rest=self.brake.rest,
            say=note,
            hours=self.desk.config.tables.send.hours(self.desk.letter.timezone),
        )

    def _pulse(self, count: Count) -> Pulse:
        """What shows the run to whoever looks, while it is open."""
        now = self.desk.now
        faces = faces_for(self.desk.letter.timezone, self.events)
        return Pulse(lambda at_once: count.sight(now(), at_once=at_once), now, faces)

    def summarise(self, send: Send, seconds: float) -> None:
        facts = ended_facts(self._entry(send), self.store.progress(send.id), seconds)
        answer(facts, as_json=self.as_json, text=self._summary(send, seconds))
        if facts["exit"]:
            click.get_current_context().exit(facts["exit"])

    def _entry(self, send: Send) -> SendEntry:
        return next(entry for entry in self.store.entries(send.slug) if entry.id == send.id)

    def _summary(self, send: Send, seconds: float) -> str:
        progress, zone = self.store.progress(send.id), self.desk.letter.timezone
        entry, due_at = self._entry(send), goes_on_at(self.store, send.id)
        return "\n".join((counts(progress, seconds), *what_next(entry, progress, due_at, zone)))


def started_facts(send: Send, relay: Relay) -> dict[str, Any]:
    """The first event of a run."""
    return {
        "command": "send",
        "issue": send.slug,
        "send": send.id,
        "relay": relay.name,
        "recipients": send.recipients,
        "state": send.state.value,
    }
