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

# RFC 3463 subjects that speak of policy, protocol or content: the same for everybody.
OUR_STATUS = re.compile(r"^5\.(?:[567]\.|3\.4)")
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
    if reply.transient and delivery.attempts < MAX_ATTEMPTS:
        return replace(
            answered, state=DeliveryState.DEFERRED, next_at=now + wait(delivery.attempts)
        )
    why = "refused" if reply.permanent else f"gave up after {delivery.attempts} attempts"
    return replace(answered, state=DeliveryState.FAILED, reason=why)


def ours(reply: Reply) -> bool:
    """Whether the refusal is about the sender, the content or a policy, not the recipient."""
    if reply.positive:
        return False
    if reply.stage is not Stage.RCPT and reply.permanent and not reply.status.startswith("5.1."):
        return True
    return reply.permanent and bool(OUR_STATUS.match(reply.status) or OUR_WORDS.search(reply.text))


def wait(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 5 minutes, doubled each time, an hour at most."""
    return min(FIRST_WAIT * 2 ** max(attempts - 1, 0), LONGEST_WAIT)
