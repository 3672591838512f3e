"""A selector -> what kinds of selectors it is made of, as caniemail names them.

Enters: a selector list as written. Leaves: names. A reading by pattern: what a bracket holds is
left out, and nothing is repaired.
"""

from __future__ import annotations

import re

PSEUDO = re.compile(r"::?[a-z-]+", re.IGNORECASE)
BRACKETS = re.compile(r"\[[^\]]*\]|\"[^\"]*\"|'[^']*'")
ARGUMENTS = re.compile(r"\([^()]*\)")
KINDS = (
    ("child", re.compile(r">")),
    ("adjacent-sibling", re.compile(r"\+")),
    ("general-sibling", re.compile(r"~")),
    ("universal", re.compile(r"\*")),
)
# Ways into one client each; every other client passes them over, and is meant to.
HOOKS = re.compile(
    r"\[data-ogs[bc]\]|\bu\s*\+\s*\.body\b|#MessageViewBody\b|\[x-apple-data-detectors\]"
    r"|\.ExternalClass\b|\.moz-text-html\b|\[class~?=[\"']?x_"
)


def pseudos_of(selector: str) -> tuple[str, ...]:
    """`:hover`, `::before`: each once, in order."""
    found = PSEUDO.findall(BRACKETS.sub("[]", selector).lower())
    return tuple(dict.fromkeys(found))


def kinds_of(selector: str) -> tuple[str, ...]:
    """Combinators and the universal selector; arguments of `:nth-child(2n+1)` are none."""
    bare = ARGUMENTS.sub("", BRACKETS.sub("[]", selector))
    return tuple(kind for kind, sign in KINDS if sign.search(bare))


def is_hook(selector: str) -> bool:
    """Whether the selector is meant for one client alone."""
    return HOOKS.search(selector) is not None
