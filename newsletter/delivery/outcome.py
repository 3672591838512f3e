"""A relay's reply -> what the ledger says of the recipient.

Who is at fault decides (deliverability 3): a refusal that would meet every recipient alike is
ours, and it never fails, let alone suppresses, a recipient.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from newsletter.model import Delivery, DeliveryState, Reply, Stage

MAX_ATTEMPTS = 5
FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=1)

# RFC 3463: our sender address (5.1.7, 5.1.8), size, protocol, content and policy are the same for
# everybody; the other addressing and mailbox codes are the recipient's own.
OUR_STATUS = re.compile(r"5\.(?:1\.[78]$|3\.4|[567]\.)")
THEIR_STATUS = re.compile(r"5\.[12]\.")
THEIR_WORDS = re.compile(
    r"(?:user|mailbox|recipient|address|account).{0,20}"
    r"(?:unknown|not found|does not exist|unavailable|disabled|full)|no such (?:user|mailbox)",
    re.IGNORECASE,
)
OUR_WORDS = re.compile(
    r"spam|block(?:ed|list)|policy|reputation|rbl|not authori[sz]ed|relay(?:ing)? denied|quota"
    r"|exceeded|dmarc|dkim|\bspf\b",
    re.IGNORECASE,
)


def outcome(delivery: Delivery, reply: Reply, now: datetime) -> Delivery:
    """The row as the relay's last word leaves it: ACCEPTED, DEFERRED (with `next_at`), FAILED."""
    answered = replace(delivery, reply=reply, next_at=None, reason="")
    if reply.positive and reply.stage is Stage.DOT:
        return replace(answered, state=DeliveryState.ACCEPTED)
    if ours(reply):
        return replace(
            answered,
            state=DeliveryState.DEFERRED,
            reason="the relay refused us, not the recipient",
            next_at=now + FIRST_WAIT,
        )
    said_later = delivery.deferrals + 1
    if reply.transient and said_later < MAX_ATTEMPTS:
        return replace(
            answered,
            state=DeliveryState.DEFERRED,
            next_at=now + wait(said_later),
            deferrals=said_later,
        )
    why = "refused" if reply.permanent else f"gave up after {said_later} attempts"
    return replace(answered, state=DeliveryState.FAILED, reason=why)


def ours(reply: Reply) -> bool:
    """Whether a permanent refusal is about the sender, the content or a policy: it would meet
    every recipient alike."""
    if not reply.permanent:
        return False
    if reply.stage not in (Stage.RCPT, Stage.DATA, Stage.DOT) or OUR_STATUS.match(reply.status):
        return True
    if THEIR_STATUS.match(reply.status) or THEIR_WORDS.search(reply.text):
        return False
    return reply.stage is not Stage.RCPT or bool(OUR_WORDS.search(reply.text))


def wait(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 5 minutes, doubled each time, an hour at most."""
    doublings = min(max(attempts - 1, 0), 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
