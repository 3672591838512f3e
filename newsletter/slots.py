"""Personal slots: `{{ first_name | friend }}` means a field of the subscriber, with a fallback.

A slot is data only. It becomes an opaque token before Markdown, templates and inlining see the
text, and the token becomes the subscriber's value afterwards: a value is never template source
(deliverability 7.6). Double braces around a name that is no declared field are left as typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from newsletter.model import Email, Slot

BRACES = re.compile(r"\{\{[^{}\n]*\}\}")
# The blanks around a fallback are cut off afterwards: a pattern for them would take quadratic time
# on an unclosed `{{a|` and a long line of blanks.
SLOT = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*(?:\|([^{}\n]*))?\}\}")
TOKEN = re.compile(r"xslot[0-9a-f]{12}x")

# Slots that every recipient has, whatever fields the configuration declares.
BUILT_IN = ("first_name", "last_name", "name", "address", "unsubscribe_url")

# Filled for everybody, and much the same for everybody.
ALWAYS_FILLED = frozenset(("address", "unsubscribe_url"))


def slot_of(match: re.Match[str]) -> Slot:
    """The slot that a match of SLOT stands for."""
    return Slot(match.group(1), (match.group(2) or "").strip())


def open_slots(text: str, fields: Iterable[str]) -> tuple[str, tuple[Slot, ...]]:
    """`text` with a token for every slot that names one of `fields`, and those slots, each once,
    in the order of their first use."""
    declared = frozenset(fields)
    found: dict[Slot, None] = {}

    def to_token(match: re.Match[str]) -> str:
        slot = slot_of(match)
        if slot.name not in declared:
            return match.group(0)
        found[slot] = None
        return slot.token

    return SLOT.sub(to_token, text), tuple(found)


def leftovers(text: str) -> list[str]:
    """The double braces still in `text`, as typed, in order."""
    return BRACES.findall(text)


def value_of(slot: Slot, values: Mapping[str, str]) -> str:
    """The recipient's value for the slot; the fallback when it is missing or blank."""
    value = values.get(slot.name, "")
    return value if value.strip() else slot.fallback


def fill_slots(
    text: str,
    slots: Iterable[Slot],
    values: Mapping[str, str],
    escape: Callable[[str], str] = str,
) -> str:
    """`text` with each token replaced by the recipient's escaped value, in one pass: a value that
    looks like a token or a slot arrives literally."""
    by_token = {slot.token: escape(value_of(slot, values)) for slot in slots}
    return TOKEN.sub(lambda match: by_token.get(match.group(0), match.group(0)), text)


def plain_subject(email: Email) -> str:
    """The subject as somebody without a name gets it: for screens, where a token says nothing."""
    return fill_slots(email.subject, email.slots, {})
