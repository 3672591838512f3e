"""A ruling on a reply -> what the ledger says of the recipient.

Only HARD and SOFT fail a person, and RETRY when it does not end; whatever is said about us leaves
the row DEFERRED (promise 6), for days when it is their domain that says it, else however often.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from newsletter.delivery.verdicts import Ruling, Scope, Verdict, ruling
from newsletter.model import Delivery, DeliveryState, Reply, Stage, row_of

MAX_ATTEMPTS = 5
# Some four days, an hour apart (RFC 5321 4.5.4.1): a domain that has not changed its mind will not.
MOST_OFFERS = 100
FIRST_WAIT = timedelta(minutes=5)
THROTTLE_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
JITTER = 0.25


def outcome(delivery: Delivery, reply: Reply, now: datetime, jitter: float = 0.0) -> Delivery:
    """The row as the relay's last word leaves it: ACCEPTED, FAILED, or DEFERRED with `next_at`.

    `jitter` (0 to 1) lengthens a wait by up to a quarter, so that a thousand mails deferred at
    once do not come back at once.
    """
    told = ruling(reply)
    said_later = delivery.deferrals + _about_them(told)
    state, reason, next_at = DeliveryState.DEFERRED, told.because, None
    if told.verdict is Verdict.ACCEPTED:
        state = DeliveryState.ACCEPTED
    elif _fails(told, reply):
        state = DeliveryState.FAILED
    elif tries := _too_many(told, said_later, delivery.attempts):
        state = DeliveryState.FAILED
        reason = f"gave up after {tries} attempts: {reason}"
    else:
        at_once = stops_at_once(told, reply)
        next_at = now if at_once else now + _wait(told, said_later or delivery.attempts, jitter)
        delivery = delivery._replace(deferrals=said_later)
    return delivery._replace(state=state, reason=reason, reply=reply, next_at=next_at)


def accepted(row: Delivery, reply: Reply, message_id: str, relay: str) -> Delivery:
    """The row as a yes to its content leaves it: what `outcome` would say, in a third of the
    time."""
    send_id, who, address, name, _, fields, _, attempts, deferrals, _, _, _, _, updated_at = row
    person = (send_id, who, address, name, DeliveryState.ACCEPTED, fields)
    return row_of((*person, "", attempts, deferrals, message_id, relay, reply, None, updated_at))


def stops_at_once(told: Ruling, reply: Reply) -> bool:
    """Whether one such reply is enough: our allowance or our sender, not perhaps this content."""
    return told.verdict is Verdict.QUOTA or (
        told.verdict is Verdict.FATAL and reply.stage not in (Stage.RCPT, Stage.DATA, Stage.DOT)
    )


def _about_them(told: Ruling) -> bool:
    """Whether it may be given up: a relay that is busy for a day is no fault of the reader's."""
    return told.scope is Scope.RECIPIENT


def _too_many(told: Ruling, said_later: int, attempts: int) -> int:
    """How often it was tried, when that was often enough; else 0."""
    if _about_them(told):
        return said_later if said_later >= MAX_ATTEMPTS else 0
    return attempts if told.scope is Scope.DOMAIN and attempts >= MOST_OFFERS else 0


def _fails(told: Ruling, reply: Reply) -> bool:
    return told.verdict is Verdict.HARD or (told.verdict is Verdict.SOFT and reply.permanent)


def _wait(told: Ruling, attempts: int, jitter: float) -> timedelta:
    first = THROTTLE_WAIT if told.verdict is Verdict.THROTTLE else FIRST_WAIT
    return wait(attempts, first) * (1 + JITTER * jitter)


def wait(attempts: int, first: timedelta = FIRST_WAIT) -> timedelta:
    """How long to wait after so many attempts: `first`, doubled each time, an hour at most."""
    doublings = min(max(attempts - 1, 0), 10)
    return min(first * (1 << doublings), LONGEST_WAIT)
