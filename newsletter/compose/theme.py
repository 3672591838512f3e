"""An issue poured into the templates of its publication.

Enters: a Page (an issue and its article as an HTML fragment). Leaves: a whole HTML document whose
CSS is not inlined yet, or the plain text, each with the slots it uses. Knows no subscriber, no
Markdown and no CSS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from newsletter.compose import vocabulary
from newsletter.compose.sandbox import Sandbox, start_counting
from newsletter.compose.strings import Strings, direction, strings_for
from newsletter.compose.template_errors import Scope, explain
from newsletter.compose.vocabulary import Card
from newsletter.defaults import default_folder
from newsletter.errors import NewsletterError, TemplateError
from newsletter.model import Issue, Letter, Slot
from newsletter.slots import BUILT_IN, TOKEN

HTML_TEMPLATE = "email.html"
TEXT_TEMPLATE = "email.txt"
# Deliverability 7.7. Gmail clips at 102 KB; this only stops a template that never ends.
LARGEST_OUTPUT = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the templates show. `body` is HTML made by the markup stage and trusted as it is;
    `subject` and `preheader` are plain text with tokens for slots."""

    issue: Issue
    letter: Letter
    body: str
    subject: str
    preheader: str

    @property
    def language(self) -> str:
        return vocabulary.language_of(self.issue, self.letter)

    @property
    def strings(self) -> Strings:
        return strings_for(self.language)

    @property
    def cards(self) -> tuple[Card, ...]:
        return vocabulary.cards(self.issue, self.letter)

    def nouns(self) -> dict[str, Any]:
        """The names at the top level of every template."""
        return {
            "issue": vocabulary.issue_noun(self.issue, self.letter, self.strings),
            "letter": vocabulary.letter_noun(self.letter),
            "subject": self.subject,
            "preheader": self.preheader,
            "padding": vocabulary.snippet_padding(self.preheader),
            "cards": self.cards,
            "strings": self.strings,
            "language": self.language,
            "direction": direction(self.language),
        }


NAMES = (
    *("issue", "letter", "subject", "preheader", "padding", "cards"),
    *("strings", "language", "direction", "body", "rows"),
)


@dataclass(frozen=True, slots=True)
class Theme:
    """The templates of one publication, read when first used and again when they change."""

    environment: Sandbox
    scope: Scope

    def fill_html(self, page: Page) -> tuple[str, tuple[Slot, ...]]:
        """The document before inlining, and the slots its templates use, in order.

        Raises TemplateError with template:line.
        """
        body = Markup(page.body)  # noqa: S704 - made by the markup stage
        extra = {"body": body, "rows": vocabulary.rows(page.body)}
        return self._fill(HTML_TEMPLATE, page.nouns() | extra)

    def fill_text(self, page: Page, body: str) -> tuple[str, tuple[Slot, ...]]:
        """The plain text around `body`, and the slots its templates use, in order.

        Raises TemplateError with template:line.
        """
        text, slots = self._fill(TEXT_TEMPLATE, page.nouns() | {"body": body, "rows": (body,)})
        return text.strip("\n") + "\n", slots

    def _fill(self, name: str, nouns: Mapping[str, Any]) -> tuple[str, tuple[Slot, ...]]:
        try:
            text = self._render(name, nouns)
        except NewsletterError:
            raise
        except Exception as error:
            translated = explain(error, self.scope)
            if translated is None:
                raise
            raise translated from error
        known = self.environment.slots
        tokens = dict.fromkeys(TOKEN.findall(text))
        return text, tuple(known[token] for token in tokens if token in known)

    def _render(self, name: str, nouns: Mapping[str, Any]) -> str:
        start_counting()
        pieces, size = [], 0
        for piece in self.environment.get_template(name).generate(nouns):
            size += len(piece)
            if size > LARGEST_OUTPUT:
                raise TemplateError(
                    f"more than {LARGEST_OUTPUT // 1024 // 1024} MB of output", path=name
                )
            pieces.append(piece)
        return "".join(pieces)


def load_theme(letter: Letter) -> Theme:
    """The letter's templates, each file from its own folder or else from the defaults."""
    folders = tuple(dict.fromkeys((letter.templates.resolve(), _defaults())))
    fields = tuple(dict.fromkeys((*BUILT_IN, *letter.fields)))
    environment = Sandbox(folders, fields)
    environment.filters.update(
        named=vocabulary.named, wrapped=vocabulary.wrapped, underlined=vocabulary.underlined
    )
    return Theme(environment, Scope(folders, letter.root.resolve(), NAMES, fields))


def _defaults() -> Path:
    return default_folder("templates").resolve()
