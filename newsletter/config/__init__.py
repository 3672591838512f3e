"""newsletter.toml, or [tool.newsletter] in pyproject.toml -> one frozen Config.

Enters: a folder to start from. Leaves: the nouns that the lower floors receive (Letter, Relay).
Configuration stops here: nothing below reads it, nothing here reads a secret before it is asked
for one. Unknown keys are errors with file:line and the likely key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from newsletter.config.faults import FILE_NAME, explain, line_of
from newsletter.config.tables import STATE_FOLDER, RelayTable, Tables, mailbox
from newsletter.errors import ConfigError
from newsletter.model import Images, Letter, TeaserLabels
from newsletter.slots import BUILT_IN

__all__ = [
    "Config",
    "RelayTable",
    "Tables",
    "checked",
    "find_config",
    "line_of",
    "load_config",
    "mailbox",
    "schema",
]


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
            theme=self.tables.theme.tokens(),
            readership=self.tables.check.readership(),
            images=Images(letter.images),
            bounce_domain=sender.bounce_domain or "",
        )


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
        raise explain(error, path, text) from error


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
