"""Lists as GitHub, Hugo and Pelican's readers write them -> as python-markdown reads them.

Enters: lines of Markdown without tabs. Leaves: lines in which whatever belongs to a list item
stands four columns in, the only indentation that python-markdown knows. An item's blocks may stand
where its words begin (CommonMark 5.2), or two columns behind its marker, or four. A list may
follow a line of text at once. Code, fenced or indented, and raw HTML keep their shape; text
written for python-markdown stays as it is. Refuses to know HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

STEP = 4
# Quotations of quotations; nobody reads deeper.
DEEPEST = 20

MARKER = re.compile(r"(?P<mark>[-+*]|(?P<number>\d{1,9})[.)])(?P<gap> +)(?=\S)")
DIVIDER = re.compile(r"([-*_])(?: *\1){2,} *$")
TABLE_RULE = re.compile(r"[-+|: ]*\|[-+|: ]*$")
FENCE = re.compile(r"(`{3,}(?=[^`]*$)|~{3,})")
# What python-markdown itself continues four columns in: admonitions, footnotes, definitions.
HANGING = re.compile(r"(?:!!!|\?\?\?\+?) *[\w\"-]|\[\^[^\]]+\]:|: {1,3}\S")
QUOTED = re.compile(r" {0,3}> ?")
RAW = re.compile(r"<(pre|script|style|textarea)\b|<!--", re.IGNORECASE)


def even_lists(lines: Iterable[str]) -> list[str]:
    """The lines with an even indentation of whatever belongs to an item."""
    return _Reader(list(lines)).read()


@dataclass(slots=True)
class _Box:
    """An open item, or another thing that holds blocks.

    Columns of the source: `marker` is where it begins, `content` where its words do; `edge` is
    where its author begins its later blocks, unknown until the first. `target` is the column that
    python-markdown wants."""

    marker: int
    content: int
    target: int
    edge: int | None = None
    is_item: bool = True

    @property
    def left(self) -> int:
        return self.content if self.edge is None else self.edge


@dataclass(slots=True)
class _Reader:
    """One pass over the lines of one article or one quotation."""

    lines: list[str]
    depth: int = 0
    place: int = 0
    shift: int = 0
    # What the line before was: blank, text, code, or the lead: an item's first paragraph.
    before: str = "blank"
    boxes: list[_Box] = field(default_factory=list)
    out: list[str] = field(default_factory=list)
    # Ends that stand nowhere below, not to be looked for again (deliverability 7.24).
    unclosed: set[str] = field(default_factory=set)

    def read(self) -> list[str]:
        while self.place < len(self.lines):
            line = self.lines[self.place]
            text = line.lstrip(" ")
            if not text.strip():
                self.out.append(line)
                self.before = "blank"
                self.place += 1
            else:
                self._read_line(line, text, len(line) - len(text))
        return self.out

    def _read_line(self, line: str, text: str, column: int) -> None:
        marker = MARKER.match(text)
        if marker and not DIVIDER.match(text) and not TABLE_RULE.match(text):
            holder = self._holder_of_item(column)
            if column - self._left(holder) < STEP:
                self._start_item(marker, column, holder)
                return
        self._start_block(column)
        verbatim = self._end_of_verbatim(text, column)
        if verbatim:
            self._keep(verbatim, is_fence=FENCE.match(text) is not None)
            return
        if self.before == "code":
            self.out.append("")
        if QUOTED.match(text) and self.depth < DEEPEST:
            self._quote()
            return
        self._emit(1)
        self.before = "lead" if self.before == "lead" else "text"
        if HANGING.match(text):
            self._hang(column)
            self.before = "blank" if text.startswith(("!", "?")) else "text"

    def _keep(self, count: int, *, is_fence: bool) -> None:
        """Take lines whose inside is nobody's business, apart from the sentences around."""
        if self.before == "text" and is_fence:
            self.out.append("")
        self._emit(count)
        if self.before != "lead":
            self.before = "code" if is_fence else "text"

    def _holder_of_item(self, column: int) -> int:
        """How many of the open boxes hold an item whose marker stands in that column."""
        for number, box in enumerate(self.boxes):
            floor = min(box.content, box.marker + 2) if box.is_item else box.content
            if column < floor:
                return number
        return len(self.boxes)

    def _left(self, holders: int) -> int:
        return self.boxes[holders - 1].left if holders else 0

    def _start_item(self, marker: re.Match[str], column: int, holders: int) -> None:
        nested = holders == len(self.boxes)
        if self.before in {"text", "code"}:
            if self.before == "text" and nested and marker["number"] not in {None, "1"}:
                # CommonMark 5.3: a sentence may go on with "1986." at the start of a line.
                self._emit(1)
                return
            self.out.append("")
        del self.boxes[holders:]
        target = self.boxes[-1].target if self.boxes else 0
        if nested and self.boxes and self.boxes[-1].edge is None:
            self.boxes[-1].edge = column
        gap = len(marker["gap"])
        content = column + len(marker["mark"]) + (gap if gap <= STEP else 1)
        self.boxes.append(_Box(column, content, target + STEP))
        self.shift = target - column
        rest = marker.string[marker.end() :]
        verbatim = self._end_of_verbatim(rest, content) or 1
        first = len(self.out)
        self._emit(verbatim)
        if marker["mark"].endswith(")"):
            self.out[first] = self.out[first].replace(")", ".", 1)
        self.before = "lead"

    def _start_block(self, column: int) -> None:
        """Close what the line does not belong to, and find how far its block is to be moved."""
        if self.before == "lead" and not FENCE.match(self.lines[self.place].lstrip(" ")):
            # A paragraph's later lines may stand anywhere.
            self.shift = 0
            return
        if self.before == "text":
            return
        kept = self._holders_of_block(column)
        if self.before == "lead" and kept == 0:
            self.boxes.clear()
        del self.boxes[kept:]
        if not self.boxes:
            self.shift = 0
            return
        box = self.boxes[-1]
        if box.edge is None:
            box.edge = self._edge(box, column)
        begins = column if column - box.edge < STEP else box.edge
        self.shift = box.target - begins

    def _holders_of_block(self, column: int) -> int:
        outer = 0
        for number, box in enumerate(self.boxes):
            if column < min(box.content, outer + STEP):
                return number
            outer = box.left
        return len(self.boxes)

    def _edge(self, box: _Box, column: int) -> int:
        """Where the author begins the item's later blocks, by the first of them."""
        if column - box.content < STEP:
            return column
        outer = self._left(len(self.boxes) - 1)
        return outer + STEP if column >= outer + 2 * STEP else box.content

    def _hang(self, column: int) -> None:
        target = (self.boxes[-1].target if self.boxes else 0) + STEP
        edge = column + STEP
        self.boxes.append(_Box(column, edge, target, edge, is_item=False))

    def _end_of_verbatim(self, text: str, column: int) -> int:
        """How many lines from here on are fenced code or raw HTML; 0 when none is."""
        fence, raw = FENCE.match(text), RAW.match(text)
        if fence and (column - self._left(len(self.boxes)) < STEP or self.before == "lead"):
            sign = re.escape(fence[1][0])
            end = re.compile(rf" *{sign}{{{len(fence[1])},}} *$")
        elif raw:
            closing = "-->" if raw[1] is None else f"</{raw[1]}"
            if closing in text.lower():
                return 1
            end = re.compile(f".*{re.escape(closing)}", re.IGNORECASE)
        else:
            return 0
        if end.pattern in self.unclosed:
            return 0
        for number, line in enumerate(self.lines[self.place + 1 :], 2):
            if end.match(line):
                return number
        self.unclosed.add(end.pattern)
        return 0

    def _emit(self, count: int) -> None:
        """Take that many lines, moved with their block."""
        for line in self.lines[self.place : self.place + count]:
            text = line.lstrip(" ")
            column = max(len(line) - len(text) + self.shift, 0)
            self.out.append(" " * column + text if text else line)
        self.place += count

    def _quote(self) -> None:
        """The lines of a quotation, evened by themselves."""
        end = self.place
        while end < len(self.lines) and QUOTED.match(self.lines[end].lstrip(" ")):
            end += 1
        quoted = [line.lstrip(" ") for line in self.lines[self.place : end]]
        inner = [QUOTED.sub("", line, count=1) for line in quoted]
        evened = _Reader(inner, self.depth + 1).read()
        if evened == inner:
            self._emit(end - self.place)
        else:
            column = len(self.lines[self.place]) - len(self.lines[self.place].lstrip(" "))
            margin = " " * max(column + self.shift, 0)
            self.out += [f"{margin}> {line}".rstrip(" ") for line in evened]
            self.place = end
        self.before = "text"
