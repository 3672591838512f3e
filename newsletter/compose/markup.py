"""An article's Markdown -> the HTML fragment of its mail.

Enters: an Issue and its Letter. Leaves: a Fragment: HTML in email_html's vocabulary, with a token
for each personal slot, and what there is to say about it. Pure but for the files that pictures
and links name. Refuses to know the template around the article, CSS and who reads it.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from html import escape

from lxml import etree

from newsletter.compose import allowed_html, dialect, email_html, tree, typography
from newsletter.compose.braces import Braces, Typed, take_out
from newsletter.compose.findings import Findings, Rule
from newsletter.compose.sheet import Sheet
from newsletter.compose.targets import aim
from newsletter.errors import ComposeError
from newsletter.model import Issue, Letter, Problem, Severity, Slot

SLOT_IN_TAG = Rule("slot-in-tag", Severity.ERROR, "a slot cannot be the name of an element")
# Braces as a template language of some site generator has them.
FOREIGN = re.compile(r"\{\{[<%#/~>&-]|\{\{.*[.(\"']")


@dataclass(frozen=True, slots=True)
class Fragment:
    """An article ready for the mail template.

    `slots` are exactly those whose tokens stand in `html`, in the order of their first use."""

    html: str
    slots: tuple[Slot, ...]
    problems: tuple[Problem, ...]


def to_fragment(issue: Issue, letter: Letter) -> Fragment:
    """The article's HTML as every reader receives it, before the slots are filled.

    Raises nothing for what an author may have written: it is in `problems`, and an ERROR there
    means that the fragment is not fit to be sent."""
    text, braces = take_out(tree.UNFIT.sub("", issue.article.body))
    findings = Findings(issue.article, braces)
    sheet = Sheet(issue, letter, braces, findings)
    root = tree.parse(_converted(text, findings))
    _restore_code(root, braces)
    typography.smarten_tree(root, sheet.language)
    _refuse_tags(root, sheet)
    email_html.tick_boxes(root)
    allowed_html.keep_allowed(root, findings)
    email_html.shape(root, sheet)
    aim(root, sheet)
    html, slots = _with_tokens(tree.serialize(root), sheet)
    return Fragment(html, slots, findings.in_order())


def _converted(text: str, findings: Findings) -> str:
    """The HTML of the Markdown; the Markdown itself where it cannot be read."""
    try:
        return dialect.to_html(text)
    except ComposeError as error:
        rule = Rule(error.code, Severity.ERROR, error.hint or "")
        findings.add(rule, error.message, 0)
        return f"<pre>{escape(text)}</pre>"


def _restore_code(root: etree._Element, braces: Braces) -> None:
    """Put the braces inside code back as they were typed."""
    if not braces.typed:
        return
    for code in root.iter(*allowed_html.CODE):
        for part in code.iter():
            part.text = braces.put_back(part.text) if part.text else part.text
            for name, value in part.attrib.items():
                part.set(str(name), braces.put_back(str(value)))
            if part is not code and part.tail:
                part.tail = braces.put_back(part.tail)


def _refuse_tags(root: etree._Element, sheet: Sheet) -> None:
    """No subscriber's value becomes the name of an element or attribute (deliverability 7.8)."""
    if not sheet.braces.typed:
        return
    for part in list(root.iterdescendants()):
        for name in [name for name in part.attrib if sheet.braces.words.search(str(name))]:
            sheet.findings.add(
                SLOT_IN_TAG, f"{name!s} stands among the attributes of an element", str(name)
            )
            del part.attrib[name]
        if sheet.braces.words.search(str(part.tag)):
            sheet.findings.add(SLOT_IN_TAG, f"<{part.tag}> is no HTML element", str(part.tag))
            tree.unwrap(part)


def _with_tokens(html: str, sheet: Sheet) -> tuple[str, tuple[Slot, ...]]:
    """The HTML with a token for each slot, and the other braces as typed."""
    found: dict[Slot, None] = {}

    def say(typed: Typed) -> str:
        slot = sheet.declared(typed)
        if slot is None:
            message = f"{typed.text} names no declared field"
            sheet.findings.add(_unknown(typed, sheet.letter), message, typed.place)
            return escape(typed.text)
        found[slot] = None
        return slot.token

    return sheet.braces.put_back(html, say), tuple(found)


def _unknown(typed: Typed, letter: Letter) -> Rule:
    """What to do about braces that no subscriber's field will fill."""
    if typed.name is None:
        foreign = FOREIGN.match(typed.text) is not None
        hint = "shortcodes and template code of a web site do not run here" if foreign else ""
        hint = hint or "write a field's name between the braces, or put them between backticks"
        return Rule("slot-unknown", Severity.WARNING, hint)
    near = difflib.get_close_matches(typed.name, letter.fields, n=1)
    hint = f"did you mean `{near[0]}`?" if near else ""
    hint = hint or f'declare it: fields = ["{typed.name}"] in [letter], or put it between backticks'
    return Rule("slot-unknown", Severity.WARNING, hint)
