"""Ways to show a send as it goes: a screen for a person, lines for a log, events for a program.

Sights enter at most as often as a face asks for; text leaves on its stream. A Pulse looks and shows
beside the thread that sends, which only counts.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self
from zoneinfo import ZoneInfo

from newsletter.cli.boundary import answer, note
from newsletter.cli.sight import Sight
from newsletter.delivery.replies import ReplyGroup, groups
from newsletter.errors import NewsletterError
from newsletter.model import DeliveryState, Turn, TurnKind
from newsletter.report.words import duration, rate
from newsletter.store import Store

if TYPE_CHECKING:
    from rich.live import Live

PULSE_S = 0.25
SCREEN_S = 0.25
EVENT_S = 1.0
LINE_S = 10.0
GOODBYE_S = 5.0
EVENT_NAMES = {TurnKind.SLOWED: "throttled"}


class Face(Protocol):
    """Shows a sight no more often than every `every_s`; `close` is shown the last one,
    None when there was nothing to be seen any more."""

    every_s: float

    def show(self, sight: Sight, now: datetime) -> None: ...
    def close(self, sight: Sight | None, now: datetime) -> None: ...


class Screen:
    """A live view on stderr, gone when it is closed: the summary stays."""

    every_s = SCREEN_S

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._live: Live | None = None

    def show(self, sight: Sight, now: datetime) -> None:
        from newsletter.cli.screen import picture  # noqa: PLC0415

        if self._live is None:
            self._live = _started()
        self._live.update(picture(sight, now, self.zone), refresh=True)

    def close(self, sight: Sight | None, now: datetime) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def _started() -> Live:
    from rich.console import Console  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415

    live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
    live.start()
    return live


class Lines:
    """A plain line on stderr now and then, for logs and pipes."""

    every_s = LINE_S

    def __init__(self) -> None:
        self._said_s = time.monotonic()

    def show(self, sight: Sight, now: datetime) -> None:
        if time.monotonic() - self._said_s < self.every_s:
            return
        self._said_s = time.monotonic()
        note(line(sight))

    def close(self, sight: Sight | None, now: datetime) -> None:
        pass


def line(sight: Sight) -> str:
    """The sight as one line of a log."""
    words = [f"{sight.state.value} {sight.done:,}/{sight.total:,}"]
    if sight.per_second is not None:
        words.append(f"{rate(sight.per_second)}/s")
    if sight.left_s is not None:
        words.append(f"{duration(sight.left_s)} left")
    states = (DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNKNOWN)
    words += [
        f"{state.value} {sight.counts[state]:,}" for state in states if sight.counts.get(state)
    ]
    return "   ".join(words)


class Events:
    """One line of JSON on stdout for each thing that happens, and each second for how far it is."""

    every_s = EVENT_S

    def __init__(self) -> None:
        self._told = 0

    def started(self, facts: Mapping[str, Any]) -> None:
        emit("started", facts)

    def show(self, sight: Sight, now: datetime) -> None:
        self._tell_turns(sight)
        emit("progress", progress(sight))

    def close(self, sight: Sight | None, now: datetime) -> None:
        if sight is not None:
            self.show(sight, now)

    def _tell_turns(self, sight: Sight) -> None:
        for turn in sight.turns:
            if turn.id > self._told:
                self._told = turn.id
                name = EVENT_NAMES.get(turn.kind, turn.kind.value.replace(" ", "-"))
                if turn.kind is not TurnKind.DONE:  # the last event says so
                    emit(name, {"issue": sight.slug, **turn_facts(turn)})


def emit(event: str, facts: Mapping[str, Any]) -> None:
    """Print one event."""
    answer({"event": event, **facts}, as_json=True)


def progress(sight: Sight) -> dict[str, Any]:
    """The sight as numbers."""
    return {
        "issue": sight.slug,
        "state": sight.state.value,
        "done": sight.done,
        "total": sight.total,
        **{
            state.value: sight.counts.get(state, 0)
            for state in DeliveryState
            if state in sight.counts
        },
        "per_second": None if sight.per_second is None else round(sight.per_second, 2),
        "seconds_left": None if sight.left_s is None else round(sight.left_s, 1),
        "throttled": sight.throttled,
        "slowed": dict(sight.slowed),
        "domains": dict(sight.domains),
        "answer": sight.answer,
    }


def turn_facts(turn: Turn) -> dict[str, Any]:
    """A turn as JSON, without what it has not."""
    facts = {
        "at": turn.at.isoformat(),
        "why": turn.why,
        "until": turn.until.isoformat() if turn.until else None,
        "number": turn.number,
        "relay": turn.relay,
        "goes_on_by": list(turn.goes_on_by),
    }
    return {key: value for key, value in facts.items() if value not in (None, "", [])}


def group_facts(group: ReplyGroup) -> dict[str, Any]:
    """A group of replies as JSON."""
    reply = group.reply
    return {
        "state": group.state.value,
        "count": group.count,
        "stage": reply.stage.value if reply else None,
        "code": reply.code if reply else None,
        "status": reply.status if reply else None,
        "text": reply.text if reply else None,
        "reason": group.reason,
        "means": group.advice.means,
        "todo": group.advice.todo,
        "first_at": group.first_at.isoformat(),
        "last_at": group.last_at.isoformat(),
    }


def tell_replies(store: Store, send_id: int, slug: str) -> None:
    """One event for each group of replies of the send."""
    for group in groups(store.by_reply(send_id)):
        emit("replies", {"issue": slug, **group_facts(group)})


class Pulse:
    """While it is open, the faces are shown what there is to see; when it closes, the last of it.

    A face that cannot be shown (its reader has gone, the database is locked) is not shown any more:
    the mails go on."""

    def __init__(
        self, look: Callable[[bool], Sight], now: Callable[[], datetime], faces: Sequence[Face]
    ) -> None:
        self.look, self.now = look, now
        self.faces = [(face, time.monotonic() + face.every_s) for face in faces]
        self._over = Event()
        self._thread = Thread(target=self._run, name="pulse", daemon=True)

    def __enter__(self) -> Self:
        if self.faces:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.faces:
            return
        self._over.set()
        self._thread.join(GOODBYE_S)
        sight = None
        with suppress(OSError, NewsletterError):
            sight = self.look(True)
        for face, _ in self.faces:
            with suppress(OSError):
                face.close(sight, self.now())

    def _run(self) -> None:
        with suppress(OSError, NewsletterError):
            while not self._over.wait(PULSE_S):
                self._beat()

    def _beat(self) -> None:
        sight = self.look(False)
        for number, (face, due_s) in enumerate(self.faces):
            if time.monotonic() >= due_s:
                face.show(sight, self.now())
                self.faces[number] = (face, time.monotonic() + face.every_s)


def faces_for(zone: ZoneInfo, events: Events | None) -> list[Face]:
    """The faces that fit where the two streams lead."""
    faces: list[Face] = [events] if events else []
    if events and sys.stdout.isatty():  # the two would write over each other
        return faces
    return [*faces, Screen(zone) if screen_fits() else Lines()]


def screen_fits() -> bool:
    """Whether stderr is a terminal that can be drawn on."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb"
