"""The publication, as the configuration describes it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from newsletter.model.look import ThemeTokens
from newsletter.model.readership import Readership


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name (may be empty) and an address in ASCII form (RFC 5322 3.4 name-addr)."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeaserLabels:
    """The words above the two teasers, empty for the words of the letter's language; `swapped`
    puts the newer post under "previous"."""

    previous: str = ""
    next: str = ""
    swapped: bool = False


class Images(StrEnum):
    """Where a mail's own pictures are: on the web under base_url, or inside of every mail."""

    HOSTED = "hosted"
    EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What a mail says of its sender; frozen with a send, so that a retry is byte-identical."""

    name: str
    base_url: str
    list_id: str
    sender: Mailbox
    reply_to: Mailbox | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What the publication is, for everybody below the configuration.

    `base_url` has no trailing slash; `permalink` is a path with {slug}, {number}, {year}, {month},
    {day}; `issues` and `templates` are absolute folders; `fields` are the subscriber fields that
    may stand in double braces; `list_id` is the RFC 2919 identifier without angle brackets;
    mails that cannot be delivered come back to `bounce_domain`, each to an address of its own, or
    to the sender when it is empty.
    """

    root: Path
    name: str
    base_url: str
    language: str
    timezone: ZoneInfo
    issues: Path
    templates: Path
    sender: Mailbox
    reply_to: Mailbox | None
    postal_address: str
    list_id: str
    permalink: str
    fields: tuple[str, ...]
    labels: TeaserLabels = TeaserLabels()
    theme: ThemeTokens = field(default_factory=ThemeTokens)
    readership: Readership = field(default_factory=Readership)
    images: Images = Images.HOSTED
    bounce_domain: str = ""

    @property
    def letterhead(self) -> Letterhead:
        return Letterhead(**{each.name: getattr(self, each.name) for each in fields(Letterhead)})

    def under(self, letterhead: Letterhead) -> Letter:
        """The letter as it was when that letterhead was frozen."""
        return replace(self, **{k.name: getattr(letterhead, k.name) for k in fields(Letterhead)})
