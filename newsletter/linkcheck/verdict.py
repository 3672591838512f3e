"""What became of a visit, and what each outcome is called."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.model import Severity

# Sites that ask programs to stay away say so with these; a reader's browser may well get in.
# 999 is LinkedIn's own.
AVERSE = frozenset((401, 402, 403, 405, 406, 407, 418, 421, 429, 451, 999))
GONE = frozenset((404, 410))


@dataclass(frozen=True, slots=True)
class Kind:
    """One outcome that is worth a finding."""

    severity: Severity
    title: str
    remedy: str


KINDS: dict[str, Kind] = {
    "links.dead": Kind(
        Severity.ERROR,
        "The page is not there, or nobody answers to that name",
        "mend the address, or link to an archived copy",
    ),
    "links.tls": Kind(
        Severity.ERROR,
        "The site's certificate does not hold, so that browsers warn of it",
        "tell its owner, or link elsewhere",
    ),
    "links.refused": Kind(
        Severity.ERROR,
        "An address that is not asked: a private network, an odd port, a password in it",
        "link to what every reader can open",
    ),
    "links.failing": Kind(
        Severity.WARNING,
        "The site fails, or does not answer in time",
        "open it in a browser; try again later",
    ),
    "links.redirects": Kind(
        Severity.WARNING,
        "One redirect follows another",
        "link to where they end",
    ),
    "links.moved": Kind(
        Severity.INFO,
        "The page has moved for good",
        "link to the new address",
    ),
    "links.unsure": Kind(
        Severity.INFO,
        "The site does not answer programs",
        "open it in a browser",
    ),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one visit: a code of KINDS, "" when all is well, and what was seen."""

    code: str
    seen: str
    age_s: int = 0
    """How long ago it was seen."""

    @property
    def good(self) -> bool:
        """Whether a reader gets what the address promises, as far as can be told."""
        return self.code in ("", "links.moved", "links.unsure")


def of_status(status: int, reason: str) -> Verdict:
    """The verdict on an answer that is no redirect."""
    seen = f"{status} {reason}".strip()
    if 200 <= status < 300 or status == 416:  # a page too short for the range that was asked for
        return Verdict("", seen)
    if status in GONE:
        return Verdict("links.dead", seen)
    return Verdict("links.unsure" if status in AVERSE else "links.failing", seen)
