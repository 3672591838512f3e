"""A row of the ledger -> the Recipient that `mime.fill` writes to.

Every identifier is a pure function of the keys, the issue and the person, so that a retry is
byte-identical (deliverability 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from newsletter.audience.tokens import Keys, message_ids, unsubscribe_tokens, verp
from newsletter.model import Letter, Recipient, recipient_of


class Person(Protocol):
    """What is known of somebody who is written to: a row of the ledger, or an Addressee."""

    @property
    def subscriber_id(self) -> int: ...
    @property
    def send_id(self) -> int: ...
    @property
    def address(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Addressee:
    """One person as the command line knows them; id 0 is nobody's, and `send_id` 0 is a mail
    outside of the ledger."""

    subscriber_id: int
    address: str
    name: str
    fields: Mapping[str, str]
    send_id: int = 0


def recipient(person: Person, slug: str, letter: Letter, keys: Keys) -> Recipient:
    """The person's values, links and identifiers for this issue."""
    return addressing(slug, letter, keys)((person,))[0]


def addressing(
    slug: str, letter: Letter, keys: Keys
) -> Callable[[Sequence[Person]], list[Recipient]]:
    """What makes Recipients of people, in their order, for this issue."""
    domain, sender = letter.sender.domain, letter.sender.address
    link, mailto = f"{letter.base_url}/u/", f"@{domain}?subject=unsubscribe"
    bounces_to, ids_of = letter.bounce_domain, message_ids(keys, slug, domain)

    def bounce_address(person: Person) -> str:
        # An address that names the row and that nobody else can make up, so that a bounce is
        # believed (deliverability 7.18), or the sender's own. Never the null one, which is for
        # mails that must not come back (RFC 5321 4.5.5).
        if not (bounces_to and person.send_id):
            return sender
        return f"{verp(keys, person.subscriber_id, person.send_id)}@{bounces_to}"

    def address(people: Sequence[Person]) -> list[Recipient]:
        numbers = [person.subscriber_id for person in people]
        named = zip(people, unsubscribe_tokens(keys, numbers), ids_of(numbers), strict=True)
        return [
            recipient_of(
                (
                    person.address,
                    person.name,
                    message_id,
                    bounce_address(person) if bounces_to else sender,
                    link + token,
                    f"mailto:unsubscribe+{token}{mailto}",
                    {**name_parts(person.name), **person.fields},
                )
            )
            for person, token, message_id in named
        ]

    return address


def name_parts(name: str) -> dict[str, str]:
    """`name`, `first_name` and `last_name` of a full name; a subscriber's own fields win."""
    words = name.split()
    return {
        "name": name.strip(),
        "first_name": words[0] if words else "",
        "last_name": words[-1] if len(words) > 1 else "",
    }
