"""A relay's reply -> whose fault it is, and what follows from that: one table, read from the top.

A Reply enters, a Ruling leaves. The texts of known providers are believed first, then the RFC 3463
status, then words, then the bare code, each at its stage (deliverability 3). Who is at fault
decides everything: a refusal that would meet every recipient of a domain alike is that domain's
word on us, and never the recipient's (promise 6). It knows no ledger and no clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from newsletter.model import Reply, Stage


class Scope(StrEnum):
    """Whom the reply would meet again: this person, their domain, or everybody."""

    RECIPIENT = "recipient"
    DOMAIN = "domain"
    RUN = "run"


class Verdict(StrEnum):
    """What follows. HARD: no such person, suppress. SOFT: this issue cannot reach them. RETRY:
    later. POLICY: they do not want mail from us. THROTTLE: too fast. QUOTA: our allowance is used
    up. FATAL: our fault, whoever it is for."""

    ACCEPTED = "accepted"
    HARD = "hard"
    SOFT = "soft"
    RETRY = "retry"
    POLICY = "policy"
    THROTTLE = "throttle"
    QUOTA = "quota"
    FATAL = "fatal"


SCOPES = {
    Verdict.ACCEPTED: Scope.RECIPIENT,
    Verdict.HARD: Scope.RECIPIENT,
    Verdict.SOFT: Scope.RECIPIENT,
    Verdict.RETRY: Scope.RECIPIENT,
    Verdict.POLICY: Scope.DOMAIN,
    Verdict.THROTTLE: Scope.DOMAIN,
    Verdict.QUOTA: Scope.RUN,
    Verdict.FATAL: Scope.RUN,
}


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict on one reply, and why, in words for the ledger."""

    verdict: Verdict
    scope: Scope
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row: every pattern that is given must match. `code` and `status` match whole, `text`
    anywhere and in any case; `at` names stages."""

    verdict: Verdict
    because: str
    at: tuple[Stage, ...] = ()
    code: str = ""
    status: str = ""
    text: str = ""
    scope: Scope | None = None

    def matches(self, reply: Reply) -> bool:
        return (
            (not self.at or reply.stage in self.at)
            and (not self.code or re.fullmatch(self.code, str(reply.code)) is not None)
            and (not self.status or re.fullmatch(self.status, reply.status) is not None)
            and (not self.text or re.search(self.text, reply.text, re.IGNORECASE) is not None)
        )

    @property
    def ruling(self) -> Ruling:
        return Ruling(self.verdict, self.scope or SCOPES[self.verdict], self.because)


SESSION = (Stage.CONNECT, Stage.EHLO, Stage.TLS, Stage.AUTH)
MAIL = (Stage.MAIL,)
RCPT = (Stage.RCPT,)
DOT = (Stage.DOT,)
DATA = (Stage.DATA,)
V, RUN = Verdict, Scope.RUN

BLOCKLISTS = (
    r"spamhaus|spamcop|barracuda|\brbl\b|dnsbl|(block|black) ?list|blocked using|reputation"
)
RATE = r"\brate\b|too (many|fast|much)|throttl|slow down|excessive|unusual|temporarily deferred"
DAILY = r"daily.{0,40}(limit|quota|exceeded)|sending (limit|quota)|limit.{0,20}per day"
HOURLY = (
    r"(limit|quota|max|exceed|too many).{0,60}\b(per|an|each|this) hour\b"
    r"|\bhourly\b.{0,40}(limit|quota|exceed)"
)
FLOOD = r"\brate\b|too (fast|many (mail|message|email|connection|request))|throttl|slow down"
NOBODY = (
    r"(user|recipient|mailbox|address|account|local part) (is )?(unknown|not found)"
    r"|unknown (user|recipient|mailbox|address)|(does not|doesn't) exist|no longer (on|valid)"
    r"|(no|not) such (user|recipient|mailbox|person|address)|invalid (recipient|mailbox)"
)
SUSPECT = (
    r"spam|policy|block|dmarc|dkim|\bspf\b|not authori[sz]ed|virus|phish|\burls?\b"
    r"|client host|helo|hostname|reverse|\bptr\b"
)
OUR_SENDER = (
    r"\bsender\b.{0,40}(reject|unknown|invalid|not (exist|found)|refused|verif)"
    r"|verification failed for|\bsender('s)? (address|domain)"
)
RELAYING = r"relay(ing)? (access )?(is )?(denied|not permitted|not allowed|prohibited)|to relay"
BEYOND_ASCII = "the relay does not take addresses outside ASCII (SMTPUTF8, RFC 6531)"

TABLE: tuple[Rule, ...] = (
    Rule(verdict=V.ACCEPTED, because="", at=DOT, code="2.."),
    # before MAIL nobody's address was spoken
    Rule(verdict=V.RETRY, scope=RUN, because="the relay is busy", at=SESSION, code="4.."),
    Rule(verdict=V.FATAL, because="the relay does not let us in", at=SESSION, code="5.."),
    # what providers say in words, whatever their code claims
    Rule(verdict=V.QUOTA, because="our daily allowance is used up", text=DAILY),
    Rule(verdict=V.QUOTA, because="our hourly allowance is used up", text=HOURLY),
    Rule(
        verdict=V.RETRY,
        because="enough on this connection",
        code="4..",
        text=r"per (connection|session)",
    ),
    Rule(verdict=V.THROTTLE, because="Yahoo defers us", code="4..", text=r"\[TSS\d+\]"),
    Rule(verdict=V.POLICY, because="Yahoo refuses us", text=r"\[(TSS\d+|BL\d+|PH\d+)\]"),
    Rule(verdict=V.POLICY, because="Apple refuses us", text=r"\[(HM\w*\d|CS\d+)\]"),
    Rule(verdict=V.POLICY, because="Microsoft blocks us", text=r"\bS31[45]\d\b"),
    Rule(verdict=V.POLICY, because="a blocklist has us", text=BLOCKLISTS),
    Rule(verdict=V.HARD, because="no such mailbox", code="55[24]", text="mailbox not found"),
    Rule(
        verdict=V.SOFT,
        because="the mailbox is disabled",
        code="554",
        text=r"^30\b|mailbox is disabled",
    ),
    Rule(
        verdict=V.HARD,
        because="no such mailbox",
        code="550",
        status=r"5\.5\.0",
        text="mailbox unavailable",
    ),
    # ours: the account, the sender, the mail itself, the way we speak
    Rule(
        verdict=V.QUOTA,
        because="our allowance is used up",
        status=r"5\.4\.5|5\.1\.90|5\.7\.7(05|08|50)",
    ),
    Rule(verdict=V.FATAL, because="the login was not accepted", code="53[0458]"),
    Rule(verdict=V.FATAL, because="our sender address is refused", status=r"5\.1\.[78]"),
    Rule(
        verdict=V.FATAL,
        because="our sender address is refused",
        code="55[0134]",
        status=r"(5\.[01]\.0)?",
        text=OUR_SENDER,
    ),
    # often a name server that does not answer: it passes, and it is about us
    Rule(verdict=V.RETRY, scope=RUN, because="our sender is not known there", status=r"4\.1\.[78]"),
    Rule(verdict=V.FATAL, because="the mail is too big", status=r"5\.(3\.4|2\.3)"),
    Rule(
        verdict=V.FATAL,
        because="the mail is too big",
        code="552",
        status=r"(?!5\.2\.2).*",
        text=r"too (big|large)|message size",
    ),
    Rule(verdict=V.SOFT, because=BEYOND_ASCII, status=r"5\.6\.7"),
    # Postfix with strict_7bit_headers, which offers SMTPUTF8 all the same
    Rule(verdict=V.SOFT, because=BEYOND_ASCII, code="5..", text="8-bit data in message header"),
    Rule(verdict=V.FATAL, because="the mail is malformed", status=r"5\.6\.\d+"),
    Rule(verdict=V.FATAL, because="the relay does not understand us", status=r"5\.5\.[1-9]\d*"),
    Rule(verdict=V.FATAL, because="the relay does not understand us", code="50[0-4]|555"),
    # 454 4.7.1 is what Postfix says to a stranger: it does not pass by itself
    Rule(verdict=V.FATAL, because="the relay does not relay for us", code="5..|454", text=RELAYING),
    Rule(verdict=V.FATAL, because="the relay refuses our sender", at=MAIL, code="5.."),
    # the relay itself, for a while
    Rule(
        verdict=V.RETRY, scope=RUN, because="the relay is full or busy", status=r"4\.(3\.\d+|4\.5)"
    ),
    Rule(verdict=V.THROTTLE, scope=RUN, because="too fast", at=MAIL, code="4..", text=RATE),
    Rule(verdict=V.THROTTLE, scope=RUN, because="too fast", at=MAIL, status=r"4\.7\.\d+"),
    Rule(verdict=V.RETRY, scope=RUN, because="the relay is busy", at=MAIL, code="4.."),
    # the person: gone, full, disabled
    Rule(verdict=V.HARD, because="no such mailbox", code="5..", status=r"5\.1\.([1236]|10)"),
    Rule(
        verdict=V.HARD,
        because="no such domain",
        code="5..",
        status=r"5\.4\.4",
        text=r"nxdomain|domain.{0,20}not (exist|found)",
    ),
    Rule(verdict=V.SOFT, because="the mailbox is full", status=r"[45]\.2\.2"),
    Rule(verdict=V.SOFT, because="the mailbox is disabled", status=r"5\.2\.\d+|5\.7\.1[78]"),
    Rule(verdict=V.SOFT, because="no way to the mailbox", status=r"5\.4\.\d+"),
    # the domain: too fast, not trusted
    Rule(verdict=V.RETRY, because="greylisted", code="45.", text=r"gr[ea]y-?list"),
    Rule(verdict=V.THROTTLE, because="too fast", code="4..", text=RATE),
    Rule(
        verdict=V.THROTTLE,
        because="too fast",
        status=r"4\.7\.(0|28|500|650|700|8[5-9]\d)|4\.2\.1",
    ),
    Rule(verdict=V.POLICY, because="they do not trust us yet", code="4..", text=SUSPECT),
    Rule(verdict=V.RETRY, because="greylisted", at=RCPT, code="45[01]", status=r"4\.7\.1"),
    Rule(verdict=V.POLICY, because="they do not trust us yet", status=r"4\.7\.\d+"),
    Rule(verdict=V.POLICY, because="they refuse us", status=r"5\.7\.\d+"),
    # without a status worth the name
    Rule(
        verdict=V.HARD,
        because="no such mailbox",
        code="55[013]",
        status=r"(5\.\d\.0)?",
        text=NOBODY,
    ),
    Rule(verdict=V.THROTTLE, because="too fast", code="5..", status=r"(5\.7\.0)?", text=FLOOD),
    Rule(verdict=V.SOFT, because="the mailbox is full", code="552"),
    Rule(verdict=V.POLICY, because="they refuse us", code="5..", text=SUSPECT),
    Rule(verdict=V.THROTTLE, because="they close on us", code="421"),
    Rule(verdict=V.RETRY, because="not now", code="4.."),
    Rule(verdict=V.SOFT, because="refused", at=RCPT, code="5.."),
    Rule(verdict=V.FATAL, because="the relay takes no content", at=DATA, code="5.."),
    Rule(verdict=V.POLICY, because="the content is refused", at=DOT, code="5.."),
)
TAKEN = TABLE[0].ruling
NONSENSE = Ruling(Verdict.FATAL, Scope.RUN, "an answer that is none")


def ruling(reply: Reply) -> Ruling:
    """The ruling of the first row that fits."""
    if reply.stage is Stage.DOT and 200 <= reply.code < 300:  # what nearly all of them are
        return TAKEN
    return next((rule.ruling for rule in TABLE if rule.matches(reply)), NONSENSE)
