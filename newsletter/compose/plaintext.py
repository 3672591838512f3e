"""Article HTML -> plain text.

In: the fragment that Markdown and the email fixes made, raw HTML of any kind included. Out: text
of 72 columns that reads as if it had been typed: underlined headings, numbered links, code as it
was, tables in columns. Refuses to know the template around it, Markdown, CSS and who reads it.

Blocks are made here, by recursion over the block elements; the words of one paragraph by
`text_inline`, tables by `text_table`, lines by `text_wrap`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from lxml import etree

from newsletter.compose import tree
from newsletter.compose.strings import ENGLISH, Strings
from newsletter.compose.text_inline import BLOCKS, Transcript, inline_text, is_hidden
from newsletter.compose.text_table import is_tabular, read_grid, table_lines
from newsletter.compose.text_wrap import WIDTH, columns, fold_octets, wrap, wrap_line

__all__ = ["to_text", "wrap"]

# Deeper than this the rest is one paragraph: nobody reads a quotation of the 40th degree.
DEEPEST = 40
# Indentation stops where it would leave fewer columns than this for the words.
NARROWEST = 24

_UNDERLINES = {"h1": "=", "h2": "-", "h3": "~", "h4": "~", "h5": "~", "h6": "~"}
_BARRED = re.compile(r"\b(callout|admonition|note|tip|hint|warning|danger|caution|important)\b")
_QUOTED = re.compile(r"\b(quote|blockquote)\b")
_DIVIDING = re.compile(r"(?<![\w-])rule(?![\w-])")
_TITLE = re.compile(r"\btitle\b")
_CAPTION = re.compile(r"\bcaption\b")
_INTEGER = re.compile(r"\s*([+-]?[0-9]{1,6})\s*")
_TASK_BOX = re.compile(r"([☐☑☒])\s*")
# One C1 character makes Gmail clip the mail (email-bugs 41, 140); the C0 ones are no text.
_CONTROLS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f]")


def to_text(fragment: str, strings: Strings = ENGLISH) -> str:
    """The article as plain text, LF-separated, ending in one LF ("" for nothing at all).

    Links are `text [1]` with their targets in a list of links at the end. Lines that begin
    with "From " or "." are left to whoever writes the mail."""
    transcript = Transcript(strings)
    blocks = _Walker(transcript).blocks(tree.parse(fragment), Room(WIDTH))
    if transcript.targets:
        blocks.append(_underlined([strings.links], "-"))
        blocks.append(Block([f"[{number}] {url}" for url, number in transcript.targets.items()]))
    whole = _CONTROLS.sub("", "\n".join(_joined(blocks)))
    lines = (piece.rstrip() for line in whole.split("\n") for piece in fold_octets(line))
    text = "\n".join(lines).strip("\n")
    return f"{text}\n" if text else ""


@dataclass(frozen=True, slots=True)
class Room:
    """What a block may take: how many columns, inside of how many other blocks."""

    width: int
    depth: int = 0

    def deeper(self) -> Room:
        return replace(self, depth=self.depth + 1)

    def indented(self, by: int) -> Room | None:
        """What is left behind an indentation; None when that is too little for words."""
        return replace(self, width=self.width - by) if self.width - by >= NARROWEST else None


@dataclass(slots=True)
class Block:
    """Lines that stand together, a blank line before and after: but none after a `title`, none
    before a `caption`, and none before a `close` one in an item of a tight list."""

    lines: list[str]
    close: bool = False
    title: bool = False
    caption: bool = False


def _joined(blocks: list[Block], *, tight: bool = False) -> list[str]:
    """The lines of all blocks, with the blank lines between them."""
    lines: list[str] = []
    for before, block in zip([None, *blocks], blocks, strict=False):
        apart = not (block.caption or (tight and block.close))
        if before and not before.title and apart:
            lines.append("")
        lines += block.lines
    return lines


def _prefixed(lines: list[str], first: str, rest: str) -> list[str]:
    """The lines behind their prefixes, without trailing blanks."""
    return [((rest if index else first) + line).rstrip() for index, line in enumerate(lines)]


def _underlined(lines: list[str], sign: str) -> Block:
    return Block([*lines, sign * min(max(columns(line) for line in lines), WIDTH)])


@dataclass(slots=True)
class _Walker:
    """One pass over one fragment; all it remembers is the transcript.

    Each method gives the blocks of one kind of element, in the room it is given."""

    transcript: Transcript
    kinds: dict[str, Callable[[etree._Element, Room], list[Block]]] = field(init=False)

    def __post_init__(self) -> None:
        self.kinds = {
            "blockquote": self._quotation,
            "dd": self._meaning,
            "dl": self._definitions,
            "hr": self._rule,
            "table": self._table,
            **dict.fromkeys(("dir", "menu", "ol", "ul"), self._list),
            **dict.fromkeys(("listing", "pre", "xmp"), self._code),
            **dict.fromkeys(_UNDERLINES, self._heading),
        }

    def blocks(self, parent: etree._Element, room: Room) -> list[Block]:
        """What the element holds, in order: runs of words as paragraphs, block elements each in
        its own way."""
        if room.depth > DEEPEST:
            return self._paragraph(list(parent), parent.text, room.width)
        found: list[Block] = []
        run: list[etree._Element] = []
        lead = parent.text
        for child in parent:
            if _is_block(child):
                found += self._paragraph(run, lead, room.width)
                found += self._block(child, room.deeper())
                run, lead = [], child.tail
            else:
                run.append(child)
        return found + self._paragraph(run, lead, room.width)

    def _block(self, element: etree._Element, room: Room) -> list[Block]:
        if is_hidden(element):
            return []
        found = self.kinds.get(str(element.tag), self.blocks)(element, room)
        if found and (names := element.get("class")):
            is_caption = _CAPTION.search(names) is not None
            below_image = is_caption and _ends_in_image(element.getprevious())
            found[0].caption |= below_image
            # The caption of a code block stands above it.
            found[-1].title |= _TITLE.search(names) is not None or (is_caption and not below_image)
        return found

    def _paragraph(self, run: list[etree._Element], lead: str | None, width: int) -> list[Block]:
        words = inline_text(run, lead, self.transcript)
        lines = [line for part in words.split("\n") for line in wrap_line(part, width)]
        return [Block(lines)] if words else []

    def _heading(self, element: etree._Element, room: Room) -> list[Block]:
        lines = _joined(self.blocks(element, room))
        return [_underlined(lines, _UNDERLINES[str(element.tag)])] if lines else []

    def _rule(self, element: etree._Element, room: Room) -> list[Block]:
        return [Block(["* * *"])]

    def _code(self, element: etree._Element, room: Room) -> list[Block]:
        """The element's text verbatim, four columns in; the width does not bind it."""
        for line_break in element.iter("br"):
            line_break.text = "\n"
        lines = "".join(map(str, element.itertext())).replace("\r", "\n").split("\n")
        while lines and not lines[0].strip():
            del lines[0]
        while lines and not lines[-1].strip():
            del lines[-1]
        return [Block(_prefixed(lines, "    ", "    "))] if lines else []

    def _quotation(self, element: etree._Element, room: Room) -> list[Block]:
        return self._marked(element, "> ", room)

    def _meaning(self, element: etree._Element, room: Room) -> list[Block]:
        blocks = self._marked(element, "    ", room)
        return [Block(_joined(blocks), close=True)] if blocks else []

    def _definitions(self, element: etree._Element, room: Room) -> list[Block]:
        lines = _joined(self.blocks(element, room), tight=True)
        return [Block(lines)] if lines else []

    def _marked(self, element: etree._Element, mark: str, room: Room) -> list[Block]:
        """What the element holds, every line behind the mark, as one block."""
        inside = room.indented(len(mark))
        if inside is None:
            return self.blocks(element, room)
        lines = _joined(self.blocks(element, inside))
        return [Block(_prefixed(lines, mark, mark))] if lines else []

    def _list(self, element: etree._Element, room: Room) -> list[Block]:
        markers = _markers(element)
        indent = max((len(marker) for marker in markers), default=2)
        inside = room.indented(indent)
        entries = list(self._entries(element, iter(markers), inside or room))
        if inside is None:
            return [block for _, blocks in entries for block in blocks]
        loose = any(sum(not block.close for block in blocks) > 1 for _, blocks in entries)
        lines: list[str] = []
        for marker, blocks in entries:
            if loose and lines:
                lines.append("")
            lines += _behind(_joined(blocks, tight=not loose), marker, " " * indent)
        return [Block(lines, close=True)] if lines else []

    def _entries(
        self, element: etree._Element, markers: Iterator[str], room: Room
    ) -> Iterator[tuple[str, list[Block]]]:
        """The items with their markers; what stands between items has none."""
        found = [("", self._paragraph([], element.text, room.width))]
        for child in element:
            if child.tag == "li":
                found.append((next(markers), self._item(child, room)))
                found.append(("", self._paragraph([], child.tail, room.width)))
            elif _is_block(child):
                found.append(("", self._block(child, room.deeper())))
                found.append(("", self._paragraph([], child.tail, room.width)))
            else:
                found.append(("", self._paragraph([child], None, room.width)))
        return (entry for entry in found if entry[1])

    def _item(self, item: etree._Element, room: Room) -> list[Block]:
        return [] if is_hidden(item) else self.blocks(item, room.deeper())

    def _table(self, element: etree._Element, room: Room) -> list[Block]:
        if not is_tabular(element):
            return self._layout(element, room)
        found: list[Block] = []
        for caption in element.iterchildren("caption"):
            found += self._block(caption, room)
        lines = table_lines(read_grid(element, self.transcript), room.width)
        return [*found, Block(lines)] if any(lines) else found

    def _layout(self, element: etree._Element, room: Room) -> list[Block]:
        """The cells one after the other; a callout behind a bar, a quotation behind its sign."""
        names = element.get("class", "")
        if _DIVIDING.search(names):
            return self._rule(element, room)
        if _BARRED.search(names):
            return self._marked(element, "| ", room)
        if _QUOTED.search(names) and element.find(".//blockquote") is None:
            return self._marked(element, "> ", room)
        return self.blocks(element, room)


