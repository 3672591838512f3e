"""Program text -> coloured runs, few enough for a mail.

Enters: source text and the name of its language. Leaves: runs of text, each of one of four kinds
or plain. Never guesses a language (that imports every lexer, 0.5 s) and knows no HTML.

A `<span>` for each token costs 12.9 times the source (composition 0.11), and Gmail clips a mail at
102 kB. So neighbours of one kind are one run, blanks belong to whatever surrounds them, and kinds
are given up, least telling first, until the whole costs at most BUDGET times the source.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from html import escape
from itertools import groupby
from typing import NamedTuple

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name
from pygments.token import Token, _TokenType, is_token_subtype
from pygments.util import ClassNotFound

BUDGET = 2.5
# A run's own bytes once its class is inlined and kept for the dark palette.
RUN_COST = len('<span class="k" style="color:#a626a4"></span>')
LONGEST = 20_000
# Shorter code may cost what code of this many bytes may: a one-liner never clips a mail.
SHORT = 200

# Class names in the mail: keyword, string, number, comment. In the order in which they are given
# up when they cost too much, numbers first.
KINDS = ("n", "k", "s", "c")
KIND_OF = (
    (Token.Comment, "c"),
    (Token.Literal.String.Interpol, ""),
    (Token.Literal.String, "s"),
    (Token.Literal.Number, "n"),
    (Token.Keyword, "k"),
    (Token.Operator.Word, "k"),
    (Token.Name.Tag, "k"),
    (Token.Name.Decorator, "k"),
    (Token.Generic.Heading, "k"),
    (Token.Generic.Deleted, "n"),
    (Token.Generic.Inserted, "s"),
)


class Run(NamedTuple):
    """A stretch of one colour; `kind` is k, s, n, c or empty for plain."""

    kind: str
    text: str


def highlight(code: str, language: str) -> tuple[Run, ...]:
    """The code in runs; one plain run when the language is unknown or the code too long.

    The runs' texts joined are the code."""
    lexer = _lexer(language.strip().lower())
    if lexer is None or len(code) > LONGEST:
        return _plain(code)
    tokens = tuple(_tokens(lexer, code))
    budget = BUDGET * max(len(code.encode()), SHORT)
    for given_up in range(len(KINDS) + 1):
        runs = _merged(tokens, frozenset(KINDS[given_up:]))
        if cost(runs) <= budget:
            break
    return runs if "".join(run.text for run in runs) == code else _plain(code)


def cost(runs: tuple[Run, ...]) -> int:
    """The bytes of the runs in the finished mail."""
    return sum(
        len(escape(run.text, quote=False).encode()) + (RUN_COST if run.kind else 0) for run in runs
    )


def _plain(code: str) -> tuple[Run, ...]:
    return (Run("", code),) if code else ()


def _lexer(language: str) -> Lexer | None:
    """A lexer of its own for each call: some keep state between two tokens."""
    found = _lexer_class(language)
    return None if found is None else found(stripnl=False, ensurenl=False)


@lru_cache(maxsize=256)
def _lexer_class(language: str) -> type[Lexer] | None:
    # An unknown name makes pygments look through every installed distribution.
    try:
        return find_lexer_class_by_name(language) if language else None
    except ClassNotFound:
        return None


def _tokens(lexer: Lexer, code: str) -> Iterator[Run]:
    """The code's tokens. A line counts for many lexers only with its end, so the last one is lent
    an end, too."""
    left = len(code)
    for token, text in lexer.get_tokens(f"{code}\n"):
        if left > 0:
            yield Run(_kind(token), text[:left])
        left -= len(text)


@lru_cache(maxsize=512)
def _kind(token: _TokenType) -> str:
    return next((kind for parent, kind in KIND_OF if is_token_subtype(token, parent)), "")


def _merged(tokens: tuple[Run, ...], kept: frozenset[str]) -> tuple[Run, ...]:
    """Neighbours of one kind as one run; blanks take the kind of the run before them when the
    next one has it too, else none."""
    kinds = [_kept(run, kept) for run in tokens]
    after: str | None = None
    for place in range(len(kinds) - 1, -1, -1):
        if kinds[place] is not None:
            after = kinds[place]
        elif after is not None:
            before = next((k for k in reversed(kinds[:place][-3:]) if k is not None), None)
            kinds[place] = after if before == after else ""
    grouped = groupby(zip(kinds, tokens, strict=True), key=lambda pair: pair[0] or "")
    return tuple(Run(kind, "".join(run.text for _, run in group)) for kind, group in grouped)


def _kept(run: Run, kept: frozenset[str]) -> str | None:
    """The run's kind, "" for one that is given up, None for blanks."""
    if not run.text.strip():
        return None
    return run.kind if run.kind in kept else ""
