"""Whether python-markdown can read a text in reasonable time.

Enters: Markdown. Leaves: nothing, or a ComposeError before the work has begun. A clock would make
composing depend on the machine, so this counts what takes quadratic time (deliverability 7.24).
Measured with Markdown 3.11: 4,000 unclosed brackets in one paragraph take 5 s, 4,000 headings
without a blank line between them 3 s, 4,000 unclosed tags 1.4 s; with Markdown 3.7, 300 runs of
backticks of as many lengths take a minute. A long issue has none of these.
"""

from __future__ import annotations

import re

from newsletter.errors import ComposeError

MOST_CHARACTERS = 500_000
MOST_LINES = 15_000
# The sum of squares over all paragraphs: 2,000 in one of them.
MOST_SQUARES = 2_000**2
MOST_TAGS = 5_000
MOST_TICKS = 2_000_000

PARAGRAPH_END = re.compile(r"\n[ \t]*\n")
CLOSED_BRACKET = re.compile(r"\[[^\[\]]*\](?:\([^()\n]*\)|(?!\())")
LINE_BY_LINE = re.compile(r"^[ >]*(?:#|=+[ ]*$|-+[ ]*$|\[[^\]\n]*\]:|!!!)", re.MULTILINE)
TAG = re.compile(r"<[A-Za-z/!?]")
CLOSED_TAG = re.compile(r"<[A-Za-z/!?][^<>]*>")
LONG_TICKS = re.compile(r"`{4,}")


def refuse_dense(text: str) -> None:
    """Raise ComposeError for a text that would take longer than a few seconds."""
    if len(text) > MOST_CHARACTERS or text.count("\n") > MOST_LINES:
        _refuse("the article is longer than any mail", "Gmail clips a mail at 102 kB")
    brackets = headings = ticks = 0
    for paragraph in PARAGRAPH_END.split(text):
        opened = paragraph.count("[")
        brackets += (opened - len(CLOSED_BRACKET.findall(paragraph))) ** 2 if opened else 0
        headings += len(LINE_BY_LINE.findall(paragraph)) ** 2
        ticks += len(LONG_TICKS.findall(paragraph)) * len(paragraph)
    if brackets > MOST_SQUARES:
        _refuse("the article has too many brackets [ that nothing closes")
    if headings > MOST_SQUARES:
        _refuse("the article has too many headings, rules or references without a blank line")
    if ticks > MOST_TICKS:
        _refuse("the article has too many long runs of backticks")
    if len(TAG.findall(text)) - len(CLOSED_TAG.findall(text)) > MOST_TAGS:
        _refuse("the article has too many HTML tags that nothing closes")


def _refuse(message: str, hint: str = "split it, or mend what was pasted") -> None:
    raise ComposeError(message, code="markdown-dense", hint=hint)
