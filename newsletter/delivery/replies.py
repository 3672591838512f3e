"""What the relay said to a crowd: the same words to many are one group.

Tallies of the ledger enter, groups leave, the biggest first. It tells nobody's address: what is
somebody's own in an answer (addresses, hosts' numbers, queue ids, times) is folded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.delivery.advice import Advice, advice
from newsletter.model import DeliveryState, Reply, ReplyTally

LONGEST = 240
# In this order: what one pattern leaves, the next must not take apart.
FOLDS = (
    (re.compile(r"<?[^\s<>()\[\]\",;:]*@[^\s<>()\[\]\",;]+>?|<<address>>"), "<address>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"), "…"),
    (re.compile(r"(?<![\w:])\d\d:\d\d:\d\d(?![\w:])"), "…"),
    (re.compile(r"(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"), "<ip>"),
    # a single colon in front is a port's
    (
        re.compile(
            r"(?<![\w:])(?!:[^:])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?:<ip>)?(?![\w:])"
        ),
        "<ip>",
    ),
    # a word of eight and more signs with two digits in it is a queue's or a session's name
    (re.compile(r"(?<![\w.=/-])(?=[\w.=-]*\d[\w.=-]*\d)[\w.=-]{8,}"), "…"),
    (re.compile(r"(?<![\w.-])(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{4,}(?![\w.-])"), "…"),
    # RFC 3463 statuses, the code before one, and providers' codes (S3150, TSS04) mean something;
    # other numbers count
    (
        re.compile(
            r"(?<![\w.<])(?![245]\d\d [245]\.\d|(?<=us: )[245]\d\d |(?<=answered )[245]\d\d )"
            r"\d+(?:[:.,]\d+)?(?![\w.]*\w)(?!\.\d)"
        ),
        "…",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyGroup:
    """So many recipients in one state for one reason: `reply` is what was said, folded, None when
    nothing was; `advice` says what it means and what to do."""

    state: DeliveryState
    reason: str
    reply: Reply | None
    count: int
    first_at: datetime
    last_at: datetime
    advice: Advice


def fold(text: str) -> str:
    """The text without what differs from one recipient, or one minute, to the next. Idempotent."""
    text = " ".join(text.split())
    for pattern, sign in FOLDS:
        text = pattern.sub(sign, text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def groups(tallies: Iterable[ReplyTally]) -> list[ReplyGroup]:
    """The tallies with the same state, reason, stage, code, status and folded text added up."""
    found: dict[object, ReplyGroup] = {}
    for tally in tallies:
        group = _group(tally)
        key = (group.state, group.reason, group.reply)
        known = found.get(key)
        found[key] = group if known is None else _together(known, group)
    return sorted(found.values(), key=lambda group: (-group.count, group.reason))


def _group(tally: ReplyTally) -> ReplyGroup:
    reply = tally.reply
    # What was said to an earlier attempt explains nothing when the line died, or nobody asked.
    about_it = reply is not None and not _unasked(tally)
    return ReplyGroup(
        state=tally.state,
        reason=fold(tally.reason),
        reply=reply._replace(text=fold(reply.text)) if reply and about_it else None,
        count=tally.count,
        first_at=tally.first_at,
        last_at=tally.last_at,
        advice=advice(tally.state, tally.reason, reply if about_it else None),
    )


def _unasked(tally: ReplyTally) -> bool:
    return tally.state is DeliveryState.UNKNOWN or "is paused in this run" in tally.reason


def _together(one: ReplyGroup, other: ReplyGroup) -> ReplyGroup:
    return replace(
        one,
        count=one.count + other.count,
        first_at=min(one.first_at, other.first_at),
        last_at=max(one.last_at, other.last_at),
    )
