"""How a run ended: what a person reads, what a program does, and the exit code.

A send's entry and its counts enter. It asks no ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from newsletter.cli.dry_run import people, written_out
from newsletter.model import DeliveryState, SendEntry, SendState

EXIT_INCOMPLETE = 4
EXIT_STOPPED = 5


def exit_code(state: SendState, progress: Counter[DeliveryState]) -> int:
    """0 all accepted, 5 work is left or was given up, 4 some recipients failed, are deferred or
    unknown."""
    left = progress[DeliveryState.PENDING] or progress[DeliveryState.CLAIMED]
    if left or state is SendState.CANCELLED:
        return EXIT_STOPPED
    bad = (DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNKNOWN)
    return EXIT_INCOMPLETE if any(progress[state] for state in bad) else 0


def ended_facts(
    send: SendEntry, progress: Counter[DeliveryState], seconds: float
) -> dict[str, Any]:
    """The last event of a run."""
    return {
        "command": "send",
        "event": "done",
        "issue": send.slug,
        "state": send.state.value,
        "hold": send.hold,
        "not_before": send.not_before.isoformat() if send.not_before else None,
        "sent": progress[DeliveryState.ACCEPTED],
        "seconds": round(seconds, 3),
        **{state.value: progress[state] for state in DeliveryState},
        "exit": exit_code(send.state, progress),
    }


def counts(progress: Counter[DeliveryState], seconds: float) -> str:
    """What a person reads first."""
    text = (
        f"sent {progress[DeliveryState.ACCEPTED]:,}"
        f"   deferred {progress[DeliveryState.DEFERRED]:,}"
        f"   failed {progress[DeliveryState.FAILED]:,}"
        f"   unknown {progress[DeliveryState.UNKNOWN]:,}   {seconds:.1f} s"
    )
    left = progress[DeliveryState.PENDING] + progress[DeliveryState.CLAIMED]
    return f"stopped   {text}   {left:,} left.  Nobody gets it twice." if left else text


def what_next(
    send: SendEntry, progress: Counter[DeliveryState], due_at: datetime | None, zone: ZoneInfo
) -> Iterator[str]:
    """What a person reads then, a line each; `due_at` is when the first row is due."""
    if send.hold:
        yield f"  held:  {send.hold}"
    if not send.state.over:
        yield f"  {goes_on(send, due_at, zone)}"
    elif send.state is SendState.CANCELLED:
        left = send.recipients - progress[DeliveryState.ACCEPTED]
        yield f"  cancelled:  {people(left)} did not get it; newsletter send {send.slug} --only-new"
    elif exit_code(send.state, progress):
        who = "failed" if progress[DeliveryState.FAILED] else "unknown"
        yield f"  who:  newsletter status {send.slug} --who {who}"
    if send.local:
        yield "  it stayed on this machine: nobody else has got it, and it can still be sent"
    yield f"  report:  newsletter report {send.slug} --open"


def goes_on(send: SendEntry, due_at: datetime | None, zone: ZoneInfo) -> str:
    """When and by whom a send that waits goes on, and how to make it."""
    by_hand = f"newsletter resume {send.slug}"
    later = max(filter(None, (send.not_before, due_at)), default=send.frozen_at)
    if send.hold or later <= send.frozen_at:
        return f"go on:  {by_hand}"
    return f"goes on {written_out(later, zone)}:  newsletter worker or tick, or {by_hand}"
