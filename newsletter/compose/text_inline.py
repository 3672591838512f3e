"""The words of one paragraph.

In: inline nodes of the article. Out: one string with single blanks, line feeds where the author
broke the line, GLUE where no line may end, and links as numbers. Refuses to know lines, widths and
what surrounds the paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from lxml import etree

from newsletter.compose.strings import Strings
from newsletter.compose.text_wrap import GLUE

BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset "  # noqa: SIM905
    "figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li "
    "listing main menu nav ol optgroup option p pre search section summary table tbody td tfoot th "
    "thead tr ul xmp".split()
)
_DROPPED = frozenset(
    "base col colgroup datalist head link meta noframes param script style template title".split()  # noqa: SIM905
)
_EMBEDS = frozenset({"audio", "embed", "iframe", "source", "video"})
_SPANS = frozenset({"a", "abbr", "del", "q", "s", "strike", "sub", "sup"}) | _EMBEDS

_SPACES = re.compile(r"[ \t\n\r\f]+")
_LINE_END = re.compile(r" *\n *")
_CORE = re.compile(r"([ \n]*)(.*?)([ \n]*)", re.DOTALL)
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_EMOJI = re.compile(r"\b(emoji|emojione|gemoji|twemoji)\b")
_INERT = frozenset({"about", "blob", "cid", "data", "javascript", "vbscript"})
_ADDRESSES = frozenset({"mailto", "sms", "tel"})
_RAISED = str.maketrans("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ")
_LOWERED = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
_SHIFTED = {"sub": _LOWERED, "sup": _RAISED}


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one text has said so far: the targets of its links, each with its number, in the order
    of their first use, and the abbreviations it has spelt out."""

    strings: Strings
    targets: dict[str, int] = field(default_factory=dict)
    spelt: set[tuple[str, str]] = field(default_factory=set)

    def mark(self, url: str) -> str:
        """The target's number in brackets; the same target always has the same one."""
        return f"[{self.targets.setdefault(url, len(self.targets) + 1)}]"

    def spell(self, short: str, meaning: str) -> str:
        """The abbreviation, with its meaning where it is used first."""
        if not meaning or meaning == short or (short, meaning) in self.spelt:
            return short
        self.spelt.add((short, meaning))
        return f"{short} ({meaning})"

    def show(self, image: etree._Element) -> str:
        """The image's words; nothing for a decorative one (empty or missing alt)."""
        alt = " ".join(image.get("alt", "").split())
        if not alt or _EMOJI.search(image.get("class", "")):
            return alt
        return f"[{self.strings.image}{self.strings.colon}{alt}]"


def is_hidden(element: etree._Element) -> bool:
    """Whether no reader of the HTML sees the element either."""
    return (
        element.tag in _DROPPED
        or element.get("hidden") is not None
        or _HIDDEN.search(element.get("style", "")) is not None
    )


def inline_text(run: Iterable[etree._Element], lead: str | None, transcript: Transcript) -> str:
    """The words of `lead` and of the nodes, tails included; "" when there are none to be seen."""
    words = _Words(transcript)
    words.add(lead)
    for node in run:
        if len(node) == 0:
            words.open(node)
            words.close(node)
            continue
        walk = etree.iterwalk(node, events=("start", "end"))
        for event, element in walk:
            if event == "end":
                words.close(element)
            elif is_hidden(element):
                walk.skip_subtree()
            else:
                words.open(element)
    text = _LINE_END.sub("\n", _repeated_blanks("".join(words.parts)))
    text = text.strip(" \n")
    return text if text.strip() else ""


def _repeated_blanks(text: str) -> str:
    while "  " in text:
        text = text.replace("  ", " ")
    return text


@dataclass(slots=True)
class _Words:
    """What is said so far, and where the spans that are still open began."""

    transcript: Transcript
    parts: list[str] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)

    def add(self, text: str | None) -> None:
        if text:
            self.parts.append(_SPACES.sub(" ", text))

    def open(self, element: etree._Element) -> None:
        if is_hidden(element):
            return
        tag = element.tag
        if tag in _SPANS:
            self.begun.append(len(self.parts))
        elif tag in BLOCKS or tag == "br":
            self.parts.append("\n")
        elif tag == "img":
            self.parts.append(self.transcript.show(element))
        elif tag == "input" and element.get("type", "").lower() == "checkbox":
            self.parts.append("☐ " if element.get("checked") is None else "☑ ")
        self.add(element.text)

    def close(self, element: etree._Element) -> None:
        if not is_hidden(element):
            if element.tag in _SPANS:
                start = self.begun.pop()
                inner = "".join(self.parts[start:])
                self.parts[start:] = [_span(element, inner, self.transcript)]
            elif element.tag in BLOCKS and element.tag != "hr":
                self.parts.append("\n")
        self.add(element.tail)


def _span(element: etree._Element, inner: str, transcript: Transcript) -> str:
    """A finished span, with the blanks at its ends outside of its signs."""
    match = _CORE.fullmatch(inner)
    before, core, after = match.groups() if match else ("", inner, "")
    return before + _said(element, core, transcript) + after


def _said(element: etree._Element, core: str, transcript: Transcript) -> str:
    tag = element.tag
    if tag == "a":
        return _link(_target(element.get("href", "")), core, transcript)
    if tag in _EMBEDS:
        return _embed(element, core, transcript)
    if not core:
        return ""
    if tag == "abbr":
        return transcript.spell(core, " ".join(element.get("title", "").split()))
    if tag in _SHIFTED:
        return _shifted(core, _SHIFTED[str(tag)])
    return f"“{core}”" if tag == "q" else f"~{core}~"


def _shifted(core: str, alphabet: dict[int, int]) -> str:
    """Figures and signs in their small form, anything else ("1st") as it is."""
    figures = core.strip("[]")
    small = all(ord(char) in alphabet for char in figures) and figures
    return figures.translate(alphabet) if small else core


def _target(href: str) -> str:
    """The target in one unbroken word, as a browser would read the attribute."""
    return re.sub(r"[\t\n\r\f\v]+", "", href.strip()).replace(" ", "%20")


def _link(target: str, core: str, transcript: Transcript) -> str:
    scheme = target.partition(":")[0].lower()
    if not target or target.startswith("#") or scheme in _INERT:
        # The way back from a footnote leads nowhere in a text.
        return "" if target.startswith("#fnref") else core
    if scheme in _ADDRESSES:
        return _address_link(target, core)
    if not core:
        return transcript.mark(target)
    if _bare(core) == _bare(target):
        return target
    return f"{core}{GLUE}{transcript.mark(target)}"


def _address_link(target: str, core: str) -> str:
    """The words with the address or telephone number they stand for, once."""
    address = unquote(target.partition(":")[2].partition("?")[0]).strip()
    if not address or address.replace(" ", "") in core.replace(" ", ""):
        return core
    return f"{core}{GLUE}<{address}>" if core else address


def _embed(element: etree._Element, core: str, transcript: Transcript) -> str:
    target = _target(element.get("src", ""))
    title = " ".join(element.get("title", "").split())
    if not target.startswith(("http://", "https://")):
        return core
    return f"{core or title}{GLUE}{transcript.mark(target)}".lstrip(GLUE)


def _bare(url: str) -> str:
    """What two spellings of one address have in common: no scheme, no closing slash."""
    return re.sub(r"^https?://", "", url, flags=re.IGNORECASE).rstrip("/").lower()
