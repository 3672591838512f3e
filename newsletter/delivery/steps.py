"""What a send needs next, whoever asks: a person at the terminal, the worker, or cron.

A send and the ledger enter, a Step leaves; `take` is one of them taken. It knows no relay and does
not deliver.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.delivery.breaker import QUOTA
from newsletter.delivery.replies import fold
from newsletter.delivery.verdicts import HOURLY
from newsletter.errors import RelayError, RelayRefused, SendRefused
from newsletter.model import DeliveryState, Send, TurnKind
from newsletter.model.ledger import SendState
from newsletter.store import Store

# What a canary that went badly is held with; a hold of another kind says nothing about it.
CANARY = "canary: "
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=10)
QUOTA_PAUSE = timedelta(hours=24)
AN_HOUR = timedelta(hours=1)
ANSWERED_BADLY = (DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.DEFERRED)


class Step(StrEnum):
    """FREEZE its audience, DELIVER what is due, JUDGE the canary, WAIT until a time, stay HELD
    until somebody resumes it, or nothing: it is OVER."""

    FREEZE = "freeze"
    DELIVER = "deliver"
    JUDGE = "judge"
    WAIT = "wait"
    HELD = "held"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryRule:
    """How long a canary is watched, and the share of it that may go badly (0 to 1)."""

    watch: timedelta = timedelta(minutes=10)
    most_failed: float = 0.05


@dataclass(frozen=True, slots=True)
class Next:
    """A step, and until when a WAIT lasts."""

    step: Step
    until: datetime | None = None


def next_step(store: Store, send: Send, now: datetime) -> Next:
    """What is to be done with the send now."""
    if send.state.over or send.hold:
        return Next(Step.OVER if send.state.over else Step.HELD)
    if send.not_before is not None and send.not_before > now:
        return Next(Step.WAIT, send.not_before)
    if send.state is SendState.PREPARING:
        return Next(Step.FREEZE)
    due_at = goes_on_at(store, send.id)
    if due_at is not None and due_at <= now:
        return Next(Step.DELIVER)
    if not send.widened and not unanswered(store.canary_progress(send.id)):
        return Next(Step.JUDGE)
    return Next(Step.WAIT, due_at) if due_at is not None else Next(Step.DELIVER)


def goes_on_at(store: Store, send_id: int) -> datetime | None:
    """When the first row is due that waits, or is in doubt and is to be offered again."""
    return min(filter(None, (store.due_at(send_id), store.again_at(send_id))), default=None)


def judge(store: Store, send: Send, rule: CanaryRule, now: datetime) -> Send:
    """The send once its canary has been answered: watched for a while, then widened to everybody,
    or held when too many of the sample went badly. While it is being watched nothing changes."""
    if send.not_before is None:
        return store.hold(send.id, "", now, not_before=now + rule.watch)
    if send.not_before > now:
        return send
    progress = store.canary_progress(send.id)
    bad = sum(progress[state] for state in ANSWERED_BADLY)
    if bad > rule.most_failed * progress.total():
        reason = f"{CANARY}{bad} of {progress.total()} failed, are deferred or unknown"
        return store.hold(send.id, reason, now)
    return store.widen(send.id, now)


def went_badly(send: Send) -> bool:
    """Whether it is held for its canary's sake."""
    return not send.widened and send.hold.startswith(CANARY)


def watched(store: Store, send: Send, now: datetime) -> bool:
    """Whether its canary has been answered and is being watched."""
    waits = send.not_before is not None and send.not_before > now
    return waits and not send.widened and not unanswered(store.canary_progress(send.id))


def rest_after(store: Store, send_id: int, error: RelayError, now: datetime) -> Send:
    """The send that a relay's error broke off, kept from going on by itself at once: a refusal is
    somebody's to mend (the same password again and again locks an account), an allowance takes an
    hour or a day, and a relay that is not there is asked again after a minute, the fifth time
    within an hour after ten."""
    if error.code == QUOTA:
        hourly = re.search(HOURLY, error.message, re.IGNORECASE)
        return store.hold(send_id, "", now, not_before=now + (AN_HOUR if hourly else QUOTA_PAUSE))
    if isinstance(error, RelayRefused):
        return store.hold(send_id, fold(error.message), now)
    turns = store.turns(send_id)
    failures = sum(t.kind is TurnKind.BROKEN_OFF and t.at > now - AN_HOUR for t in turns)
    pause = FIRST_PAUSE * (1 << min(max(failures - 1, 0), 4))
    return store.hold(send_id, "", now, not_before=now + min(pause, LONGEST_PAUSE))


def unanswered(progress: Counter[DeliveryState]) -> int:
    """How many of the sample have had no answer from the relay yet."""
    return progress[DeliveryState.PENDING] + progress[DeliveryState.CLAIMED]


def at_work(store: Store, send_id: int) -> bool:
    """Whether a process is sending it: one that dies says nothing, but gives up its lock."""
    try:
        with store.sender_lock(send_id):
            return False
    except SendRefused:
        return True


def settle_the_dead(store: Store, slug: str | None, now: datetime) -> None:
    """Find out who is in doubt after a sender (of that issue) was killed, before anybody is asked
    about them. A sender that is at work settles its own rows."""
    for send in store.entries(slug):
        if not send.state.over and store.progress(send.id)[DeliveryState.CLAIMED]:
            with suppress(SendRefused), store.sender_lock(send.id):
                store.recover(send.id, now)


def start(store: Store, send: Send, now: datetime) -> Send:
    """The send whose time has come, with its audience; cancelled when there is nobody."""
    frozen = store.freeze_prepared(send.id, now)
    return frozen if frozen.recipients else store.cancel(send.id, now)
