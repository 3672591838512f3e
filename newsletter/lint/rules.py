"""Every rule there is, in the order of `newsletter check --list`."""

from __future__ import annotations

from newsletter.lint import (
    compat,
    dark,
    head,
    headers,
    inboxrow,
    layout,
    legal,
    links,
    paint,
    pictures,
    plaintext,
    reading,
    residue,
    sender,
    signature,
    size,
    structure,
    styles,
)
from newsletter.lint.rule import Rule

# The chapters: what a group is about, and where its rules are.
CHAPTERS = (
    ("inbox row", inboxrow),
    ("reading", reading),
    ("dark mode", dark),
    ("links", links),
    ("pictures", pictures),
    ("what was not filled in", residue),
    ("what every letter must hold", legal),
    ("plain text", plaintext),
    ("size and characters", size),
    ("document", head),
    ("CSS", styles),
    ("colour", paint),
    ("layout", layout),
    ("mail clients", compat),
    ("header", headers),
    ("sender", sender),
    ("signature", signature),
    ("MIME", structure),
)


def _rules_in(module: object) -> tuple[Rule, ...]:
    """The rules by name, and those that a chapter makes by the dozen."""
    made = vars(module).get("RULES", ())
    return tuple(part for part in (*vars(module).values(), *made) if isinstance(part, Rule))


BY_CHAPTER: dict[str, tuple[Rule, ...]] = {name: _rules_in(part) for name, part in CHAPTERS}
RULES: tuple[Rule, ...] = tuple(rule for rules in BY_CHAPTER.values() for rule in rules)
BY_CODE: dict[str, Rule] = {rule.code: rule for rule in RULES}
