"""Every noun of the house, frozen.

Five states of one thing, five types: Article -> Issue -> Email -> Stencil -> Mail. The type says
where in the pipeline you stand. This package imports nothing of ours but errors and knows no file,
clock, database or network.
"""

from newsletter.model.issues import Article, Issue, Teaser
from newsletter.model.ledger import (
    NO_OFFER,
    Delivery,
    DeliveryState,
    Offer,
    Origin,
    Send,
    SendEntry,
    SendState,
    offer_of,
    row_of,
)
from newsletter.model.look import ThemeTokens, Tone
from newsletter.model.mail import (
    Email,
    InlinePicture,
    Mail,
    Recipient,
    Reply,
    Slot,
    Stage,
    mail_of,
    recipient_of,
)
from newsletter.model.people import Gaps, NewSubscriber, Subscriber, SubscriberStatus
from newsletter.model.problems import Problem, Severity
from newsletter.model.publication import (
    Images,
    Letter,
    Letterhead,
    Mailbox,
    TeaserLabels,
)
from newsletter.model.readership import Readership
from newsletter.model.relay import Hours, Limits, Relay, Tls, WarmUp
from newsletter.model.signing import DkimKey
from newsletter.model.spam_filter import FilterKind, SpamFilter, filter_at
from newsletter.model.turns import Beat, DomainTally, Refusal, ReplyTally, Turn, TurnKind

__all__ = [
    "NO_OFFER",
    "Article",
    "Beat",
    "Delivery",
    "DeliveryState",
    "DkimKey",
    "DomainTally",
    "Email",
    "FilterKind",
    "Gaps",
    "Hours",
    "Images",
    "InlinePicture",
    "Issue",
    "Letter",
    "Letterhead",
    "Limits",
    "Mail",
    "Mailbox",
    "NewSubscriber",
    "Offer",
    "Origin",
    "Problem",
    "Readership",
    "Recipient",
    "Refusal",
    "Relay",
    "Reply",
    "ReplyTally",
    "Send",
    "SendEntry",
    "SendState",
    "Severity",
    "Slot",
    "SpamFilter",
    "Stage",
    "Subscriber",
    "SubscriberStatus",
    "Teaser",
    "TeaserLabels",
    "ThemeTokens",
    "Tls",
    "Tone",
    "Turn",
    "TurnKind",
    "WarmUp",
    "filter_at",
    "mail_of",
    "offer_of",
    "recipient_of",
    "row_of",
]
