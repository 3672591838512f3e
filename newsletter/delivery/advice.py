"""What became of some recipients -> what that means in plain words, and what to do about it.

A state, a reason and an answer enter, an Advice leaves. The reasons are those of `verdicts`; every
one of them has its advice.
"""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.delivery.verdicts import BEYOND_ASCII, Verdict, ruling
from newsletter.model import DeliveryState, Reply


@dataclass(frozen=True, slots=True)
class Advice:
    """`means` is one sentence for somebody who does not speak SMTP; `todo` says what to do, or that
    there is nothing to do. Commands stand in backticks and name the issue ISSUE."""

    means: str
    todo: str


NOTHING = "Nothing to do."
LATER = "Nothing to do: it is tried again by itself, by `newsletter worker` or `newsletter tick`."
GONE = "Nothing to do: they are suppressed and will not be mailed again."
AFTER_MENDING = "Mend it, then `newsletter resume ISSUE`."

TAKEN = Advice("The relay took responsibility for it.", NOTHING)
IN_DOUBT = Advice(
    "The line died between the last byte and the answer: they may have it, or not.",
    "Look for the Message-IDs in the relay's log (`newsletter status ISSUE --who unknown`), then"
    " `newsletter resume ISSUE --unknown skip` or `retry`.",
)
UNSENDABLE = Advice(
    "No lawful mail could be written to them.", "Look at the address and the fields they gave."
)
RESTING = Advice(
    "Their domain refused us three times in a row, so the rest of it was left alone in this run.",
    "Look at what the domain said to the first ones; the others are tried again later.",
)
BY_REASON = {
    "no such mailbox": Advice("There is no such mailbox (any more).", GONE),
    "no such domain": Advice("There is no such domain.", GONE),
    "the mailbox is full": Advice(
        "Their mailbox is full.", "Nothing to do: it may have room again when the next issue goes."
    ),
    "the mailbox is disabled": Advice(
        "Their mailbox is disabled or has been inactive for long.",
        "Nothing to do; if it lasts for months, unsubscribe them.",
    ),
    "no way to the mailbox": Advice(
        "The relay finds no way to their server.", "If it lasts, the address is probably mistyped."
    ),
    "refused": Advice(
        "Their server refused this mail and did not say why.",
        "`newsletter retry ISSUE --failed` if you know that the mailbox is there.",
    ),
    "greylisted": Advice("Their server asks strangers to come back in some minutes.", LATER),
    "not now": Advice("Their server could not take it at that moment.", LATER),
    "enough on this connection": Advice("The relay wants a new connection now and then.", LATER),
    BEYOND_ASCII: Advice(
        "The address has letters beyond ASCII, and the way to it does not carry them.",
        "Ask for another address, or use a relay that offers SMTPUTF8.",
    ),
    "a blocklist has us": Advice(
        "The machine that sends is on a blocklist. It says nothing about these readers.",
        "Follow the link in the answer to be taken off; with a shared relay, write to its support.",
    ),
    "they do not trust us yet": Advice(
        "Their provider does not know our domain or machine well enough.",
        "Check SPF, DKIM and DMARC of our domain; begin with fewer a day (`warm_up`).",
    ),
    "they refuse us": Advice(
        "Their provider refuses mail from us by its own rules.",
        "Read the answer: it often names the rule. Check SPF, DKIM and DMARC of our domain.",
    ),
    "the content is refused": Advice(
        "Their server read the mail and did not want it.",
        "See what `newsletter check` dislikes, mend it in the next issue.",
    ),
    "Yahoo refuses us": Advice(
        "Yahoo refuses mail from this sender for now.",
        "Its code is explained at senders.yahooinc.com; check SPF, DKIM and complaints first.",
    ),
    "Apple refuses us": Advice(
        "iCloud refuses mail from this sender.",
        "Check SPF, DKIM and DMARC; Apple's postmaster page explains the code.",
    ),
    "Microsoft blocks us": Advice(
        "Outlook and Hotmail block the machine that sends.",
        "Ask for delisting with Microsoft's sender support; with a shared relay, its support does.",
    ),
    "the mail is too big": Advice(
        "The mail is bigger than the relay allows.", "Make its pictures smaller and send it anew."
    ),
    "the mail is malformed": Advice(
        "The relay says the mail breaks a rule of its format.",
        "That is our fault: please report it with the answer.",
    ),
}
BY_VERDICT = {
    Verdict.ACCEPTED: TAKEN,
    Verdict.HARD: Advice("The address leads to nobody.", GONE),
    Verdict.SOFT: Advice("This issue could not reach them.", "If it lasts, unsubscribe them."),
    Verdict.RETRY: Advice("It was not possible at that moment.", LATER),
    Verdict.POLICY: Advice(
        "Their provider does not want mail from us.", "Check SPF, DKIM and DMARC, and your list."
    ),
    Verdict.THROTTLE: Advice(
        "They ask us to be slower; the pace was halved at once.",
        "Nothing to do: it is tried again. If it is so each time, set `per_second` or `per_hour`.",
    ),
    Verdict.QUOTA: Advice(
        "Our allowance with the relay is used up.",
        "Set `per_day` to what the relay allows; `newsletter resume ISSUE` when it is renewed.",
    ),
    Verdict.FATAL: Advice(
        "The relay refuses us, whoever the mail is for. These readers have no part in it.",
        AFTER_MENDING,
    ),
}


def advice(state: DeliveryState, reason: str, reply: Reply | None) -> Advice:
    """What to tell about a recipient in that state. `reply` is None when nothing was answered."""
    if state is DeliveryState.ACCEPTED:
        return TAKEN
    if state is DeliveryState.UNKNOWN:
        return IN_DOUBT
    if reply is None:
        return RESTING if state is DeliveryState.DEFERRED else UNSENDABLE
    told = ruling(reply)
    return BY_REASON.get(told.because, BY_VERDICT[told.verdict])
