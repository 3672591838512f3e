"""A mail of the inbox, read as its reader gets it.

Enters: any bytes; anybody on this machine can send here. Leaves: its parts and fields, decoded for
the screen. Never raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from newsletter.lint.message import Part, read_mail
from newsletter.preview.inbox_rows import InboxRow, inbox_rows, snippet_of
from newsletter.smtp.inbox import InboxMail

NO_HTML = (
    "<!DOCTYPE html><html lang='en'><body style='font-family:sans-serif; color:#565e65; "
    "padding:40px'><p>This mail has no HTML part.</p></body></html>"
)


@dataclass(frozen=True, slots=False)
class Arrival:
    """One mail that came in. `key` names it in the inbox, `mail` is its envelope."""

    mail: InboxMail
    content: bytes

    @property
    def key(self) -> str:
        return self.mail.key

    @cached_property
    def whole(self) -> Part:
        return read_mail(self.content)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The fields as people read them, in order."""
        return [(field.name, field.text) for field in self.whole.fields]

    @cached_property
    def html(self) -> str:
        """The HTML part, "" when there is none."""
        leaf = self.whole.leaf("text/html")
        return leaf.text if leaf else ""

    @cached_property
    def text(self) -> str:
        """The plain text part, "" when there is none."""
        leaf = self.whole.leaf("text/plain")
        return leaf.text if leaf else ""

    @property
    def subject(self) -> str:
        return self.field("Subject") or "(no subject)"

    @property
    def sender(self) -> str:
        """The display name of From, else its address."""
        name, _, rest = self.field("From").rpartition("<")
        return name.strip().strip('"') or rest.strip("<> ") or self.mail.mail_from

    @property
    def rows(self) -> tuple[InboxRow, ...]:
        snippet = snippet_of(self.html) if self.html else self.text[:200]
        return inbox_rows(self.sender, self.subject, snippet)

    def field(self, name: str) -> str:
        """The first field of that name, decoded; "" when it is not there."""
        found = self.whole.first(name)
        return found.text if found else ""


def matching(mails: list[InboxMail], words: str) -> list[InboxMail]:
    """The mails whose recipient, sender or subject has every one of the words, in any case."""
    wanted = words.casefold().split()

    def has_all(mail: InboxMail) -> bool:
        text = f"{mail.rcpt_to} {mail.mail_from} {mail.subject} {mail.key}".casefold()
        return all(word in text for word in wanted)

    return [mail for mail in mails if has_all(mail)]
