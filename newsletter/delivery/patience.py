"""When a mailbox that is not said to be gone counts as gone.

What it answered in several issues enters, a yes or no leaves. One refusal may be the issue's fault,
or a bad week; the same again and again is a mailbox that nobody reads (deliverability 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from newsletter.model import Refusal


@dataclass(frozen=True, slots=True)
class Limit:
    """So many issues refused, and so long from the first to the last of them."""

    issues: int
    span: timedelta


# By the reasons that the table of replies gives. A full mailbox is emptied some day, and a relay
# that cannot write to it has said nothing of it.
LIMITS = {
    "the mailbox is disabled": Limit(2, timedelta(days=1)),
    "refused": Limit(3, timedelta(days=7)),
    "no way to the mailbox": Limit(3, timedelta(days=7)),
}


def is_gone(refusals: Iterable[Refusal]) -> bool:
    """Whether nobody is there any more; `refusals` are those since the last mail they got."""
    given = list(refusals)
    return any(
        _reached(limit, [one for one in given if one.reason == reason])
        for reason, limit in LIMITS.items()
    )


def _reached(limit: Limit, refusals: list[Refusal]) -> bool:
    if len({one.slug for one in refusals}) < limit.issues:
        return False
    return max(one.at for one in refusals) - min(one.at for one in refusals) >= limit.span
