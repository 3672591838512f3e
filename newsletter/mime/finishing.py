"""What one relay wants of each mail of a send: fields of its own, and our signatures.

A Relay and a send's name and moment enter; a Finish leaves, which makes of a Mail the same Mail
ready for that relay. Signing is the last thing that happens to a mail's bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from newsletter.mime.dkim import Signer, signer
from newsletter.mime.headers import header
from newsletter.model import Mail, Relay

_NOT_A_TAG = re.compile(r"[^A-Za-z0-9_-]+")
_TAG_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Finish:
    """`fields` are the same for every reader; `once` is the name of the field by which the relay
    knows a mail that it has taken already."""

    fields: bytes
    once: str
    signer: Signer | None

    def __call__(self, mail: Mail) -> Mail:
        """The mail as that relay is to have it. It stays inspected: every line that is added
        comes from `header` or from the signer, and none begins with a dot."""
        if not (self.fields or self.once or self.signer):
            return mail
        own = self.fields + (header(self.once, mail.message_id) if self.once else b"")
        seals = self.signer.signatures(mail.content) if self.signer else b""
        return mail._replace(pieces=(own, seals, *mail.pieces))


def finish(relay: Relay, slug: str, signed_at: datetime) -> Finish:
    """What makes mails of that issue ready for the relay. `signed_at` is when the issue was sent.
    Raises ConfigError for a key that cannot be used, MailRefused for a field that cannot be."""
    tag = _NOT_A_TAG.sub("-", slug)[:_TAG_LIMIT].strip("-") or "issue"
    fields = (header(name, value.replace("{issue}", tag)) for name, value in relay.headers)
    left_out = [name.lower() for name in relay.replaces]
    return Finish(b"".join(fields), relay.once, signer(relay.dkim, signed_at, left_out))
