"""newsletter.toml, or [tool.newsletter] in pyproject.toml -> one frozen Config.

Enters: a folder to start from. Leaves: the nouns that the lower floors receive (Letter, Relay).
Configuration stops here: nothing below reads it, nothing here reads a secret before it is asked
for one. Unknown keys are errors with file:line and the likely key.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from newsletter.errors import ConfigError
from newsletter.model import Letter, Mailbox, TeaserLabels
from newsletter.presets import PRESETS
from newsletter.slots import BUILT_IN

FILE_NAME = "newsletter.toml"
STATE_FOLDER = ".newsletter"
MAILBOX = re.compile(
    r"^\s*(?:\"?(?P<name>[^<>\"]*?)\"?\s*<(?P<inside>[^<>\s]+)>|(?P<bare>[^<>\s]+))\s*$"
)
ADDRESS = re.compile(r"^[\x21-\x7e]+@[A-Za-z0-9.-]+$")


def _mailbox(text: str) -> str:
    match = MAILBOX.match(text)
    address = match and (match["inside"] or match["bare"])
    if not address or not ADDRESS.match(address):
        raise ValueError("write it as  Name <address@example.com>  with an ASCII address")
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


MailboxText = Annotated[str, AfterValidator(_mailbox)]


class Table(BaseModel):
    """What all tables share: frozen, and no unknown key."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


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


class TeasersTable(Table):
    """[teasers]: the words above the neighbours, empty for the words of the language."""

    previous: str = ""
    next: str = ""
    swapped: bool = Field(default=False, description="put the newer post under `previous`")


class RelayTable(Table):
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
    timeout_s: float = Field(default=60.0, gt=0)
    mails_per_connection: int | None = Field(default=None, ge=1)

    @field_validator("preset")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in PRESETS:
            raise ValueError(f"no such preset `{name}`{_guess(name, PRESETS)}")
        return name

    @model_validator(mode="after")
    def _host(self) -> RelayTable:
        preset = PRESETS[self.preset]
        if preset.needs_host and not self.host:
            raise ValueError(f"the preset {self.preset} needs a host")
        if preset.needs_region and not self.region and not self.host:
            raise ValueError(f"the preset {self.preset} needs a region")
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


class Tables(Table):
    """The whole configuration file."""

    letter: LetterTable
    sender: SenderTable
    teasers: TeasersTable = TeasersTable()
    relay: dict[str, RelayTable] = Field(default_factory=dict)
    database: DatabaseTable = DatabaseTable()
    check: CheckTable = CheckTable()


TABLES: dict[str, type[Table]] = {
    "letter": LetterTable,
    "sender": SenderTable,
    "teasers": TeasersTable,
    "relay": RelayTable,
    "database": DatabaseTable,
    "check": CheckTable,
}


@dataclass(frozen=True, slots=True)
class Config:
    """One publication's configuration, checked. `root` is the folder of `path`."""

    root: Path
    path: Path
    tables: Tables

    @property
    def state_folder(self) -> Path:
        return self.root / STATE_FOLDER

    @property
    def database_url(self) -> str:
        """The database's URL with a relative SQLite path made absolute."""
        scheme, _, rest = self.tables.database.url.partition(":")
        if scheme != "sqlite":
            return self.tables.database.url
        return f"sqlite:{self.root / rest.removeprefix('//')}"

    def letter(self) -> Letter:
        """The publication as the lower floors know it."""
        letter, sender, teasers = self.tables.letter, self.tables.sender, self.tables.teasers
        return Letter(
            root=self.root,
            name=letter.name,
            base_url=letter.base_url,
            language=letter.language.replace("_", "-"),
            timezone=ZoneInfo(letter.timezone),
            issues=(self.root / letter.issues).resolve(),
            templates=(self.root / letter.templates).resolve(),
            sender=mailbox(sender.from_),
            reply_to=mailbox(sender.reply_to) if sender.reply_to else None,
            postal_address=sender.postal_address,
            list_id=letter.list_id or f"letter.{urlsplit(letter.base_url).hostname}",
            permalink=letter.permalink,
            fields=tuple(dict.fromkeys((*BUILT_IN, *letter.fields))),
            labels=TeaserLabels(
                previous=teasers.previous, next=teasers.next, swapped=teasers.swapped
            ),
        )


def mailbox(text: str) -> Mailbox:
    """The display name and the address of `Name <address>`. The text is already checked."""
    match = MAILBOX.match(text)
    if match is None:
        raise ConfigError(f"not a mailbox: {text!r}")
    return Mailbox((match["name"] or "").strip(), match["inside"] or match["bare"])


