"""What refusals in a row add up to: a domain to leave alone, or a run to stop.

Rulings enter, one per answer; whether a domain is paused and whether the run goes on can be asked.
It knows no ledger and no clock, and it lasts for one run: the next one tries everybody again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from newsletter.delivery.outcome import stops_at_once
from newsletter.delivery.replies import fold
from newsletter.delivery.verdicts import BEYOND_ASCII, TAKEN, Ruling, Scope, Verdict, ruling
from newsletter.errors import RelayError, RelayRefused, RelayUnavailable
from newsletter.model import Reply

IN_A_ROW = 3
# So many people in a row who do not exist, and nobody who does: the relay knows no one.
UNHEARD_OF = 10
# The code of the error that says so: it passes by itself, unlike a refusal.
QUOTA = "relay.quota"
PASSING = (Verdict.THROTTLE, Verdict.RETRY)


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


@dataclass(slots=True)
class Breaker:
    """The refusals in a row, by domain and of the whole run. An answer about a person, good or
    bad, ends the row of their domain and that of the run; while it is `calm`, there is none."""

    slug: str
    refused: Counter[str] = field(default_factory=Counter)
    domains: set[str] = field(default_factory=set)
    in_a_row: int = 0
    unheard_of: int = 0
    monotone: Counter[str] = field(default_factory=Counter)
    paused: dict[str, str] = field(default_factory=dict)
    error: RelayError | None = None
    calm: bool = True

    def hear(self, address: str, reply: Reply) -> Ruling:
        """The ruling on a reply, counted."""
        told = ruling(reply)
        if not (told is TAKEN and self.calm):
            self._count_in(told, address, reply)
            self.calm = not (self.unheard_of or self.refused or self.domains or self.monotone)
        return told

    def _count_in(self, told: Ruling, address: str, reply: Reply) -> None:
        if told.because == BEYOND_ASCII and not address.isascii():
            return  # the relay was hardly asked: it has said nothing of us or of anybody
        self.unheard_of = self.unheard_of + 1 if told.verdict is Verdict.HARD else 0
        if told.verdict is Verdict.SOFT and reply.permanent:
            self._compare(domain_of(address), reply)
        else:
            self.monotone.clear()
        if told.scope is Scope.RECIPIENT:
            self._forget(domain_of(address))
        else:
            self._count(domain_of(address), told, reply)
        if self._hopeless(told, reply):
            self.error = self.error or self._error(told, reply)

    @property
    def knows_nobody(self) -> bool:
        """Whether the relay may be the wrong one: it has only ever heard of strangers."""
        return self.unheard_of >= UNHEARD_OF

    @property
    def says_no_to_all(self) -> bool:
        """Whether the same no met people of several domains in a row: no mailbox of theirs says
        that, but the relay that we ask."""
        return len(self.monotone) > IN_A_ROW and self.monotone.total() > UNHEARD_OF

    def _compare(self, domain: str, reply: Reply) -> None:
        """Count a no by domain, from the first of the same words on, which is kept by itself."""
        word = f"{reply.code} {reply.status} {fold(reply.text)}"
        if word not in self.monotone:
            self.monotone = Counter((word,))
        self.monotone[domain] += 1

    def pause(self, address: str) -> str:
        """Why nobody of that domain is mailed any more in this run, or ""."""
        return self.paused.get(domain_of(address), "")

    def _forget(self, domain: str) -> None:
        self.refused.pop(domain, None)
        self.domains.clear()
        self.in_a_row = 0

    def _count(self, domain: str, told: Ruling, reply: Reply) -> None:
        self.refused[domain] += 1
        self.domains.add(domain)
        self.in_a_row += told.scope is Scope.RUN
        if self.refused[domain] >= IN_A_ROW:
            said = f"{reply.code} {reply.status}".strip()
            self.paused[domain] = f"{domain} is paused in this run: {told.because} ({said})"

    def _hopeless(self, told: Ruling, reply: Reply) -> bool:
        return (
            stops_at_once(told, reply)
            or self.in_a_row >= IN_A_ROW
            or len(self.domains) >= IN_A_ROW
            or self.knows_nobody
            or self.says_no_to_all
        )

    def _error(self, told: Ruling, reply: Reply) -> RelayError:
        # What is said aloud may end up in a log: nobody's address.
        said = " ".join(part for part in (str(reply.code), reply.status, fold(reply.text)) if part)
        go_on = f"newsletter resume {self.slug}"
        unharmed = "nobody was marked as failed for it."
        if told.verdict in PASSING:
            return RelayUnavailable(
                f"the relay asks us to wait: {said}", hint=f"{unharmed} Later: {go_on}"
            )
        if told.verdict is Verdict.QUOTA:
            return RelayRefused(
                f"our allowance is used up: {said}",
                hint=f"{unharmed} When it is renewed, often after 24 hours: {go_on}",
                code=QUOTA,
            )
        if told.verdict is Verdict.HARD:
            return RelayRefused(
                f"the relay knows none of the last {UNHEARD_OF} people: {said}",
                hint=f"nobody was suppressed for it. Is it the right relay? If so: {go_on}",
            )
        if told.verdict is Verdict.SOFT:
            return RelayRefused(
                f"the relay has the same no for everybody: {said}",
                hint="nobody was suppressed for it. Mend it, then: "
                f"newsletter retry {self.slug} --failed, which goes on with the others too",
            )
        return RelayRefused(
            f"the relay refuses us: {said}", hint=f"{unharmed} Mend it, then: {go_on}"
        )
