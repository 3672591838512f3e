"""status --watch: the same view as the sender's own, from any other process.

It asks the ledger and writes nothing. A pass over a million rows takes its time: it rests nine
times as long as it looked, and at least a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from newsletter.cli.boundary import Desk, note
from newsletter.cli.dry_run import people
from newsletter.cli.faces import Events, Face, faces_for
from newsletter.cli.sight import Sight, Watch
from newsletter.credentials import named_relay
from newsletter.errors import ConfigError
from newsletter.model import Limits, Send, SendState
from newsletter.store import Store

REST_S = 1.0
RESTS = 9


@dataclass(frozen=True, slots=True)
class Watching:
    """One watch on one publication."""

    desk: Desk
    store: Store
    as_json: bool
    rest: Callable[[float], object] = time.sleep

    def follow(self, slug: str | None) -> None:
        """Show every send (of one issue) that is not over, one after the other, until it is. Left
        with Ctrl-C, which ends nothing but the watch."""
        with suppress(KeyboardInterrupt):
            while send := self._next(slug):
                self._until_over(send)

    def _next(self, slug: str | None) -> Send | None:
        """A send at work if there is one, else the first that waits."""
        entries = [entry for entry in self.store.entries(slug) if not entry.state.over]
        entries.sort(key=lambda entry: entry.state is not SendState.SENDING)
        return self.store.send(entries[0].id) if entries else None

    def _until_over(self, send: Send) -> None:
        events = Events() if self.as_json else None
        if events:
            events.started({"command": "status", "issue": send.slug, "send": send.id})
        else:
            who = f"{send.slug} -> {people(send.recipients)} by {send.relay}"
            note(f"{who}; Ctrl-C leaves, it goes on")
        faces, watch = faces_for(self.desk.letter.timezone, events), self._watch(send)
        try:
            while True:
                started_s = time.monotonic()
                sight = watch.sight(self.desk.now())
                self._show(faces, sight)
                if sight.state.over:
                    return
                self.rest(max(REST_S, RESTS * (time.monotonic() - started_s)))
        finally:
            for face in faces:
                face.close(None, self.desk.now())

    def _show(self, faces: list[Face], sight: Sight) -> None:
        for face in faces:
            face.show(sight, self.desk.now())

    def _watch(self, send: Send) -> Watch:
        try:
            limits = named_relay(self.desk.config, send.relay).limits
        except ConfigError:  # it was sent by a relay that is no longer there
            limits = Limits()
        return Watch(self.store, send, limits)