def schema() -> dict[str, Any]:
    """The configuration as JSON Schema, for editors."""
    return Tables.model_json_schema(by_alias=True)


def find_config(start: Path) -> Path:
    """The nearest newsletter.toml, or pyproject.toml with [tool.newsletter], from `start` upwards.

    Raises ConfigError when there is none.
    """
    folder = start.resolve()
    for place in (folder, *folder.parents):
        if (place / FILE_NAME).is_file():
            return place / FILE_NAME
        project = place / "pyproject.toml"
        if project.is_file() and _tables_in(project, _text_of(project)) is not None:
            return project
    raise ConfigError(
        f"no publication in {start} or above it",
        hint="start one: newsletter init my-letter    or name its folder: newsletter -C DIR ...",
        code="config.none",
    )


def load_config(start: Path) -> Config:
    """The configuration that governs `start`. Raises ConfigError, naming every fault at once."""
    path = find_config(start)
    return Config(root=path.parent, path=path, tables=checked(path, _text_of(path)))


def checked(path: Path, text: str) -> Tables:
    """The tables in the text of a configuration file called `path`. Raises ConfigError."""
    tables = _tables_in(path, text)
    try:
        return Tables.model_validate(tables)
    except ValidationError as error:
        raise _explain(error, path, text) from error


def _text_of(path: Path) -> str:
    """The file's text; the byte order mark that Windows editors put in front is left out."""
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(
            f"cannot be read: {reason}", path=path.name, code="config.file"
        ) from error


def _tables_in(path: Path, text: str) -> Mapping[str, Any] | None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise ConfigError(
            f"not TOML: {error}",
            path=path.name,
            line=int(line[1]) if line else None,
            code="config.toml",
        ) from error
    if path.name == FILE_NAME:
        return document
    tool = document.get("tool")
    tables = tool.get("newsletter") if isinstance(tool, dict) else None
    if tables is None or isinstance(tables, dict):
        return tables
    raise ConfigError(
        "`newsletter` in [tool] is no table",
        path=path.name,
        line=line_of(text, ("tool", "newsletter")),
        code="config.value",
    )


def _explain(error: ValidationError, path: Path, text: str) -> ConfigError:
    prefix = () if path.name == FILE_NAME else ("tool", "newsletter")
    faults = [_fault(dict(item), path, text, prefix) for item in error.errors()]
    faults.sort(key=lambda fault: fault.code != "config.unknown_key")
    first, others = faults[0], faults[1:]
    rest = "".join(f"\n  also {other.where}: {other.message}" for other in others)
    return ConfigError(
        first.message,
        path=first.path,
        line=first.line,
        hint="all keys: newsletter config schema" + rest,
        code=first.code,
    )


def _fault(item: dict[str, Any], path: Path, text: str, prefix: tuple[str, ...]) -> ConfigError:
    keys = tuple(str(key) for key in item["loc"])
    line = line_of(text, (*prefix, *keys))
    table = ".".join((*prefix, *keys[:-1]))
    inside = f" in [{table}]" if table else ""
    if item["type"] == "extra_forbidden":
        guess = _guess(keys[-1], _known_keys(keys[:-1]))
        message, code = f"unknown key `{keys[-1]}`{inside}{guess}", "config.unknown_key"
    elif item["type"] == "missing":
        message, code = f"`{keys[-1]}` is missing{inside}", "config.missing_key"
    else:
        reason = str(item["msg"]).removeprefix("Value error, ")
        message, code = f"`{keys[-1]}`{inside}: {reason}", "config.value"
    return ConfigError(message, path=path.name, line=line, code=code)


def _known_keys(table: tuple[str, ...]) -> list[str]:
    model = TABLES.get(table[0], Tables) if table else Tables
    return [key.alias or name for name, key in model.model_fields.items()]


def _guess(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f". Did you mean `{close[0]}`?" if close else ""


def line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """The line of `keys` in a TOML text, or of the innermost table that is there; None for
    neither. Knows `[table]` headers and bare or dotted keys, which is all a person writes here."""
    best: tuple[int, int | None] = (0, None)
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+\s*(#.*)?$", line)
        pair = re.match(r"\s*([\w\"'.-]+)\s*=", line)
        if header:
            table = _dotted(header[1])
        here = table if header else (*table, *_dotted(pair[1])) if pair else None
        if here and len(here) > best[0] and here == keys[: len(here)]:
            best = (len(here), number)
    return best[1]


def _dotted(text: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in text.split("."))
