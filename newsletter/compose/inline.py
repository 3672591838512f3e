"""The only door to premailer.

Enters: a document with two kinds of `<style>` blocks: plain ones (A), whose rules go into style
attributes, and `data-premailer="ignore"` ones (B), which stay byte for byte but for selectors of
the theme that nothing in this mail wears. Leaves: the document as it is mailed. Fetches nothing,
ever. Says no to CSS that premailer 3.10.0 would drop or mangle without a word (the table in
composition 4): that CSS belongs into block B.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from threading import Lock
from typing import Any

from lxml import etree

from newsletter.compose.block_rules import Rule, read_rules
from newsletter.compose.kept_rules import without_unworn
from newsletter.compose.tidy import tidy
from newsletter.errors import ComposeError
from newsletter.slots import TOKEN

DOCTYPE = "<!DOCTYPE html>"
# Composition 2.45: libxml2 turns this form into a comment that hides nothing.
REVEALED_CONDITIONAL = re.compile(r"<!\[if\b", re.I)

_PREMAILER_SETTINGS: dict[str, Any] = {
    "strip_important": False,
    "keep_style_tags": False,
    "disable_basic_attributes": ["width", "height"],
    "disable_validation": True,
    "allow_network": False,
    "allow_loading_external_files": False,
    "exclude_pseudoclasses": True,
    "include_star_selectors": False,
    "remove_classes": False,
    "base_url": None,
    "cache_css_parsing": True,
}
# cssutils' settings and premailer's cache belong to the whole process.
_lock = Lock()


def inline_css(document: str) -> str:
    """The document with block A in style attributes and block B as it was; the same document
    gives the same bytes. Raises ComposeError."""
    text = document.replace("\r\n", "\n").strip()
    _check(text)
    tree = _parse(text)
    kept = _prune(tree)
    _inline(tree)
    tidy(tree, "\n".join(kept))
    inlined = etree.tostring(tree, method="html", encoding="unicode").rstrip() + "\n"
    _check_nothing_lost(text, inlined, kept)
    return inlined


def _check(text: str) -> None:
    if not text.startswith(DOCTYPE):
        raise ComposeError(
            f"the mail does not begin with {DOCTYPE}",
            hint="write it in this case as the very first thing in email.html: premailer loses "
            "any other form, and mail without it is shown in quirks mode",
            code="compose.doctype",
        )
    if REVEALED_CONDITIONAL.search(text):
        raise ComposeError(
            "<![if ...]> reaches readers as a broken comment",
            hint="write <!--[if !mso]><!--> ... <!--<![endif]-->",
            code="compose.conditional",
        )


def _parse(text: str) -> etree._ElementTree:
    try:
        # Without huge_tree libxml2 drops what is nested deeper than 256 elements.
        tree = etree.fromstring(text, etree.HTMLParser(huge_tree=True)).getroottree()
    except (etree.LxmlError, ValueError) as error:
        raise ComposeError(f"not an HTML document: {error}") from error
    for link in tree.iter("link", "base"):
        if link.tag == "base" or "stylesheet" in link.get("rel", "").lower():
            raise ComposeError(
                f"<{link.tag}> would need the network when the mail is made or read",
                hint="put the CSS into inlined.css or kept.css",
                code="compose.network",
            )
    return tree


def _prune(tree: etree._ElementTree) -> list[str]:
    """Leave in each block A only the rules that may match something: twice as fast (composition
    5); whether one does is asked once, by premailer. Leave in each block B only what wears names
    that this mail has, and give what is left of them."""
    present = {str(element.tag) for element in tree.iter(etree.Element)}
    for element in tree.iter(etree.Element):
        present.update(f".{name}" for name in element.get("class", "").split())
    named: set[str] = set()
    kept = [style for style in tree.iter("style") if style.get("data-premailer") == "ignore"]
    for style in tree.iter("style"):
        if style not in kept and style.get("media") in {None, "all", "screen"}:
            rules = read_rules(style.text or "")
            named.update(name for rule in rules for each in rule.selectors for name in each.needs)
            style.text = "\n".join(_needed(rule, present) for rule in rules)
    for style in kept:
        style.text = without_unworn(style.text or "", frozenset(named - present))
    return [style.text or "" for style in kept]


def _needed(rule: Rule, present: set[str]) -> str:
    selectors = [each.text for each in rule.selectors if each.needs <= present]
    return f"{','.join(selectors)}{{{rule.declarations}}}" if selectors else ""


def _inline(tree: etree._ElementTree) -> None:
    premailer = _premailer()
    with _lock:
        try:
            premailer(tree.getroot(), **_PREMAILER_SETTINGS).transform(pretty_print=False)
        except Exception as error:
            raise ComposeError(
                f"premailer cannot inline this CSS: {type(error).__name__}: {error}"
            ) from error


@lru_cache(maxsize=1)
def _premailer() -> Any:
    """premailer's class, imported when first needed, made to behave and to read each rule once."""
    # Its one cache serves three functions: 128 entries thrash at 112 rules, 4096 is 4x faster.
    os.environ.setdefault("PREMAILER_CACHE_MAXSIZE", "4096")
    import cssutils  # noqa: PLC0415
    from premailer import Premailer  # noqa: PLC0415

    cssutils.log.setLevel("CRITICAL")
    cssutils.ser.prefs.minimizeColorHash = False

    @lru_cache(maxsize=4096)
    def read_once(rule: str) -> tuple[list[Any], list[Any]]:
        parser: Any = Premailer(**_PREMAILER_SETTINGS)
        found: tuple[list[Any], list[Any]] = parser._parse_style_rules(rule, 0)  # noqa: SLF001
        return found

    class Inliner(Premailer):  # type: ignore[misc]  # premailer has no types
        """Reads each rule once in a process, premailer the whole block in every document: 3/4 of
        its time, though two mails of one theme differ only in which of its rules they use."""

        def _parse_style_rules(self, css: str, block: int) -> tuple[list[Any], list[Any]]:
            rules: list[Any] = []
            leftover: list[Any] = []
            for line in css.split("\n"):  # one rule each, as _prune leaves them
                found, unused = read_once(line)
                for (*weight, _, _), selector, declarations in found:
                    rules.append(((*weight, block, len(rules)), selector, declarations))
                leftover += unused
            return rules, leftover

    return Inliner


def _check_nothing_lost(before: str, after: str, kept: list[str]) -> None:
    if not after.startswith(DOCTYPE):
        raise ComposeError("inlining lost the doctype", code="compose.doctype")
    for block in kept:
        if f">{block}</style>" not in after:
            raise ComposeError("inlining changed a <style> block that is to be kept")
    lost = set(TOKEN.findall(before)) ^ set(TOKEN.findall(after))
    if lost:
        raise ComposeError(
            f"inlining lost {len(lost)} personal slot(s)",
            hint="double braces belong into text or attribute values, not into CSS or tag names",
        )
