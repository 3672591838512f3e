"""YAML front matter -> entries, with every scalar as its author typed it.

YAML 1.1 turns `title: no` into False, `12:30:45` into 45045 and `2026` into a number. So only the
parser's events are used and no resolver runs: a scalar is text, an empty or null one is None.
Aliases, anchors, foreign tags, more than 20 levels and duplicate keys are refused (deliverability
7.23). The tree is built without recursion.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from newsletter.articles.entries import MAX_DEPTH, Block, Entry, Value, first_of_two

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LONG = 200  # a hint fits a terminal
NULLS = frozenset(("", "~", "null", "Null", "NULL"))
PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map")
)


class _Words(NamedTuple):
    """What a parser says of a mistake, and what we say of it.

    `began` is true when the line at fault is where the construct began, not where the parser
    stopped; without a `hint` of its own the hint is the line with quotes.
    """

    theirs: str  # a part of it, in libyaml or in PyYAML
    ours: str
    began: bool = False
    hint: str | None = None


INDENT = "write every key at the beginning of its line"
COLON = _Words("mapping values are not allowed", 'a value holds ": " without quotes')
NO_COLON = _Words("", 'a line has no ": "', hint="write  key: value")
TABBED = _Words("tab character that violates", "a line is indented with a tab", hint=INDENT)
INDENTED = _Words("", "a line is indented that should not be", hint=INDENT)
WORDS = (
    COLON,
    _Words("found unexpected end of stream", "a quotation mark is never closed", began=True),
    _Words(
        "could not find expected ':'", 'a line has no ": "', began=True, hint="write  key: value"
    ),
    _Words("expected ',' or ']'", "a list in [ ] is not closed", began=True),
    _Words("expected ',' or '}'", "a value starts with { and needs quotes", began=True),
    TABBED,
    _Words("found character '\\t'", TABBED.ours, hint=INDENT),
    _Words("expected node content", "a value starts with a character that needs quotes"),
    _Words("expected the node content", "a value starts with a character that needs quotes"),
    _Words("cannot start any token", "a value starts with a character that needs quotes"),
    _Words("expected alphabetic or numeric", "a value starts with * or & and needs quotes"),
    _Words("sequence entries are not allowed", 'a value starts with "- " and needs quotes'),
    _Words("line break", "a value starts with | or > and needs quotes"),
    _Words("expected chomping", "a value starts with | or > and needs quotes"),
    _Words("unknown escape character", "a backslash inside double quotes"),
    _Words("expected key", "text follows a closing quotation mark or bracket"),
    _Words("expected <block end>", "text follows a closing quotation mark or bracket"),
    _Words("<document start>", "the keys do not begin in the same column", hint=INDENT),
)


class _Frame:
    """A list or mapping that is still open."""

    __slots__ = ("key", "keys", "value")

    def __init__(self, value: list[Value] | dict[str, Value]) -> None:
        self.value = value
        self.key: str | None = None
        self.keys: dict[str, int] = {}


def read_yaml(block: Block) -> Iterator[Entry]:
    """The entries of a YAML front matter, in order. Raises ArticleError."""
    tree = _Tree(block)
    try:
        for event in yaml.parse(block.text, Loader=LOADER):
            tree.take(event)
    except yaml.YAMLError as error:
        _refuse(block, error)
    return tree.entries()


class _Tree:
    """Events in, one mapping out."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.breaks = [found.start() for found in re.finditer("\n", block.text)]
        self.open: list[_Frame] = []
        self.root: Value = None
        self.lines: dict[str, int] = {}
        self.documents = 0

    def entries(self) -> Iterator[Entry]:
        if self.root is None:
            return iter(())
        if not isinstance(self.root, dict):
            raise self.block.source.error(
                "front matter is not YAML: it has no `key: value`",
                self.block.line,
                'write  title: "..."  or remove the two lines of ---',
            )
        return (Entry(key, value, self.lines[key]) for key, value in self.root.items())

    def take(self, event: Event) -> None:
        if isinstance(event, NodeEvent):
            self._check(event)
        if isinstance(event, ScalarEvent):
            null = event.implicit[0] and event.value in NULLS
            self._put(event, None if null else event.value)
        elif isinstance(event, CollectionStartEvent):
            container: list[Value] | dict[str, Value] = (
                {} if isinstance(event, MappingStartEvent) else []
            )
            self._put(event, container)
            self._enter(event, _Frame(container))
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            frame = self.open.pop()
            if not self.open:
                self.lines = frame.keys
        elif isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self._error(event, "front matter holds a second YAML document")

    def _check(self, event: NodeEvent) -> None:
        if isinstance(event, AliasEvent) or event.anchor is not None:
            sign = "*" if isinstance(event, AliasEvent) else "&"
            raise self._error(event, f"a value starts with {sign}: YAML aliases are not accepted")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!") and tag not in PLAIN_TAGS:
            raise self._error(event, f"the YAML tag {tag} is not accepted")

    def _enter(self, event: Event, frame: _Frame) -> None:
        if len(self.open) == MAX_DEPTH:
            raise self._error(event, f"front matter is nested deeper than {MAX_DEPTH} levels")
        self.open.append(frame)

    def _put(self, event: Event, value: Value) -> None:
        if not self.open:
            self.root = value
            return
        frame = self.open[-1]
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key is None:
            self._name(event, frame, value)
        else:
            frame.value[frame.key] = value
            frame.key = None

    def _name(self, event: Event, frame: _Frame, value: Value) -> None:
        if isinstance(value, list | dict):
            raise self._error(event, "a value starts with { or [ and needs quotes")
        key, line = value or "", self._line(event)
        if key in frame.keys:
            raise first_of_two(self.block, key, frame.keys[key], line)
        frame.key = key
        frame.keys[key] = line

    def _line(self, event: Event) -> int:
        # YAML counts U+0085, U+2028 and U+2029 as line breaks; editors do not.
        index = event.start_mark.index if event.start_mark else 0
        return self.block.line + bisect_left(self.breaks, index)

    def _error(self, event: Event, message: str) -> Exception:
        line = self._line(event)
        return self.block.source.error(message, line, quoting(self.block.source.line(line)))


