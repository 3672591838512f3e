"""Double braces, taken out of Markdown's way and put back.

Enters: Markdown. Leaves: Markdown with one word of letters and digits for each pair of braces, so
that neither a `|` in a table cell nor a quote, an underscore or a link's destination breaks it.
Code gets back what was typed, everything else a slot's token. Refuses to know Markdown and HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from newsletter.model import Slot
from newsletter.slots import BRACES, SLOT, slot_of

# A fallback is a word or two.
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Typed:
    """A pair of braces as typed, and its place in the text."""

    text: str
    place: int

    @property
    def name(self) -> str | None:
        """The field it names, declared or not; None when it does not have a slot's form."""
        match = SLOT.fullmatch(self.text) if len(self.text) <= LONGEST else None
        return match.group(1) if match else None

    def slot(self) -> Slot | None:
        """The slot it would be, if its field is declared."""
        match = SLOT.fullmatch(self.text) if len(self.text) <= LONGEST else None
        return slot_of(match) if match else None


@dataclass(frozen=True, slots=True)
class Braces:
    """All braces of one text; the n-th has the n-th word."""

    typed: tuple[Typed, ...]
    words: re.Pattern[str]
    remains: re.Pattern[str]

    def named_by(self, word: re.Match[str]) -> Typed:
        """What was typed where the word stands now."""
        return self.typed[int(word.group(1))]

    def put_back(self, text: str, say: Callable[[Typed], str] = lambda typed: typed.text) -> str:
        """`text` with what `say` makes of each pair of braces in the place of its word."""
        whole = self.words.sub(lambda word: say(self.named_by(word)), text)
        # python-markdown cuts the last letter off a destination with one quotation mark in it.
        return self.remains.sub("", whole)

    def within(self, text: str) -> list[Typed]:
        """The braces whose words `text` holds."""
        return [self.named_by(word) for word in self.words.finditer(text)]


def take_out(text: str) -> tuple[str, Braces]:
    """`text` with a word for each pair of braces, and the braces.

    The words begin with a digest of the text: no author can have typed them."""
    mark = f"xbr{sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"
    typed: list[Typed] = []

    def to_word(match: re.Match[str]) -> str:
        typed.append(Typed(match.group(), match.start()))
        return f"{mark}{len(typed) - 1:06d}x"

    opened = BRACES.sub(to_word, text)
    words, remains = re.compile(f"{mark}([0-9]{{6}})x"), re.compile(f"{mark}[0-9]*x?")
    return opened, Braces(tuple(typed), words, remains)
