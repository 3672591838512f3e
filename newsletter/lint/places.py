"""Where a person finds what a finding is about: file and line of the article or of a template.

Enters: a letter, an article, and words as the mail has them. Leaves: a path as people name it and
a line. The one part of lint that reads files; a file that cannot be read is one where nothing is
found. Refuses to judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.defaults import default_folder
from newsletter.model import Article, Letter

MOST_WORDS = 8
LARGEST = 1024 * 1024
# Only articles are written in it; `<![endif]` is in every template.
MARKDOWN = ("[", "![")
COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
CONFIGURATIONS = ("newsletter.toml", "pyproject.toml")
# What typography makes of what was typed.
_TYPED = {
    "'": "['’‘]",
    "’": "['’‘]",
    "‘": "['’‘]",
    '"': '["“”„«»]',
    "“": '["“”„«»]',
    "”": '["“”„«»]',
    "–": "(?:–|--)",
    "—": "(?:—|---)",
    "…": r"(?:…|\.\.\.)",
}


@dataclass(frozen=True, slots=True)
class Text:
    """A file's text, as people name it; `body` is the place where an article's body begins."""

    path: Path
    text: str
    body: int = 0

    def line_at(self, place: int) -> int:
        return self.text.count("\n", 0, place) + 1


@dataclass(slots=True)
class Places:
    """The files of one issue. The second finding about the same words gets their second place."""

    letter: Letter
    article: Article
    _article: Text | None = None
    _templates: tuple[Text, ...] | None = None
    _found: dict[str, int] = field(default_factory=dict)

    def find(self, about: tuple[str, ...]) -> tuple[Path, int]:
        """Where the first of the words stand that stand anywhere: in the article's body, its front
        matter, the configuration (colours only), a template; else the article's first line."""
        patterns = [(words, pattern_of(words)) for words in about if words.strip()]
        for words, pattern in patterns:
            if line := self._in_article(words, pattern):
                return self.article.path, line
        for words, pattern in patterns:
            whole = _whole(words, pattern)
            for text in self._around(words):
                if match := whole.search(text.text):
                    return text.path, text.line_at(match.start())
        return self.article.path, 1

    def _in_article(self, words: str, pattern: re.Pattern[str]) -> int | None:
        if self._article is None:
            self._article = read_article(self.article, self.letter)
        text = self._article
        starts = (self._found.get(words, text.body), text.body, 0)
        for start in starts:
            if match := pattern.search(text.text, start):
                self._found[words] = match.end()
                return text.line_at(match.start())
        return None

    def _around(self, words: str) -> Iterator[Text]:
        """Where the words may stand that are not the article's."""
        if COLOUR.fullmatch(words) and self.letter.theme.tones:
            yield from read_configuration(self.letter)
        if not words.startswith(MARKDOWN):
            yield from self._of_templates()

    def _of_templates(self) -> tuple[Text, ...]:
        if self._templates is None:
            self._templates = tuple(read_templates(self.letter))
        return self._templates


def pattern_of(words: str) -> re.Pattern[str]:
    """Finds the words however they are wrapped and whatever quotes were typed."""
    parts = words.split()[:MOST_WORDS]
    typed = ("".join(_TYPED.get(c) or re.escape(c) for c in part) for part in parts)
    return re.compile(r"\s+".join(typed), re.IGNORECASE)


def _whole(words: str, pattern: re.Pattern[str]) -> re.Pattern[str]:
    """The pattern for words that are not the middle of others."""
    before = r"(?<!\w)" if re.match(r"\w", words.strip()) else ""
    after = r"(?!\w)" if re.search(r"\w$", words.strip()) else ""
    return re.compile(f"{before}(?:{pattern.pattern}){after}", re.IGNORECASE)


def read_configuration(letter: Letter) -> Iterator[Text]:
    """The publication's configuration, in the file that has it."""
    for name in CONFIGURATIONS:
        text = _read(letter.root / name)
        if text is not None:
            yield Text(Path(name), text)
            return


def read_article(article: Article, letter: Letter) -> Text:
    """The article's file; its body alone, at its line, when the file is not there."""
    text = _read(letter.root / article.path)
    if text is None:
        text = "\n" * (article.body_line - 1) + article.body
    lines = text.split("\n")
    return Text(article.path, text, sum(len(line) + 1 for line in lines[: article.body_line - 1]))


def read_templates(letter: Letter) -> Iterator[Text]:
    """The templates in use, each from the letter's folder or else from the defaults; of the looks
    the one in force."""
    seen: set[Path] = set()
    for folder in dict.fromkeys(
        (letter.templates.resolve(), default_folder("templates").resolve())
    ):
        for file in sorted(folder.rglob("*")):
            inside = file.relative_to(folder)
            other_look = inside.parent.name == "looks" and inside.stem != letter.theme.look
            if inside in seen or other_look or not file.is_file():
                continue
            seen.add(inside)
            text = _read(file)
            if text is not None:
                yield Text(_shown(file, folder, letter), text)


def _shown(file: Path, folder: Path, letter: Letter) -> Path:
    """As TemplateError names it: relative to the publication, or to the folder."""
    root = letter.root.resolve()
    return file.relative_to(root if folder.is_relative_to(root) else folder.parent)


def _read(file: Path) -> str | None:
    try:
        if file.stat().st_size > LARGEST:
            return None
        return file.read_text("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, ValueError):
        return None
