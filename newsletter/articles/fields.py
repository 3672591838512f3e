"""The front matter of one article, asked by meaning instead of by key.

Enters: entries and their Source. Leaves: clean single lines, flags, numbers, lists, each with the
line it came from when something is wrong with it. What was never asked for is `extra`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from newsletter.articles.entries import Dialect, Entry, Value
from newsletter.articles.frontmatter import FrontMatter
from newsletter.articles.keys import ALIASES, folded
from newsletter.articles.source import Source

TRUE = frozenset(("true", "yes", "on", "1", "y", "t"))
FALSE = frozenset(("false", "no", "off", "0", "n", "f", "none"))
IMAGE_KEYS = ("image", "src", "path", "url", "file", "feature", "teaser")
IMAGE_SUFFIX = re.compile(r"\.(?:png|jpe?g|gif|webp|avif|svg)$", re.IGNORECASE)


class Fields:
    """Questions to one front matter; each answer marks its key as used."""

    def __init__(self, source: Source, front: FrontMatter) -> None:
        self.source = source
        self.dialect = front.dialect
        self.entries = front.entries
        self._by_key: dict[str, Entry] = {}
        for entry in front.entries:
            self._by_key.setdefault(folded(entry.key), entry)
        self._used: set[str] = set()

    def entry(self, name: str) -> Entry | None:
        """The entry of the first alias that is present and not empty."""
        for alias in ALIASES[name]:
            found = self._by_key.get(alias)
            if found is not None and found.value not in (None, "", [], {}):
                return found
        return None

    def use(self, entry: Entry) -> None:
        self._used.add(entry.key)

    def line(self, name: str) -> str | None:
        """The value as one clean line; None when not given or no text."""
        found = self.entry(name)
        return self.clean(found) if found and isinstance(found.value, str) else None

    def strict_line(self, name: str) -> str | None:
        """The value as one clean line. Raises ArticleError when it is a list or a mapping."""
        found = self.entry(name)
        if found and not isinstance(found.value, str):
            kind = "a list" if isinstance(found.value, list) else "a mapping"
            raise self.source.error(
                f"`{found.key}` is {kind}, not text", found.line, f'write  {found.key}: "..."'
            )
        return self.line(name)

    def clean(self, entry: Entry) -> str:
        """The entry's text with every run of white space, line ends included, as one blank.
        Raises ArticleError for other control characters: they have no place in a header field
        (deliverability 7.1)."""
        self.use(entry)
        return self._one_line(entry, str(entry.value))

    def _one_line(self, entry: Entry, text: str) -> str:
        line = " ".join(text.split())
        if line.isprintable():
            return line
        for character in line:
            if unicodedata.category(character) in ("Cc", "Cs"):
                raise self.source.error(
                    f"`{entry.key}` holds the control character U+{ord(character):04X}",
                    entry.line,
                    "remove it",
                )
        return line

    def flag(self, name: str) -> bool | None:
        """Whether the value says yes; None when not given. Raises ArticleError."""
        found = self.entry(name)
        if found is None:
            return None
        word = str(found.value).strip().lower()
        if word not in TRUE | FALSE:
            raise self.source.error(
                f"`{found.key}` is neither true nor false", found.line, f"write  {found.key}: true"
            )
        self.use(found)
        return word in TRUE

    def names(self, name: str) -> tuple[str, ...]:
        """The value as a list of names, in order, each once."""
        found = self.entry(name)
        if found is None:
            return ()
        self.use(found)
        typed = found.value if isinstance(found.value, list) else self._parts(found)
        lines = (self._one_line(found, _name_of(item)) for item in typed)
        return tuple(dict.fromkeys(line for line in lines if line))

    def _parts(self, entry: Entry) -> list[Value]:
        """One text, or many: "a, b" in Pelican and Nikola (";" first, as Pelican does), "a b" in
        Jekyll, whose `author` however is one."""
        if not isinstance(entry.value, str) or folded(entry.key) == "author":
            return [entry.value]
        for separator in (";", ","):
            if separator in entry.value:
                return [*entry.value.split(separator)]
        if self.dialect is Dialect.YAML and folded(entry.key) == "tags":
            return [*entry.value.split()]
        return [entry.value]

    def tags(self) -> tuple[str, ...]:
        """The tags, Zola's `taxonomies.tags` included; Eleventy's collection `post` is none."""
        tags = self.names("tags")
        nested = self.entry("taxonomies")
        if not tags and nested and isinstance(nested.value, dict):
            listed = nested.value.get("tags")
            items = listed if isinstance(listed, list) else [listed]
            tags = tuple(self._one_line(nested, _name_of(item)) for item in items if item)
        return tuple(tag for tag in tags if tag not in ("post", "posts"))

    def image(self) -> str | None:
        """The picture's path or URL from any of the shapes in use: text, `cover.image`,
        `images[0]`, Hugo's `resources` with a picture in it."""
        for alias in ALIASES["image"]:
            found = self._by_key.get(alias)
            path = _image_path(found.value) if found else None
            if found and path:
                self.use(found)
                return self._one_line(found, path)
        return None

    def extra(self) -> Mapping[str, Any]:
        """Every entry that answered no question, as typed."""
        unused = {entry.key: entry.value for entry in self.entries if entry.key not in self._used}
        return MappingProxyType(unused)


def _name_of(item: Value) -> str:
    if isinstance(item, dict):
        named = item.get("name") or item.get("title")
        return named if isinstance(named, str) else ""
    return item if isinstance(item, str) else ""


def _image_path(value: Value) -> str | None:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, dict):
        inner = next((value[key] for key in IMAGE_KEYS if value.get(key)), None)
        return inner if isinstance(inner, str) else None
    if isinstance(value, list):
        paths = [path for path in map(_image_path, value) if path]
        return next((path for path in paths if IMAGE_SUFFIX.search(path)), None) or next(
            (path for path in paths if "*" not in path), None
        )
    return None
