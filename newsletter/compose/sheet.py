"""An issue on its way from Markdown to HTML, with all that the steps in between must know."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.compose.braces import Braces, Typed
from newsletter.compose.findings import Findings
from newsletter.compose.strings import Strings, strings_for
from newsletter.model import Issue, Letter, Slot


@dataclass(frozen=True, slots=True)
class Sheet:
    """An issue while it is being composed, with its double braces and findings."""

    issue: Issue
    letter: Letter
    braces: Braces
    findings: Findings

    def declared(self, typed: Typed) -> Slot | None:
        """The slot that the braces mean; None when they name no declared field."""
        slot = typed.slot()
        return slot if slot and slot.name in self.letter.fields else None

    def slot_in(self, text: str) -> Slot | None:
        """The first declared slot in a stretch of HTML."""
        if not self.braces.typed:
            return None
        slots = map(self.declared, self.braces.within(text))
        return next((slot for slot in slots if slot), None)

    @property
    def language(self) -> str:
        """The article's own language, else the letter's."""
        return self.issue.article.language or self.letter.language

    @property
    def strings(self) -> Strings:
        return strings_for(self.language)
