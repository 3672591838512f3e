"""A row of the ledger -> the Recipient that `mime.fill` writes to.

Every identifier is a pure function of the keys, the issue and the person, so that a retry is
byte-identical (deliverability 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from newsletter.audience.tokens import Keys, message_ids, unsubscribe_tokens, verp
from newsletter.model import Letter, Recipient


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
    return addressing(slug, letter, keys)(person)


def addressing(slug: str, letter: Letter, keys: Keys) -> Callable[[Person], Recipient]:
    """What makes a Recipient of each person, for this issue."""
    domain, sender = letter.sender.domain, letter.sender.address
    link, mailto = f"{letter.base_url}/u/", f"@{domain}?subject=unsubscribe"
    token_of, id_of = unsubscribe_tokens(keys), message_ids(keys, slug, domain)
    bounces_to = letter.bounce_domain

    def address(person: Person) -> Recipient:
        number = person.subscriber_id
        token = token_of(number)
        # An address that names the row and that nobody else can make up, so that a bounce is
        # believed (deliverability 7.18), or the sender's own. Never the null one, which is for
        # mails that must not come back (RFC 5321 4.5.5).
        named = bounces_to and person.send_id
        mail_from = f"{verp(keys, number, person.send_id)}@{bounces_to}" if named else sender
        return Recipient(
            address=person.address,
            name=person.name,
            message_id=id_of(number),
            mail_from=mail_from,
            unsubscribe_url=link + token,
            unsubscribe_mailto=f"mailto:unsubscribe+{token}{mailto}",
            values={**name_parts(person.name), **person.fields},
        )

    return address


def name_parts(name: str) -> dict[str, str]:
    """`name`, `first_name` and `last_name` of a full name; a subscriber's own fields win."""
    words = name.split()
    return {
        "name": name.strip(),
        "first_name": words[0] if words else "",
        "last_name": words[-1] if len(words) > 1 else "",
    }
