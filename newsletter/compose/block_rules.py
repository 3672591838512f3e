"""The rules of a `<style>` block that is to be inlined.

Enters: CSS text. Leaves: rules, with what each selector needs. Refuses what premailer 3.10.0
drops, gets wrong or dies of (composition 4), naming the line in the block and the way out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import tinycss2
from cssselect import SelectorError
from lxml import etree
from lxml.cssselect import CSSSelector

from newsletter.errors import ComposeError

# premailer inlines these two; every other pseudo-class it leaves in the head, made !important.
FILTERS = re.compile(r":(?:first|last)-child$")


BRACKETS = re.compile(r"\[[^\]]*\]")
NAME = re.compile(r"\.?[A-Za-z_][\w-]*")


@dataclass(frozen=True, slots=True)
class Selector:
    """One selector as written, and the element names and .classes without which it finds
    nothing."""

    text: str
    needs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its selectors, and the declarations as written."""

    selectors: tuple[Selector, ...]
    declarations: str


@lru_cache(maxsize=16)
def read_rules(css: str) -> tuple[Rule, ...]:
    """The rules in their order. Raises ComposeError at the first that could not be inlined."""
    sheet = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return tuple(_read(rule) for rule in sheet)


def _read(rule: Any) -> Rule:
    if rule.type == "error":
        raise _refusal(rule, f"CSS that cannot be read: {rule.message}", "")
    if rule.type == "at-rule":
        raise _refusal(rule, f"@{rule.at_keyword} cannot be inlined", "move it to kept.css")
    prelude = tinycss2.serialize(_without_comments(rule.prelude)).strip()
    selectors = tuple(_selector(rule, text) for text in _split(prelude))
    body = tinycss2.serialize(_without_comments(rule.content)).strip()
    if re.search(r"\bvar\(", body):
        raise _refusal(rule, "var() reaches readers as it is", "write the value itself")
    return Rule(selectors, " ".join(body.split()))


def _without_comments(tokens: list[Any]) -> list[Any]:
    return [token for token in tokens if token.type != "comment"]


def _split(prelude: str) -> Iterator[str]:
    # A comma inside brackets makes premailer cut the selector in two; _selector refuses the halves.
    for text in prelude.split(","):
        yield " ".join(text.split())


def _selector(rule: Any, selector: str) -> Selector:
    reason = None
    if "*" in selector:
        reason = "premailer ignores *"
    elif ":" in FILTERS.sub("", selector):
        reason = "a pseudo-class or colon cannot be inlined"
    elif "\\" in selector:
        reason = "escapes in class names break in Yahoo and premailer"
    if reason:
        raise _refusal(rule, f"`{selector}`: {reason}", "add a class, or move the rule to kept.css")
    try:
        CSSSelector(selector)
    except (SelectorError, etree.LxmlError) as error:
        raise _refusal(rule, f"`{selector}` is no selector: {error}", "") from error
    bare = FILTERS.sub("", BRACKETS.sub("", re.sub("#[\\w-]+", "", selector)))
    return Selector(selector, frozenset(NAME.findall(bare)))


def _refusal(rule: Any, message: str, hint: str) -> ComposeError:
    return ComposeError(
        f"{message} (line {rule.source_line} of the style block)",
        hint=hint or None,
        code="compose.css",
    )