def _refuse(block: Block, error: yaml.YAMLError) -> NoReturn:
    problem = str(getattr(error, "problem", None) or error).partition("\n")[0]
    words = next((words for words in WORDS if words.theirs in problem), _Words("", problem))
    line, indented = _mark_of(block, error, began=words.began)
    typed = block.source.line(line)
    if indented:
        words = TABBED if "\t" in typed[:1] else INDENTED
    elif words is COLON and not re.search(r":[ \t].*:(?:[ \t]|$)", typed):
        # The first ": " after a line that therefore went on.
        words, line = (
            (INDENTED, line) if typed[:1].isspace() else (NO_COLON, max(line - 1, block.line))
        )
    hint = words.hint or quoting(typed)
    raise block.source.error(f"front matter is not YAML: {words.ours}", line, hint) from error


def _mark_of(block: Block, error: yaml.YAMLError, *, began: bool) -> tuple[int, bool]:
    """The line at fault, and whether the parser stopped at its indentation already."""
    mark = None
    if isinstance(error, yaml.MarkedYAMLError):
        mark = (error.context_mark if began else None) or error.problem_mark
    if mark is None:
        return block.line, False
    last = block.text.rstrip("\n").count("\n")
    line = block.line + min(block.text.count("\n", 0, mark.index), last)
    before = block.text[block.text.rfind("\n", 0, mark.index) + 1 : mark.index]
    at_indent = not before.strip() and block.source.line(line)[:1].isspace()
    return line, at_indent


def quoting(line: str) -> str | None:
    """The line as YAML wants it, for a hint; None when it is no `key: value`, or a long one."""
    found = re.match(r"\s*(?:- +)?([\w.-]+):[ \t]+(\S.*)", line) if len(line) < LONG else None
    if found is None:
        return None
    value = found[2].rstrip()
    if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
        value = value[1:-1]
    elif value.count(value[0]) == 1:
        value = value.lstrip("\"'")
    return f"write  {found[1]}: {json.dumps(value, ensure_ascii=False)}"
