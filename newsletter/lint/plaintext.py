"""Rules on the plain text: the same letter in words only (composition 7 and 8)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from newsletter.lint.galley import Galley
from newsletter.lint.legal import ways_out
from newsletter.lint.rule import Finding, Findings, error, warning

STUB = 0.2
WIDEST = 100
URL = re.compile(r"https?://[^\s<>\"“”]+")
TAG = re.compile(r"</?(?:p|div|span|td|tr|table|br|strong|em|a|img|h[1-6]|ul|li)\b[^>\n]{0,80}>")
ENTITY = re.compile(r"&(?:amp|lt|gt|nbsp|quot|#\d{2,5}|#x[0-9a-f]{2,4});", re.IGNORECASE)
TAIL = ".,;:!?)]}'’»*_"


@error("text-missing", "composition 6; RFC 2046 5.1.4", "add email.txt: some read no HTML")
def a_text_part_is_there(galley: Galley) -> Findings:
    """No plain text beside the HTML."""
    if galley.text is None or not galley.plain.strip():
        yield Finding("no text/plain part")


@error("html-missing", "composition 6", "add email.html")
def an_html_part_is_there(galley: Galley) -> Findings:
    """No HTML beside the plain text."""
    if galley.html is None or not galley.page.html.strip():
        yield Finding("no text/html part")


@error(
    "text-stub",
    "composition 7; SpamAssassin MPART_ALT_DIFF",
    "put {{ body }} into email.txt: a stub costs more than no text at all",
)
def the_text_is_no_stub(galley: Galley) -> Findings:
    """The plain text has fewer than a fifth of the HTML's words."""
    if galley.html is None or galley.text is None:
        return
    words, whole = len(galley.plain.split()), len(galley.page.words.split())
    if galley.plain.strip() and words < STUB * whole:
        yield Finding(
            f"plain text has {words} words, HTML {whole}", line=galley.text.line, about=("body",)
        )


def _addresses(text: str) -> Iterator[str]:
    """The web addresses in a text, without the punctuation that follows them."""
    for match in URL.finditer(text):
        url = match[0].rstrip(TAIL)
        # A bracket that was opened inside belongs to the address, as in Wikipedia's.
        yield url + ")" if "(" in url and match[0][len(url) :].startswith(")") else url


@error(
    "text-link-lost",
    "composition 8",
    "every https link of the HTML must be readable in the plain text: mend email.txt",
)
def links_are_in_the_text(galley: Galley) -> Findings:
    """A link of the HTML that is not in the plain text."""
    if galley.text is None or galley.html is None or not galley.plain.strip():
        return
    for link in galley.page.links:
        href = link.href.strip()
        if href.startswith("https://") and href not in galley.plain and link.words:
            # The masthead's link to the front page is a courtesy.
            home = galley.letter is not None and href.rstrip("/") == galley.letter.base_url
            if not home:
                yield Finding(f"not in the plain text: {href}", about=(href, link.words))


@error(
    "html-link-lost",
    "composition 8",
    "every https address of the plain text must be in the HTML: mend email.html",
)
def addresses_are_in_the_html(galley: Galley) -> Findings:
    """An address of the plain text that is not in the HTML."""
    if galley.text is None or galley.html is None or not galley.page.html.strip():
        return
    targets = {link.href.strip() for link in galley.page.links}
    sources = {image.get("src", "") for image in galley.page.named("img")}
    # Not `words`: coloured code has an element in the middle of an address.
    shown = "".join(run.text for run in galley.page.runs)
    for url in _addresses(galley.plain):
        if f"<{url}>" in galley.mail.value("List-Unsubscribe") and not ways_out(galley):
            continue  # said by `unsubscribe-link`
        known = url in targets or url in sources or url.rstrip("/") in targets
        if not known and url not in shown and f"{url}/" not in targets:
            yield Finding(f"not in the HTML: {url}", about=(url,))


@warning(
    "text-markup",
    "composition 8",
    "the text template must not hold HTML",
)
def no_markup_in_the_text(galley: Galley) -> Findings:
    """HTML tags or entities in the plain text that are not in an example of code."""
    shown = galley.page.words
    for match in (*TAG.finditer(galley.plain), *ENTITY.finditer(galley.plain)):
        if match[0] not in shown and " ".join(match[0].split()) not in shown:
            yield Finding(f"{match[0]} in the plain text", about=(match[0], unescape(match[0])))


@warning("text-wide", "composition 8", "wrap lines at 72 characters")
def text_is_wrapped(galley: Galley) -> Findings:
    """Lines of more than 100 characters that are no address, table or code."""
    for line in galley.plain.splitlines():
        prose = not line.startswith((" ", "|", "\t", ">")) and "  " not in line.strip()
        if len(line) > WIDEST and prose and URL.search(line) is None and " " in line:
            yield Finding(f'{len(line)} characters: "{line[:40]}"', about=(line,))
