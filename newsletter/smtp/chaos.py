"""What an inbox does wrong on purpose, so that a send can be tried against a bad day.

Enters: a rule somebody wrote, then recipients. Leaves: the fault to commit, or none. The same rule
and seed give the same faults, whatever order the mails come in: the dice are a hash. Knows no
socket. Nothing here says "no such mailbox" by chance: that would suppress a subscriber for good.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256

from newsletter.errors import UsageError
from newsletter.model import Stage

_WORDS = re.compile(r"(defer|reject|drop|slow)(?:\+([a-z0-9.+-]+))?", re.IGNORECASE)
_REPLY = re.compile(r"([45]\d\d)(?:-([45]\.\d{1,3}\.\d{1,3}))?")
_SECONDS = re.compile(r"(\d{1,3})s")
LONGEST_WAIT_S = 600.0


class Wrong(StrEnum):
    """What can go wrong."""

    DEFER = "defer"
    REJECT = "reject"
    DROP = "drop"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to do wrong at a stage, RCPT or DOT: say `reply`, or hang up, or wait so many
    seconds first. `filed` means that a mail whose line is dropped was taken all the same."""

    wrong: Wrong
    stage: Stage
    reply: str = ""
    wait_s: float = 0.0
    filed: bool = False


_USUAL = {
    Wrong.DEFER: Fault(Wrong.DEFER, Stage.RCPT, "450 4.2.0 not now, says chaos"),
    Wrong.REJECT: Fault(Wrong.REJECT, Stage.RCPT, "552 5.2.2 mailbox full, says chaos"),
    Wrong.DROP: Fault(Wrong.DROP, Stage.DOT),
    Wrong.SLOW: Fault(Wrong.SLOW, Stage.DOT, wait_s=2.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chaos:
    """A rule: the share of each fault, from 0 to 1, seconds to wait when slow, and the seed."""

    defer: float = 0.0
    reject: float = 0.0
    drop: float = 0.0
    slow: float = 0.0
    wait: float = 2.0
    seed: int = 0

    def fault(self, rcpt_to: str, offer: int) -> Fault | None:
        """What goes wrong for this recipient's mail when it is offered for the `offer`th time,
        counted from 0; what the address asks for comes before the dice."""
        asked = _asked(rcpt_to.partition("@")[0], offer)
        if asked is not None:
            return asked
        thrown = self._dice(rcpt_to, offer, "what")
        for wrong in Wrong:
            share = float(getattr(self, wrong))
            if thrown < share:
                filed = wrong is Wrong.DROP and self._dice(rcpt_to, offer, "filed") < 0.5
                wait = self.wait if wrong is Wrong.SLOW else 0.0
                return replace(_USUAL[wrong], filed=filed, wait_s=wait)
            thrown -= share
        return None

    def _dice(self, rcpt_to: str, offer: int, about: str) -> float:
        digest = sha256(f"{self.seed}\0{rcpt_to.lower()}\0{offer}\0{about}".encode()).digest()
        return int.from_bytes(digest[:7], "big") / 2**56


def parse_chaos(rule: str) -> Chaos:
    """The rule as typed: parts such as `defer=0.05,reject=1%,drop=0.01,slow=0.1,wait=2,seed=7`, or
    a share alone, for deferrals with a fifth of it for refusals and dropped lines each. Raises
    UsageError."""
    if "=" not in rule:
        share = _share(rule, rule)
        return Chaos(defer=share, reject=share / 5, drop=share / 5)
    values = dict(_parts(rule))
    chaos = Chaos(
        **{wrong.value: _share(values.get(wrong, "0"), rule) for wrong in Wrong},
        wait=_number(values.get("wait", "2"), rule, LONGEST_WAIT_S),
        seed=int(_number(values.get("seed", "0"), rule, 2**53)),
    )
    if chaos.defer + chaos.reject + chaos.drop + chaos.slow > 1:
        raise _refused(rule, "the shares add up to more than 1")
    return chaos


def _parts(rule: str) -> Iterator[tuple[str, str]]:
    known = (*Wrong, "wait", "seed")
    for part in rule.split(","):
        name, _, value = (word.strip() for word in part.partition("="))
        if name not in known:
            raise _refused(rule, f"{name!r} is none of {', '.join(known)}")
        yield name, value


def _share(text: str, rule: str) -> float:
    if text.strip().endswith("%"):
        return _number(text.strip()[:-1], rule, 100) / 100
    return _number(text, rule, 1)


def _number(text: str, rule: str, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        raise _refused(rule, f"{text.strip()!r} is no number") from None
    if not 0 <= number <= most:
        raise _refused(rule, f"{text.strip()} is not between 0 and {most:g}")
    return number


def _refused(rule: str, fault: str) -> UsageError:
    return UsageError(
        f"--chaos {rule}: {fault}",
        hint="a share such as 0.05, or defer=0.05,reject=0.01,drop=0.01,slow=0.1,wait=2,seed=7",
    )


def _asked(local_part: str, offer: int) -> Fault | None:
    """The fault that an address asks for by its name."""
    match = _WORDS.fullmatch(local_part)
    if match is None:
        return None
    fault = _USUAL[Wrong(match[1].lower())]
    for word in (match[2] or "").lower().split("+"):
        if word == "once" and offer > 0:
            return None
        fault = _in_detail(fault, word)
    return fault


def _in_detail(fault: Fault, word: str) -> Fault:
    if word in ("rcpt", "dot"):
        return replace(fault, stage=Stage(word))
    reply, seconds = _REPLY.fullmatch(word), _SECONDS.fullmatch(word)
    if reply and fault.wrong in (Wrong.DEFER, Wrong.REJECT):
        said = " ".join(filter(None, (reply[1], reply[2], "says chaos")))
        return replace(fault, reply=said)
    if seconds and fault.wrong is Wrong.SLOW:
        return replace(fault, wait_s=min(float(seconds[1]), LONGEST_WAIT_S))
    return fault
