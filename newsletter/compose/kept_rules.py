"""The rules of block B that this mail needs.

Enters: the CSS of a block that is kept, and which of the theme's names this mail has and which it
lacks. Leaves: the same bytes without the selectors that can match nothing. A client's own names
(`.ExternalClass`, `u + .body`, `#MessageViewBody`) are unknown to the theme and always stay.
"""

from __future__ import annotations

import re

RULE = re.compile(r"([^{}@;]+)\{([^{}]*)\}\n?")
EMPTY = re.compile(r"@[^{};]*\{\s*\}\n?")
BLANK_LINES = re.compile(r"\n{2,}")
NAME = re.compile(r"(?<![\w#-])\.?[A-Za-z_][\w-]*")
# What no pattern above can see through: strings, comments, selectors with arguments.
OPAQUE = re.compile(r"/\*|<!--|[\"'][^\"']*[{}]|\\")


def without_unworn(css: str, lacking: frozenset[str]) -> str:
    """The block without the selectors that need an element name or a .class of `lacking`."""
    if not lacking or OPAQUE.search(css):
        return css
    slim = RULE.sub(lambda rule: _slimmed(rule, lacking), css)
    return BLANK_LINES.sub("\n", EMPTY.sub("", slim))


def _slimmed(rule: re.Match[str], lacking: frozenset[str]) -> str:
    selectors = rule[1].split(",")
    if "(" in rule[1]:
        return rule[0]
    needed = [each for each in selectors if not lacking.intersection(_names(each))]
    if len(needed) == len(selectors):
        return rule[0]
    return rule[0].replace(rule[1], ",".join(needed).lstrip(), 1) if needed else ""


def _names(selector: str) -> list[str]:
    """The elements and classes that a selector names; Outlook's dark hooks are attributes of its
    own, whatever another attribute stands on may be the client's."""
    bare = selector.replace("[data-ogsc]", "").replace("[data-ogsb]", "")
    return [] if "[" in bare or ":" in bare else NAME.findall(bare)