def _ends_in_image(element: etree._Element | None) -> bool:
    return element is not None and any(True for _ in element.iter("img"))


def _is_block(element: etree._Element) -> bool:
    """Whether the element starts a line of its own; a link stays one whatever it holds."""
    if element.tag in BLOCKS:
        return True
    return len(element) > 0 and element.tag != "a" and any(True for _ in element.iter(*BLOCKS))


def _markers(element: etree._Element) -> list[str]:
    """What stands before each `li`, all of one width."""
    items = list(element.iterchildren("li"))
    if element.tag != "ol":
        return ["- "] * len(items)
    backwards = element.get("reversed") is not None
    number = _integer(element.get("start"), len(items) if backwards else 1)
    numbers = []
    for item in items:
        number = _integer(item.get("value"), number)
        numbers.append(f"{number}. ")
        number += -1 if backwards else 1
    widest = max(map(len, numbers), default=0)
    return [marker.rjust(widest) for marker in numbers]


def _integer(attribute: str | None, default: int) -> int:
    match = _INTEGER.fullmatch(attribute or "")
    return int(match.group(1)) if match else default


def _behind(lines: list[str], marker: str, hang: str) -> list[str]:
    """The item's lines behind its marker; a task's box stands in the place of a bullet."""
    if marker == "- " and (box := _TASK_BOX.match(lines[0])):
        marker, lines = f"{box.group(1)} ", [lines[0][box.end() :], *lines[1:]]
    return _prefixed(lines, marker or hang, hang)
