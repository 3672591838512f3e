"""A row of the ledger -> the Recipient that `mime.fill` writes to.

Every identifier is a pure function of the keys, the issue and the person, so that a retry is
byte-identical (deliverability 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.audience.tokens import Keys, message_id, unsubscribe_token, verp
from newsletter.model import Letter, Recipient


@dataclass(frozen=True, slots=True)
class Addressee:
    """One person as the ledger or the command line knows them; id 0 is nobody's, and `send_id` 0
    is a mail outside of the ledger."""

    subscriber_id: int
    address: str
    name: str
    fields: Mapping[str, str]
    send_id: int = 0


def recipient(addressee: Addressee, slug: str, letter: Letter, keys: Keys) -> Recipient:
    """The person's values, links and identifiers for this issue."""
    token = unsubscribe_token(keys, addressee.subscriber_id)
    domain = letter.sender.domain
    url = f"{letter.base_url}/u/{token}"
    return Recipient(
        address=addressee.address,
        name=addressee.name,
        message_id=message_id(keys, slug, addressee.subscriber_id, domain),
        mail_from=_mail_from(addressee, letter, keys),
        unsubscribe_url=url,
        unsubscribe_mailto=f"mailto:unsubscribe+{token}@{domain}?subject=unsubscribe",
        values={**name_parts(addressee.name), **addressee.fields, "unsubscribe_url": url}
        | {"address": addressee.address},
    )


def _mail_from(addressee: Addressee, letter: Letter, keys: Keys) -> str:
    """The envelope sender: an address that names the row and that nobody else can make up, so that
    a bounce is believed (deliverability 7.18), or the sender's own. Never the null one, which is
    for mails that must not come back (RFC 5321 4.5.5)."""
    if letter.bounce_domain and addressee.send_id:
        local_part = verp(keys, addressee.subscriber_id, addressee.send_id)
        return f"{local_part}@{letter.bounce_domain}"
    return letter.sender.address


def name_parts(name: str) -> dict[str, str]:
    """`name`, `first_name` and `last_name` of a full name; a subscriber's own fields win."""
    words = name.split()
    return {
        "name": name.strip(),
        "first_name": words[0] if words else "",
        "last_name": words[-1] if len(words) > 1 else "",
    }
