"""Rows of the ledger -> their mails: addressed, filled in, made ready for one relay.

It knows no line and no answer, and nothing of when a mail leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from newsletter.delivery.addressing import addressing
from newsletter.delivery.run import Run
from newsletter.errors import MailRefused
from newsletter.mime import Finish, fill
from newsletter.model import Delivery, Mail

Write = Callable[[Sequence[Delivery]], list[Mail | MailRefused]]


def writing(run: Run, ready: Finish) -> Write:
    """What makes the mails of rows, in their order; where no lawful mail can be written to
    somebody, the reason stands in its place."""
    cut, office = run.stencil, run.office
    address = addressing(run.send.slug, office.letter, office.keys)

    def write(rows: Sequence[Delivery]) -> list[Mail | MailRefused]:
        mails: list[Mail | MailRefused] = []
        for recipient in address(rows):
            try:
                mails.append(ready(fill(cut, recipient)))
            except MailRefused as error:
                mails.append(error)
        return mails

    return write
