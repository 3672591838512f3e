"""Running a send in front of a person: progress, Ctrl-C, the summary and its exit code."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from types import FrameType
from typing import Any

import click

from newsletter.cli.boundary import Desk, answer, note
from newsletter.cli.faces import Events, Pulse, faces_for, tell_replies
from newsletter.cli.sight import Count
from newsletter.credentials import load_pool
from newsletter.delivery.deliver import deliver_by
from newsletter.delivery.run import Office
from newsletter.delivery.steps import CanaryRule, Step, judge, next_step
from newsletter.delivery.way import WayOut
from newsletter.errors import RelayError
from newsletter.model import Delivery, DeliveryState, Relay, Send, SendState
from newsletter.smtp import open_transports
from newsletter.store import Store

SLICE_S = 0.1
STOPPED = "stopped by hand"
EXIT_INCOMPLETE = 4
EXIT_STOPPED = 5


@dataclass(slots=True)
class Brake:
    """Ctrl-C or SIGTERM once: finish the mails in flight and stop. Twice: stop now; the ledger
    then names those in doubt."""

    pulled: bool = False
    by_hand: bool = False

    def pull(self, number: int, _frame: FrameType | None) -> None:
        if self.pulled:
            raise KeyboardInterrupt
        self.pulled = True
        self.by_hand = number == signal.SIGINT
        note("finishing the mails in flight; Ctrl-C again to drop the connections")

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
        self._tell_replies(send)
        self.summarise(send, time.monotonic() - started)

    def _tell_replies(self, send: Send) -> None:
        if self.events:
            tell_replies(self.store, send.id, send.slug)

    def _undone(self, send: Send, undo: timedelta) -> bool:
        """Whether somebody took the send back before its first mail left."""
        note(f"the first mail leaves in {undo.total_seconds():.0f} s; Ctrl-C takes it back")
        self.brake.rest(undo.total_seconds())
        if not self.brake.pulled:
            return False
        self.store.cancel(send.id, self.desk.now())
        ended = {"command": "send", "event": "done", "issue": send.slug, "state": "cancelled"}
        facts = {**ended, "sent": 0, "exit": 0}
        answer(facts, as_json=self.as_json, text="taken back: nothing was sent")
        return True

    def work(self, send: Send, relay: Relay) -> None:
        """Deliver what is due; with a canary, its sample, and after the watch the others."""
        while True:
            self.deliver(send, relay)
            send = self.store.send(send.id)
            if self.brake.pulled:
                if self.brake.by_hand:
                    self.store.hold(send.id, STOPPED, self.desk.now(), send.not_before)
                return
            if send.widened or next_step(self.store, send, self.desk.now()).step is not Step.JUDGE:
                return
            send = self._watched(send)
            if send.hold or self.brake.pulled:
                note(send.hold)
                return

    @property
    def canary_rule(self) -> CanaryRule:
        table = self.desk.config.tables.send
        watch = timedelta(seconds=table.canary_watch_s)
        return CanaryRule(watch=watch, most_failed=table.canary_failures)

    def _watched(self, send: Send) -> Send:
        """The send after its canary was watched: widened, or held."""
        watched = judge(self.store, send, self.canary_rule, self.desk.now())
        if watched.not_before is None:
            return watched
        left = (watched.not_before - self.desk.now()).total_seconds()
        note(f"the canary is out to {send.canary}; watching it for {left:.0f} s")
        self.brake.rest(left)
        if self.brake.pulled:
            return watched
        return judge(self.store, watched, self.canary_rule, self.desk.now())

    def deliver(self, send: Send, relay: Relay) -> None:
        """Deliver what is due, showing progress; Ctrl-C finishes the mails in flight."""
        count = Count(self.store, send, relay.limits)
        # Closed here, whatever is raised: the ledger is left in order before the store is closed.
        with (
            self.brake.held(),
            self._pulse(count),
            closing(self._deliveries(send, relay)) as rows,
        ):
            take = count.take
            for row in rows:
                take(row)

    def _deliveries(self, send: Send, relay: Relay) -> Generator[Delivery, None, None]:
        pool = load_pool(self.desk.config, relay, self.desk.environ)
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
        progress = self.store.progress(send.id)
        state = self._state(send)
        code = exit_code(progress)
        facts = {
            "command": "send",
            "event": "done",
            "issue": send.slug,
            "state": state.value,
            "sent": progress[DeliveryState.ACCEPTED],
            "seconds": round(seconds, 3),
            **{state.value: progress[state] for state in DeliveryState},
            "exit": code,
        }
        answer(facts, as_json=self.as_json, text=self._summary(send, seconds))
        if code:
            click.get_current_context().exit(code)

    def _state(self, send: Send) -> SendState:
        return next(row.state for row in self.store.entries(send.slug) if row.id == send.id)

    def _summary(self, send: Send, seconds: float) -> str:
        return summary_line(send, self._state(send), self.store.progress(send.id), seconds)


def exit_code(progress: Counter[DeliveryState]) -> int:
    """0 all accepted, 5 work is left, 4 some recipients failed, are deferred or unknown."""
    if progress[DeliveryState.PENDING] or progress[DeliveryState.CLAIMED]:
        return EXIT_STOPPED
    bad = (DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNKNOWN)
    return EXIT_INCOMPLETE if any(progress[state] for state in bad) else 0


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


def summary_line(
    send: Send, state: SendState, progress: Counter[DeliveryState], seconds: float
) -> str:
    """What a person reads at the end."""
    text = (
        f"sent {progress[DeliveryState.ACCEPTED]:,}"
        f"   deferred {progress[DeliveryState.DEFERRED]:,}"
        f"   failed {progress[DeliveryState.FAILED]:,}"
        f"   unknown {progress[DeliveryState.UNKNOWN]:,}   {seconds:.1f} s"
    )
    left = progress[DeliveryState.PENDING] + progress[DeliveryState.CLAIMED]
    if left:
        text = f"stopped   {text}   {left:,} left.  Nobody gets it twice."
    if state is not SendState.DONE:
        text += f"\n  go on:  newsletter resume {send.slug}"
    elif exit_code(progress):
        who = "failed" if progress[DeliveryState.FAILED] else "unknown"
        text += f"\n  who:  newsletter status {send.slug} --who {who}"
    if send.local:
        text += "\n  it stayed on this machine: nobody else has got it, and it can still be sent"
    return text + f"\n  report:  newsletter report {send.slug} --open"
