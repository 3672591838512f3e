"""What one client drops of a mail: for a view that shows the mail as that client does.

Enters: a client's id. Leaves: an Unsupported, sets of words to take out of the HTML. Only what
caniemail says is not supported at all is in it; what works partly stays. Refuses to touch HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from newsletter.lint.caniemail import features
from newsletter.lint.caniemail.clients import client
from newsletter.lint.caniemail.facts import Support, facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """What a client drops, in lower case.

    `style_element`: all `<style>`, with it all at-rules and selectors. `properties`: names of
    declarations. `values`: (property, word) such as ("display", "flex"), ("", "initial") for any
    property. `functions` and `units` (`calc`, `rem`) spoil the declaration whose value has one;
    `@media`, `@font-face` in `at_rules`; `prefers-color-scheme` in `media_features` spoils the
    @media rule that asks for it. `pseudos` (`:hover`, `::before`) and `selectors` (`attribute`,
    `child`, `descendant` ... as caniemail calls them) spoil the rule. `elements` lose their tags,
    `attributes` (names), `typed` elements (tag, type) too; `picture_suffixes` (`.webp`) show the
    alt text. `mso` is true for the one client that reads `<!--[if mso]>`.
    """

    style_element: bool
    properties: frozenset[str]
    values: frozenset[tuple[str, str]]
    functions: frozenset[str]
    units: frozenset[str]
    at_rules: frozenset[str]
    media_features: frozenset[str]
    pseudos: frozenset[str]
    selectors: frozenset[str]
    elements: frozenset[str]
    attributes: frozenset[str]
    typed: frozenset[tuple[str, str]]
    picture_suffixes: frozenset[str]
    mso: bool


# `style_element` says the one; the other becomes a <div> with the same attributes.
APART = frozenset(("html-style", "html-body"))


@cache
def unsupported(client_id: str) -> Unsupported:
    """What the client drops. Raises ConfigError when no client is called that."""
    name = client(client_id).id
    dropped = frozenset(slug for slug in facts().rows if _says_no(slug, name))

    def words(table: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
        return frozenset(word for slug in table.keys() & dropped for word in table[slug])

    return Unsupported(
        style_element="html-style" in dropped,
        properties=words(features.PROPERTIES),
        values=_values(dropped),
        functions=words(features.FUNCTIONS),
        units=words(features.UNITS),
        at_rules=words(features.AT_RULES),
        media_features=words(features.MEDIA),
        pseudos=frozenset(map(_pseudo, dropped)) - {""},
        selectors=words(features.SELECTORS),
        elements=words({s: t for s, t in features.ELEMENTS.items() if s not in APART}),
        attributes=words(features.ATTRIBUTES),
        typed=frozenset(features.TYPED[slug] for slug in features.TYPED.keys() & dropped),
        picture_suffixes=words(features.PICTURES),
        mso=name in ("outlook.windows", "outlook.windows-mail"),
    )


def _says_no(slug: str, name: str) -> bool:
    return facts().feature(slug).cells[name].support is Support.NO


def _values(dropped: frozenset[str]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (name, word)
        for slug in features.VALUES.keys() & dropped
        for name in features.VALUES[slug][0] or ("",)
        for word in features.VALUES[slug][1]
    )


def _pseudo(slug: str) -> str:
    """`:hover` for css-pseudo-class-hover."""
    name = next(iter(features.PSEUDOS.get(slug, ())), "")
    return f"{'::' if '-element-' in slug else ':'}{name}" if name else ""
