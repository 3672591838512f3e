"""An issue poured into the templates of its publication.

Enters: a Page (an issue and its article as an HTML fragment). Leaves: a whole HTML document whose
CSS is not inlined yet, or the plain text, each with the slots it uses. Knows no subscriber, no
Markdown and no CSS.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from newsletter.compose import palette, vocabulary
from newsletter.compose.looks import theme_noun
from newsletter.compose.sandbox import Sandbox, start_counting
from newsletter.compose.strings import Strings, direction, strings_for
from newsletter.compose.template_errors import Scope, explain
from newsletter.compose.vocabulary import Card
from newsletter.defaults import default_folder
from newsletter.errors import ComposeError, NewsletterError, TemplateError
from newsletter.model import Issue, Letter, Slot
from newsletter.model.look import COLOUR_TOKENS
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
    *("strings", "language", "direction", "body", "rows", "theme"),
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

    @property
    def looks(self) -> tuple[str, ...]:
        """The looks that could be chosen, by name."""
        return looks_in(self.scope.folders)

    def colours(self) -> tuple[palette.Paint, palette.Paint]:
        """The colours in force by name: in light, in the dark. Raises TemplateError."""
        made = self._module("palette.jinja")
        return dict(made.light), dict(made.dark)

    def in_force(self) -> dict[str, object]:
        """The ten tokens with what mails get of them, a colour as light and dark. Raises
        TemplateError."""
        light, dark = self.colours()
        fonts = self._module("palette.jinja")
        noun: Any = self.environment.globals["theme"]
        look = self._module(f"looks/{noun.look}.jinja")
        return {
            **{name: [light[name], dark[name]] for name in COLOUR_TOKENS},
            "heading_font": getattr(fonts, "heading_font", None) or fonts.serif,
            "body_font": getattr(fonts, "body_font", None) or fonts.serif,
            "width": noun.width,
            "radius": look.radius if noun.radius is None else noun.radius,
            "logo": noun.logo.url if noun.logo else None,
        }

    def _module(self, name: str) -> Any:
        with self._explained():
            return self.environment.get_template(name).module

    def _fill(self, name: str, nouns: Mapping[str, Any]) -> tuple[str, tuple[Slot, ...]]:
        with self._explained():
            text = self._render(name, nouns)
        known = self.environment.slots
        tokens = dict.fromkeys(TOKEN.findall(text))
        return text, tuple(known[token] for token in tokens if token in known)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What Jinja2 raises, as a designer reads it."""
        try:
            yield
        except NewsletterError:
            raise
        except Exception as error:
            translated = explain(error, self.scope)
            if translated is None:
                raise
            raise translated from error

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
    """The letter's templates, each file from its own folder or else from the defaults. Raises
    ComposeError for a look that there is not, and for a logo that no mail could show."""
    folders = tuple(dict.fromkeys((letter.templates.resolve(), _defaults())))
    fields = tuple(dict.fromkeys((*BUILT_IN, *letter.fields)))
    environment = Sandbox(folders, fields)
    _refuse_unknown_look(letter.theme.look, looks_in(folders))
    environment.filters.update(
        named=vocabulary.named,
        wrapped=vocabulary.wrapped,
        underlined=vocabulary.underlined,
        tokens_in_light=partial(palette.in_light, tones=letter.theme.tones),
        tokens_in_dark=partial(palette.in_dark, tones=letter.theme.tones),
    )
    # Global, so that a file which is imported without its context sees it too.
    environment.globals["theme"] = theme_noun(letter)
    return Theme(environment, Scope(folders, letter.root.resolve(), NAMES, fields))


def looks_in(folders: Iterable[Path]) -> tuple[str, ...]:
    """The looks that can be chosen, by name."""
    files = (file for folder in folders for file in folder.glob("looks/*.jinja"))
    return tuple(sorted({file.stem for file in files}))


def _refuse_unknown_look(name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        raise ComposeError(
            f"`look` in [theme]: there is no look `{name}`."
            + (f" Did you mean `{close[0]}`?" if close else ""),
            hint=f"there are {', '.join(known)}; your own would be templates/looks/{name}.jinja",
            code="theme.look",
        )


def _defaults() -> Path:
    return default_folder("templates").resolve()
