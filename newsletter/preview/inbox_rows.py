"""A mail as it stands in the list of an inbox: sender, subject and the words after it, cut.

Enters: the three texts, or a document to take the words from. Leaves: a row per client. No vendor
publishes budgets, and all of them depend on the window: these are the cuts of composition section 6
(35, 70 and 100 characters), with subjects and senders as they show at those widths.
"""

from __future__ import annotations

from dataclasses import dataclass

import wcwidth

from newsletter.lint.page import INVISIBLE, read_page, squeeze

ELLIPSIS = "…"
SOURCE = "composition section 6; depends on window and font"
# Clients read on into the letter for about so long; none shows more.
LONGEST_SNIPPET = 300
_PADDING_ENDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxBudget:
    """How many columns one client gives to each text; a Han or kana character takes two. `shared`
    is what subject and preheader have together, on one line; 0 where each has its own."""

    client: str
    sender: int
    subject: int
    preheader: int
    shared: int = 0


BUDGETS = (
    InboxBudget(client="Gmail, desktop", sender=20, subject=70, preheader=100, shared=100),
    InboxBudget(client="Apple Mail", sender=30, subject=50, preheader=70),
    InboxBudget(client="Phone", sender=25, subject=35, preheader=35),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRow:
    """One row as it will show, "…" where it was cut; `lost` is what of the subject nobody sees."""

    client: str
    sender: str
    subject: str
    preheader: str
    lost: str


def inbox_rows(sender: str, subject: str, preheader: str) -> tuple[InboxRow, ...]:
    """The rows of the three kinds of inbox."""
    return tuple(
        _row(budget, squeeze(sender), squeeze(subject), squeeze(preheader)) for budget in BUDGETS
    )


def snippet_of(document: str) -> str:
    """What a client shows after the subject: the first words of the body, hidden ones too, up to
    the padding that a preheader ends with."""
    words = ""
    for run in read_page(document).runs:
        padded = INVISIBLE.search(run.text)
        if padded and len(INVISIBLE.findall(run.text)) >= _PADDING_ENDS:
            words += " " + run.text[: padded.start()]
            break
        words += " " + run.text
        if len(words) > LONGEST_SNIPPET:
            break
    return squeeze(words)[:LONGEST_SNIPPET]


def cut(text: str, columns: int) -> str:
    """The text within so many columns, with an ellipsis as its last one when it was longer. No
    accent is cut off its letter."""
    if _width(text) <= columns:
        return text
    room, end = columns - 1, 0
    for place, character in enumerate(text):
        room -= max(wcwidth.wcwidth(character), 0)
        if room < 0:
            break
        end = place + 1
    return text[:end].rstrip() + ELLIPSIS


def _row(budget: InboxBudget, sender: str, subject: str, preheader: str) -> InboxRow:
    shown = cut(subject, budget.subject)
    room = budget.preheader
    if budget.shared:
        room = max(0, min(room, budget.shared - _width(shown) - len(" - ")))
    return InboxRow(
        client=budget.client,
        sender=cut(sender, budget.sender),
        subject=shown,
        preheader=cut(preheader, room) if room > 1 else "",
        lost=subject[len(shown) - 1 :].strip() if shown != subject else "",
    )


def _width(text: str) -> int:
    return sum(max(wcwidth.wcwidth(character), 0) for character in text)
