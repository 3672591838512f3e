"""A fault of the configuration file, with file:line and the likely key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from newsletter.config.tables import TABLES, Tables, guess
from newsletter.errors import ConfigError

FILE_NAME = "newsletter.toml"


def explain(error: ValidationError, path: Path, text: str) -> ConfigError:
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
        likely = guess(keys[-1], _known_keys(keys[:-1]))
        message, code = f"unknown key `{keys[-1]}`{inside}{likely}", "config.unknown_key"
    elif item["type"] == "missing":
        message, code = f"`{keys[-1]}` is missing{inside}", "config.missing_key"
    else:
        reason = str(item["msg"]).removeprefix("Value error, ")
        about = f"`{keys[-1]}`{inside}: " if keys else ""  # or between two tables
        message, code = f"{about}{reason}", "config.value"
    return ConfigError(message, path=path.name, line=line, code=code)


def _known_keys(table: tuple[str, ...]) -> list[str]:
    model = TABLES.get(table[0], Tables) if table else Tables
    return [key.alias or name for name, key in model.model_fields.items()]


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
