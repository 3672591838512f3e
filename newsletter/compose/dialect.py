"""The Markdown that articles are written in: python-markdown with pymdown-extensions.

Enters: Markdown. Leaves: HTML as those libraries write it, with the typewriter's signs still in
it. Refuses to know mail, slots, languages and files.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import Any

import markdown
from markdown.inlinepatterns import InlineProcessor, SubstituteTagInlineProcessor
from markdown.preprocessors import Preprocessor
from pymdownx import emoji

from newsletter.compose.density import refuse_dense
from newsletter.compose.list_indents import even_lists
from newsletter.compose.typography import ESCAPED, PROTECTED
from newsletter.errors import ComposeError

EXTENSIONS = (
    "abbr",
    "admonition",
    "attr_list",
    "def_list",
    "footnotes",
    "md_in_html",
    "sane_lists",
    "tables",
    "pymdownx.betterem",
    "pymdownx.emoji",
    "pymdownx.highlight",
    "pymdownx.magiclink",
    "pymdownx.mark",
    "pymdownx.quotes",
    "pymdownx.superfences",
    "pymdownx.tasklist",
    "pymdownx.tilde",
)
# An article is asked for four times in a row: for itself, for its preheader, and as the neighbour
# of two. Python-Markdown takes 2 ms for each kilobyte, half of what composing costs.
REMEMBERED = 64
# python-markdown looks for code at 190 and for its own escapes at 180.
BEFORE_ESCAPES = 185
# And it unfolds tabs at 30, pymdown-extensions look for fences at 25.
BEFORE_FENCES = 28

_local = threading.local()


@lru_cache(maxsize=REMEMBERED)
def to_html(text: str) -> str:
    """The HTML of the Markdown. Raises ComposeError for Markdown that the parser cannot bear:
    nested or repeated beyond any real article."""
    refuse_dense(text)
    parser: markdown.Markdown = _local.__dict__.pop("parser", None) or _parser()
    try:
        html = parser.reset().convert(text)
    except RecursionError as error:
        raise ComposeError(
            "the Markdown is nested too deeply to be read",
            code="markdown-depth",
            hint="look for lines that begin with very many > or blanks",
        ) from error
    # A parser that failed may hold half an article: only a sound one is used again.
    _local.parser = parser
    return html


def _parser() -> markdown.Markdown:
    parser = markdown.Markdown(
        extensions=list(EXTENSIONS),
        extension_configs={
            "pymdownx.emoji": {"emoji_index": emoji.gemoji, "emoji_generator": emoji.to_alt},
            "pymdownx.highlight": {"use_pygments": False, "guess_lang": False},
            "pymdownx.superfences": {
                # "```js {1,3}" opens code as well.
                "relaxed_headers": True,
                "custom_fences": [
                    {"name": "*", "class": "", "format": _fence, "validator": _any_fence}
                ],
            },
        },
    )
    parser.inlinePatterns.register(_Protected(ESCAPED.pattern), "protected", BEFORE_ESCAPES)
    parser.inlinePatterns.register(
        SubstituteTagInlineProcessor(r"\\\n", "br"), "broken", BEFORE_ESCAPES
    )
    parser.preprocessors.register(_EvenLists(), "even-lists", BEFORE_FENCES)
    return parser


class _EvenLists(Preprocessor):
    """Lists with any of the usual indentations."""

    def run(self, lines: list[str]) -> list[str]:
        return even_lists(lines)


class _Protected(InlineProcessor):
    """Signs behind a backslash, which typography leaves as typed."""

    def handleMatch(  # type: ignore[override]  # noqa: N802
        self, m: re.Match[str], data: str
    ) -> tuple[str, int, int]:
        return PROTECTED[m[1]], m.start(), m.end()


def _any_fence(
    language: str, inputs: Mapping[str, str], options: dict[str, Any], *rest: object
) -> bool:
    """Accept every fence: one with an unknown option is code all the same."""
    options.update(inputs)
    return True


def _fence(source: str, language: str, css_class: str, options: Mapping[str, Any], *rest: object,
           **attributes: object) -> str:  # fmt: skip
    """The code as a plain block, its language a class and its title an attribute."""
    name = escape(re.sub(r"\s.*", "", language or ""))
    title = options.get("title")
    marked = f' title="{escape(str(title))}"' if title else ""
    code = escape(source, quote=False)
    return f'<pre{marked}><code class="language-{name}">{code}</code></pre>'
