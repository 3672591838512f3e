"""The tables of the configuration file: every key, its type, its default and its check."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    Field,
    field_validator,
    model_validator,
)

from newsletter.config.looks import ThemeTable
from newsletter.config.sending import LimitsTable, SendTable
from newsletter.config.signing import DkimTable, aligned
from newsletter.config.table import Table
from newsletter.errors import ConfigError
from newsletter.model import Mailbox, Readership, filter_at
from newsletter.model.spam_filter import FORMS
from newsletter.presets import PRESETS

STATE_FOLDER = ".newsletter"
MAILBOX = re.compile(
    r"^\s*(?:\"?(?P<name>[^<>\"]*?)\"?\s*<(?P<inside>[^<>\s]+)>|(?P<bare>[^<>\s]+))\s*$"
)
ADDRESS = re.compile(r"^[\x21-\x7e]+@[A-Za-z0-9.-]+$")
AUTHOR = re.compile(r"[\x21-\x3f\x41-\x7e]*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
# A field that mail programs do not act on: a letter's own come from nowhere else.
INSTRUCTION = re.compile(r"X-[A-Za-z0-9][A-Za-z0-9-]{0,70}", re.IGNORECASE)


def _mailbox(text: str) -> str:
    match = MAILBOX.match(text)
    address = match and (match["inside"] or match["bare"])
    if not address or not ADDRESS.match(address):
        raise ValueError("write it as  Name <address@example.com>  with an ASCII address")
    return text


def _author(text: str) -> str:
    if not AUTHOR.fullmatch(text):
        raise ValueError(f"`{text}`: write an ASCII address, or @example.com for a whole domain")
    return text


def _web_root(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(
            "write an https address without query, such as https://letters.example.org"
        )
    return text.rstrip("/")


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # "Europe" is a folder
        raise ValueError("no such time zone; write one such as Europe/Lisbon") from error
    return text


def guess(word: str, known: Iterable[str]) -> str:
    """A remark on the known word nearest to `word`, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f". Did you mean `{close[0]}`?" if close else ""


MailboxText = Annotated[str, AfterValidator(_mailbox)]


class LetterTable(Table):
    """[letter]: what the publication is."""

    name: str = Field(min_length=1, description="the name readers see")
    base_url: Annotated[str, AfterValidator(_web_root)] = Field(
        description="where web pages, images and unsubscribe links live (https)"
    )
    language: str = Field(default="en", pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*$")
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    issues: str = Field(default="issues", description="folder of the articles")
    templates: str = Field(default="templates", description="folder of your own templates")
    permalink: str = Field(
        default="/{slug}/", description="path of an issue: {slug} {number} {year} {month} {day}"
    )
    list_id: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9.-]+$", description="RFC 2919; made from base_url"
    )
    images: Literal["hosted", "embedded"] = Field(
        default="hosted", description="pictures under base_url, or inside every mail"
    )
    fields: list[str] = Field(
        default_factory=list, description="subscriber fields allowed in double braces"
    )

    @field_validator("fields")
    @classmethod
    def _identifiers(cls, names: list[str]) -> list[str]:
        for name in names:
            if not re.fullmatch(r"[A-Za-z_]\w*", name):
                raise ValueError(f"`{name}` is no field name: letters, digits and _ only")
        return names

    @field_validator("permalink")
    @classmethod
    def _permalink(cls, text: str) -> str:
        try:
            text.format(slug="s", number=1, year="2026", month="01", day="01")
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError("use only {slug}, {number}, {year}, {month} and {day}") from error
        if not text.startswith("/"):
            raise ValueError("a permalink starts with /")
        return text


class SenderTable(Table):
    """[sender]: who writes."""

    from_: MailboxText = Field(alias="from")
    reply_to: MailboxText | None = None
    postal_address: str = Field(min_length=1, description="the law wants one in bulk mail")
    bounce_domain: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$",
        max_length=200,
        description="where undeliverable mails come back to, each to an address of its own (VERP)",
    )


class TeasersTable(Table):
    """[teasers]: the words above the neighbours, empty for the words of the language."""

    previous: str = ""
    next: str = ""
    swapped: bool = Field(default=False, description="put the newer post under `previous`")


