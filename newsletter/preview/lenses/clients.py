"""The mail without what caniemail says that one client drops.

What works there in part stays, and so does all that caniemail has no test of: an approximation
from the other side than `word`, which it does not replace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from lxml import etree

from newsletter.lint.caniemail import Unsupported, unsupported
from newsletter.lint.css import Declaration, StyleRule
from newsletter.lint.page import tree_of
from newsletter.preview.lenses.conditional import as_word_reads
from newsletter.preview.lenses.document import (
    drop,
    elements,
    forget,
    restyle,
    restyle_sheets,
    unwrap,
    written,
)
from newsletter.preview.lenses.pictures import frame
from newsletter.preview.lenses.styles import without_style

# Of these the content is no words for a reader.
_WHOLE = frozenset(("svg", "link", "base", "dialog", "select", "map", "area"))
_KEPT = frozenset(("html", "head", "body", "style", "table", "img"))
_SELECTORS = {
    "attribute": re.compile(r"\["),
    "child": re.compile(r">"),
    "adjacent-sibling": re.compile(r"\+"),
    "general-sibling": re.compile(r"~(?!=)"),
    "chaining": re.compile(r"\.[\w-]+\."),
    "class": re.compile(r"\.[\w-]"),
    "id": re.compile(r"#[\w-]"),
    "universal": re.compile(r"\*(?!=)"),
    "descendant": re.compile(r"[^\s>+~]\s+[^\s>+~]"),
    "type": re.compile(r"(?:^|[\s>+~])[A-Za-z]"),
}


def as_client(document: str, client_id: str) -> str:
    """The document as that client leaves it. Raises ConfigError when no client is called that."""
    dropped = unsupported(client_id)
    if dropped.mso:
        document = as_word_reads(document)
    if dropped.style_element:
        document = without_style(document)
    root = tree_of(document)
    restyle(root, lambda _, said: _declared(said, dropped))
    restyle_sheets(root, lambda rule: _rule(rule, dropped))
    for element in elements(root):
        _take_out(element, dropped)
    return written(root)


def _declared(declarations: Iterable[Declaration], dropped: Unsupported) -> Iterator[Declaration]:
    return (part for part in declarations if not _is_dropped(part, dropped))


def _is_dropped(declaration: Declaration, dropped: Unsupported) -> bool:
    name, value = declaration.name, declaration.value.lower()
    words = set(re.findall(r"[\w-]+", value))
    return (
        name in dropped.properties
        or any((of, word) in dropped.values for of in (name, "") for word in words)
        or any(f"{function}(" in value for function in dropped.functions)
        or any(re.search(rf"[0-9]{re.escape(unit)}(?![\w%])", value) for unit in dropped.units)
    )


def _rule(rule: StyleRule, dropped: Unsupported) -> StyleRule | None:
    within = [at_rule.lower() for at_rule in rule.within]
    if any(at_rule.split()[0] in dropped.at_rules for at_rule in within):
        return None
    if any(re.search(rf"\(\s*{re.escape(f)}\b", a) for a in within for f in dropped.media_features):
        return None
    kept = [each for each in rule.selectors if not _is_unknown(each, dropped)]
    if rule.selector and not kept:
        return None
    found = tuple(_declared(rule.declarations, dropped))
    return replace(rule, selector=",".join(kept), declarations=found)


def _is_unknown(selector: str, dropped: Unsupported) -> bool:
    pseudos = set(re.findall(r"::?[a-z-]+", selector.lower()))
    bare = re.sub(r"\[[^\]]*\]", "[]", selector)
    return bool(pseudos & dropped.pseudos) or any(
        _SELECTORS[kind].search(bare) for kind in dropped.selectors & _SELECTORS.keys()
    )


def _take_out(element: etree._Element, dropped: Unsupported) -> None:
    tag = str(element.tag)
    if tag == "img" and _suffix(element) in dropped.picture_suffixes:
        frame(element)
    forget(element, *dropped.attributes & set(map(str, element.attrib)))
    if (tag, element.get("type", "").lower()) in dropped.typed:
        drop(element)
    elif tag == "xml":
        # Settings for Word, whose number of pixels others show as a word.
        drop(element)
    elif tag in dropped.elements - _KEPT:
        (drop if tag in _WHOLE else unwrap)(element)


def _suffix(image: etree._Element) -> str:
    path = re.split(r"[?#]", image.get("src", ""))[0]
    return f".{path.rpartition('.')[2].lower()}"
