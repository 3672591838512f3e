"""TOML (`+++`) and JSON (`{`) front matter -> entries, every value back in its author's words.

Both formats carry types; an Article wants text (see yaml_block), so numbers, booleans and dates
become text again. The parsers are Python's own; their recursion is caught here.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, NoReturn

from newsletter.articles.entries import MAX_DEPTH, Block, Entry, Value, first_of_two

TOML_KEY = re.compile(r"\s*(\[\[?)?\s*[\"']?([\w-]+)[\"']?\s*(?:[=.\]])")
AT_LINE = re.compile(r" \(at line (\d+), column \d+\)")


def read_toml(block: Block) -> Iterator[Entry]:
    """The entries of a TOML front matter, in order. Raises ArticleError."""
    try:
        table = tomllib.loads(block.text)
    except tomllib.TOMLDecodeError as error:
        _refuse_toml(block, error)
    except RecursionError as error:
        raise _too_deep(block) from error
    lines = _toml_lines(block)
    for key, value in table.items():
        line = lines.get(key, block.line)
        yield Entry(key, as_typed(block, value), line)


def _toml_lines(block: Block) -> dict[str, int]:
    """The line of every key of the top table."""
    lines: dict[str, int] = {}
    in_table = False
    for number, line in enumerate(block.text.split("\n"), block.line):
        found = TOML_KEY.match(line)
        if found and (found[1] or not in_table):
            lines.setdefault(found[2], number)
            in_table = in_table or bool(found[1])
    return lines


def _refuse_toml(block: Block, error: tomllib.TOMLDecodeError) -> NoReturn:
    message = str(error)
    at = AT_LINE.search(message)
    last = block.text.rstrip("\n").count("\n") + 1
    inside = min(int(at[1]), last) if at else last
    line = block.line + inside - 1
    typed = block.text.split("\n")[inside - 1]
    key = TOML_KEY.match(typed)
    if key and "overwrite" in message:
        first = _toml_lines(block).get(key[2], line)
        raise first_of_two(block, key[2], first, line) from error
    words = AT_LINE.sub("", message).replace(" (at end of document)", "")
    words = "a quotation mark is never closed" if "'\\n'" in words else words
    words = words[:1].lower() + words[1:]
    hint = _quoted(typed)
    raise block.source.error(f"front matter is not TOML: {words}", line, hint) from error


def _quoted(line: str) -> str:
    """The line with its value in quotes, for a hint."""
    found = re.match(r"\s*([\w.-]+)\s*[=:]\s*+([^\"'\[{].{0,200})", line)
    value = json.dumps(found[2].rstrip(), ensure_ascii=False) if found else '"value"'
    return f"write  {found[1] if found else 'key'} = {value}"


class _TwiceError(Exception):
    """A key stands twice in one JSON object."""


def read_json(block: Block) -> tuple[list[Entry], int]:
    """The entries of the JSON object at the start of the block, and the offset of its end.
    Raises ArticleError."""
    try:
        table, end = DECODER.raw_decode(block.text)
    except json.JSONDecodeError as error:
        line = block.line + error.lineno - 1
        words = error.msg[:1].lower() + error.msg[1:]
        raise block.source.error(f"front matter is not JSON: {words}", line) from error
    except RecursionError as error:
        raise _too_deep(block) from error
    except _TwiceError as error:
        raise _twice(block, str(error)) from error
    lines = [_json_lines(block, key)[:1] or [block.line] for key in table]
    entries = [
        Entry(key, as_typed(block, value), line[0])
        for (key, value), line in zip(table.items(), lines, strict=True)
    ]
    return entries, end


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in keys if keys.count(key) > 1))
    return table


DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=str, parse_float=str, parse_constant=str
)


def _json_lines(block: Block, key: str) -> list[int]:
    name = re.escape(json.dumps(key, ensure_ascii=False))
    found = re.finditer(rf"{name}\s*:", block.text)
    return [block.line + block.text.count("\n", 0, match.start()) for match in found]


def _twice(block: Block, key: str) -> Exception:
    lines = [*_json_lines(block, key), block.line, block.line]
    return first_of_two(block, key, lines[0], lines[1])


def _too_deep(block: Block) -> Exception:
    return block.source.error(f"front matter is nested deeper than {MAX_DEPTH} levels", block.line)


def as_typed(block: Block, value: Any, depth: int = 2) -> Value:
    """A typed value as text, None, or lists and mappings of those. `depth` counts the top table."""
    if depth > MAX_DEPTH and isinstance(value, dict | list):
        raise _too_deep(block)
    if isinstance(value, dict):
        return {key: as_typed(block, inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_typed(block, inner, depth + 1) for inner in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return None if value is None else str(value)