class RelayTable(LimitsTable):
    """[relay.NAME]: a way out. The default preset is the inbox on this machine."""

    preset: str = "inbox"
    host: str | None = None
    port: int | None = Field(default=None, ge=1, le=65535)
    tls: Literal["implicit", "starttls", "none"] | None = None
    region: str | None = Field(default=None, pattern=r"^[a-z0-9-]+$")
    username: str | None = None
    username_env: str | None = None
    password_env: str | None = None
    password_command: str | None = None
    password_file: str | None = None
    folder: str | None = None
    program: str = Field(
        default="/usr/sbin/sendmail", pattern=r"^/", description="what the preset sendmail runs"
    )
    timeout_s: float = Field(default=300.0, gt=0)
    reports: bool = Field(default=False, description="ask for reports of failure (RFC 3461)")
    mails_per_connection: int | None = Field(default=None, ge=1)
    connections: int | None = Field(default=None, ge=1, le=100)
    depth: int = Field(
        default=1, ge=1, le=64, description="mails under way on a line that offers CHUNKING"
    )
    headers: dict[str, str] = Field(
        default_factory=dict, description="more X- fields in every mail; {issue} is its name"
    )
    weight: int | None = Field(
        default=None, ge=0, le=100, description="share among relays that go together; 0 stands by"
    )
    tags: list[str] = Field(
        default_factory=list, description="for sends to these tags, and no others"
    )
    from_: list[Annotated[str, AfterValidator(_author)]] = Field(
        default_factory=list,
        alias="from",
        description="for mail from these addresses or @domains, and no others",
    )
    dkim: bool = Field(default=True, description="sign what leaves here, when [dkim] has a key")
    domains: dict[str, LimitsTable] = Field(
        default_factory=dict, description="limits for what goes to one recipient domain"
    )

    def nearness(self, author: str) -> int | None:
        """How closely it names that From: 2 by its address, 1 by its domain, 0 when it names none;
        None when it is for others only. Case does not count."""
        named = {text.casefold() for text in self.from_}
        address = author.casefold()
        if address in named:
            return 2
        if f"@{address.rpartition('@')[2]}" in named:
            return 1
        return None if named else 0

    @field_validator("preset")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in PRESETS:
            raise ValueError(f"no such preset `{name}`{guess(name, PRESETS)}")
        return name

    @field_validator("headers")
    @classmethod
    def _instructions(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not INSTRUCTION.fullmatch(name):
                raise ValueError(f"`{name}`: only fields for the relay, which begin with X-")
            if not (value.isascii() and value.isprintable() and 0 < len(value) < 900):
                raise ValueError(f"the value of {name} is not one line of ASCII")
        return headers

    @model_validator(mode="after")
    def _host(self) -> RelayTable:
        preset = PRESETS[self.preset]
        if preset.needs_host and not self.host:
            raise ValueError(f"the preset {self.preset} needs a host")
        if preset.needs_region and not self.region and not self.host:
            raise ValueError(f"the preset {self.preset} needs a region")
        if preset.sold_by_day and not self.per_day:
            raise ValueError(f"the preset {self.preset} needs per_day: what your plan allows")
        return self


class DatabaseTable(Table):
    """[database]: where subscribers and the ledger live."""

    url: str = f"sqlite:{STATE_FOLDER}/newsletter.db"


class CheckTable(Table):
    """[check]: what `newsletter check` makes of its findings; codes: `newsletter check --list`."""

    ignore: list[str] = Field(default_factory=list, description="checks that are not wanted here")
    severity: dict[str, Literal["error", "warning", "info", "off"]] = Field(
        default_factory=dict, description="how bad a finding is here, by its check"
    )
    baseline: str | None = Field(default=None, description="file of findings that are known")
    clients: dict[str, Annotated[float, Field(ge=0, le=100)]] = Field(
        default_factory=dict, description="percent of readers by mail client: newsletter clients"
    )
    many_readers: float = Field(
        default=5.0, gt=0, le=100, description="percent from which on a fault counts in full"
    )
    few_readers: float = Field(
        default=1.0, ge=0, le=100, description="percent below which a fault is not told"
    )

    spam: str | None = Field(default=None, description=f"your spam filter, for --spam: {FORMS}")
    spam_elsewhere: bool = Field(
        default=False, description="let mails leave this machine for that filter"
    )

    @model_validator(mode="after")
    def _spam(self) -> CheckTable:
        if self.spam is not None and not filter_at(self.spam).is_here and not self.spam_elsewhere:
            raise ValueError(
                f"{self.spam} is not this machine: whole mails would be shown to it. "
                "If that is wanted: spam_elsewhere = true"
            )
        return self

    def readership(self) -> Readership:
        """Which mail clients the readers use."""
        return Readership(tuple(self.clients.items()), self.many_readers, self.few_readers)


class Tables(Table):
    """The whole configuration file."""

    letter: LetterTable
    sender: SenderTable
    teasers: TeasersTable = TeasersTable()
    theme: ThemeTable = ThemeTable()
    relay: dict[str, RelayTable] = Field(default_factory=dict)
    send: SendTable = SendTable()
    dkim: DkimTable = DkimTable()
    database: DatabaseTable = DatabaseTable()
    check: CheckTable = CheckTable()

    @model_validator(mode="after")
    def _signed_by_its_author(self) -> Tables:
        author = mailbox(self.sender.from_).domain.lower()
        if self.dkim.domain and not aligned(self.dkim.domain, author):
            raise ValueError(
                f"[dkim] domain {self.dkim.domain} says nothing for mail from {author} (DMARC)"
            )
        return self

    @model_validator(mode="after")
    def _taken_by_a_relay(self) -> Tables:
        author = mailbox(self.sender.from_).address
        if self.relay and all(each.nearness(author) is None for each in self.relay.values()):
            raise ValueError(f"no relay takes mail from {author}: see `from` in [relay]")
        return self


TABLES: dict[str, type[Table]] = {
    "letter": LetterTable,
    "sender": SenderTable,
    "teasers": TeasersTable,
    "theme": ThemeTable,
    "relay": RelayTable,
    "send": SendTable,
    "dkim": DkimTable,
    "database": DatabaseTable,
    "check": CheckTable,
}


def mailbox(text: str) -> Mailbox:
    """The display name and the address of `Name <address>`. The text is already checked."""
    match = MAILBOX.match(text)
    if match is None:
        raise ConfigError(f"not a mailbox: {text!r}")
    return Mailbox((match["name"] or "").strip(), match["inside"] or match["bare"])
