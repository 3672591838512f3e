"""Rules on weight and on characters that break a mail in transit or in Gmail."""

from __future__ import annotations

import re
import unicodedata

from newsletter.lint.galley import Galley
from newsletter.lint.page import Page
from newsletter.lint.rule import Finding, Findings, error, note, warning
from newsletter.model import Severity

CLIPPED, NEARLY_CLIPPED = 102_400, 85_000
STYLE_LIMIT, STYLE_BUDGET = 16_384, 12_288
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# They turn the reading direction, and with it what a link or a name seems to say.
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


@error(
    "size-clip",
    "composition 1; email-bugs 41, 56",
    "shorten the article and link to the rest on the web; long code and tables weigh most",
    "Gmail",
)
def html_too_heavy(galley: Galley) -> Findings:
    """The HTML is so heavy that Gmail clips it, and then drops its styles too.

    Decoded UTF-8 is counted; whether Gmail counts that or what is on the wire is disputed, so both
    are shown.
    """
    size = len(galley.page.html.encode("utf-8", "replace"))
    if size <= NEARLY_CLIPPED or galley.html is None:
        return
    wire = len(galley.html.body)
    yield Finding(
        f"HTML is {size / 1024:.0f} KB ({wire / 1024:.0f} KB encoded), Gmail clips at 100 KB: "
        + _shares(galley.page),
        severity=Severity.ERROR if size > CLIPPED else Severity.WARNING,
    )


def _shares(page: Page) -> str:
    """What the weight is made of."""
    text = len(page.words.encode("utf-8", "replace")) / 1024
    styles = sum(len(e.get("style", "")) for e in page.elements) / 1024
    kept = sum(len(sheet.text) for sheet in page.sheets) / 1024
    return f"words {text:.0f}, inline styles {styles:.0f}, style blocks {kept:.0f} KB"


@error(
    "size-style",
    "composition 3; email-bugs 90",
    "keep only media queries and client hooks in <style>, inline the rest",
    "Gmail",
)
def style_block_too_heavy(galley: Galley) -> Findings:
    """Gmail drops every style block beyond 16 KB."""
    size = sum(len(sheet.text.encode("utf-8", "replace")) for sheet in galley.page.sheets)
    if size > STYLE_BUDGET:
        severity = Severity.ERROR if size > STYLE_LIMIT else Severity.WARNING
        yield Finding(
            f"style blocks have {size:,} bytes, the limit is {STYLE_LIMIT:,}",
            about=("<style",),
            severity=severity,
        )


@error(
    "control-character",
    "composition 2; email-bugs 140",
    "retype the character; it usually comes from pasted Windows-1252 text",
    "Gmail",
)
def control_characters(galley: Galley) -> Findings:
    """Control characters; a single one makes Gmail clip the mail."""
    for place, text in (("HTML", galley.page.html), ("text part", galley.plain)):
        for match in CONTROL.finditer(text):
            around = text[max(0, match.start() - 20) : match.end() + 20]
            yield Finding(
                f"U+{ord(match[0]):04X} in the {place}", about=(match[0], *CONTROL.split(around))
            )


@warning(
    "bidi-control",
    "deliverability 7.44; Unicode TR 36",
    "use dir or lang on an element in place of direction marks",
)
def direction_overrides(galley: Galley) -> Findings:
    """Characters that turn the reading direction, as used to disguise addresses."""
    for match in BIDI.finditer(galley.page.html + galley.plain + galley.subject):
        name = unicodedata.name(match[0], "")
        yield Finding(f"U+{ord(match[0]):04X} {name.lower()}", about=(match[0],))


@note("size", "composition 1", "the less, the sooner it is read; Gmail clips at 100 KB")
def how_heavy(galley: Galley) -> Findings:
    """How heavy the parts are, decoded and on the wire."""
    if galley.html is None:
        return
    decoded = len(galley.page.html.encode("utf-8", "replace")) / 1024
    whole = len(galley.content) / 1024
    yield Finding(
        f"HTML {decoded:.0f} KB of 100, whole mail {whole:.0f} KB, "
        f"{len(galley.page.words.split()):,} words"
    )
