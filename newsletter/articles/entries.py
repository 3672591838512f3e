"""The noun between the dialects and the article: one key of a front matter with its line.

Every dialect leaves the same thing: text as typed, lists and mappings of text, None for nothing.
What a key means is the business of `keys` and `reading`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from newsletter.articles.source import Source

Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"

MAX_DEPTH = 20  # deliverability 7.23


class Dialect(StrEnum):
    """How a front matter is written."""

    YAML = "YAML"
    TOML = "TOML"
    JSON = "JSON"
    PELICAN = "Pelican"
    NIKOLA = "Nikola"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Entry:
    """A key as typed, its value, and its line in the file."""

    key: str
    value: Value
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """The inside of a front matter; its first line is line `line` of the file."""

    source: Source
    text: str
    line: int


def first_of_two(block: Block, key: str, first: int, second: int) -> Exception:
    """The error for a key that stands twice."""
    return block.source.error(
        f"`{key}` stands twice in the front matter: on line {first} and on line {second}",
        second,
        "keep one of them",
    )
