"""A proof: the issue mailed to the people who make it, outside of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.audience.tokens import Keys
from newsletter.delivery.addressing import Addressee, recipient
from newsletter.mime import fill, finish, stencil
from newsletter.model import Email, Letter, Mail, Relay, Reply
from newsletter.smtp import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One Email as a proof for one relay, made at a given moment. The moment is in the subject and
    in the Message-ID, or mail programs would fold it into the thread of the last one
    (composition 2.9)."""

    email: Email
    letter: Letter
    keys: Keys
    made_at: datetime
    relay: Relay

    def mails(self, readers: Iterable[Addressee]) -> Iterator[Mail]:
        """One mail per reader, marked "[proof 14:05]"."""
        local = self.made_at.astimezone(self.letter.timezone)
        marked = replace(self.email, subject=f"[proof {local:%H:%M}] {self.email.subject}")
        cut = stencil(marked, self.letter, self.made_at)
        ready = finish(self.relay, self.email.slug, self.made_at)
        name = f"proof-{self.made_at:%Y%m%d%H%M%S}-{self.email.slug}"
        for number, reader in enumerate(readers):
            once = f"{name}-{number}"
            yield ready(fill(cut, recipient(reader, once, self.letter, self.keys)))


def send_proof(
    proof: Proof, readers: Iterable[Addressee], transport: Transport
) -> Iterator[tuple[Mail, Reply]]:
    """Each mail with the relay's answer. Raises RelayError when there was none."""
    with transport:
        yield from transport.deliver(proof.mails(readers), lambda _mail: None)
