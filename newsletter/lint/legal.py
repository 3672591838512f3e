"""Rules on what every letter must hold: a way out, an address, a page on the web.

Sources: CAN-SPAM 15 USC 7704(a)(5), CASL, RFC 8058, composition 63, deliverability 8.
"""

from __future__ import annotations

import re

from newsletter.lint import colour
from newsletter.lint.galley import Galley
from newsletter.lint.page import Link, Run, squeeze, words_in
from newsletter.lint.rule import Finding, Findings, error, warning

WAY_OUT = re.compile(
    r"unsubscrib|opt[ -]?out|abmeld|abbestell|austragen|désabonn|désinscri|baja|cancelar|"
    r"annulla|disiscri|afmeld|uitschrijv|avregistrer|afmeld|wypisz|отпис|退订|解除|配信停止|إلغاء",
    re.IGNORECASE,
)
SMALLEST = 11


def ways_out(galley: Galley) -> list[Link]:
    """The links that unsubscribe: by the header's address, or by their words."""
    header = galley.mail.value("List-Unsubscribe")
    return [
        link
        for link in galley.page.links
        if (len(link.href) > 8 and f"<{link.href}>" in header)
        or WAY_OUT.search(link.words)
        or WAY_OUT.search(link.href)
    ]


@error(
    "unsubscribe-link",
    "composition 63; CAN-SPAM 7704(a)(3); Gmail and Yahoo bulk rules",
    "put {{ unsubscribe_url }} into email.html and email.txt",
)
def a_way_out_is_seen(galley: Galley) -> Findings:
    """No link in the letter unsubscribes, or the plain text has none."""
    if galley.html is not None and not ways_out(galley):
        yield Finding("no unsubscribe link in the HTML", about=("footer.html", "</body"))
    if galley.text is None:
        return
    header = re.findall(r"<(https?://[^>]+)>", galley.mail.value("List-Unsubscribe"))
    shown = any(url in galley.plain for url in header)
    if not shown and not WAY_OUT.search(galley.plain):
        yield Finding("no unsubscribe link in the plain text", about=("letter.postal_address",))


@warning(
    "unsubscribe-hidden",
    "composition 63; Gmail sender guidelines",
    "let it be as large and dark as the text around it",
)
def a_way_out_is_readable(galley: Galley) -> Findings:
    """The unsubscribe link is tiny, pale or hidden."""
    links = {id(link.element) for link in ways_out(galley)}
    for run in galley.page.runs:
        if id(run.element) not in links or not run.words:
            continue
        fault = _hard_to_see(run)
        if fault:
            yield Finding(f'"{run.words}" is {fault}', about=("unsubscribe_url",))


def _hard_to_see(run: Run) -> str:
    ratio = colour.contrast(run.ink.colour, run.ink.ground)
    if run.ink.hidden:
        return "hidden"
    if run.ink.size < SMALLEST:
        return f"{run.ink.size:g} px small"
    return f"pale: contrast {ratio:.1f}" if ratio < 4.5 else ""


@error(
    "postal-address",
    "composition 63; CAN-SPAM 7704(a)(5)(A)(iii); CASL",
    "set postal_address in [sender], and show {{ letter.postal_address }} in both templates",
)
def the_postal_address_is_shown(galley: Galley) -> Findings:
    """The sender's postal address is not in both parts."""
    if galley.letter is None:
        return
    wanted = _bare(galley.letter.postal_address)
    shown = _bare(galley.page.words)
    if galley.html is not None and wanted not in shown:
        yield Finding("no postal address in the HTML", about=("unsubscribe_url", "</body"))
    if galley.text is not None and wanted not in _bare(galley.plain):
        yield Finding("no postal address in the plain text", about=("unsubscribe_url",))


def _bare(text: str) -> str:
    """Letters and digits only: lines are broken differently in the two parts."""
    return re.sub(r"\W+", "", text).casefold()


@error(
    "web-version",
    "composition 63",
    'link to {{ issue.url }}: "View in browser"',
)
def a_page_on_the_web_is_linked(galley: Galley) -> Findings:
    """No link to the issue's page on the web."""
    if galley.written is None:
        return
    url = galley.written.email.url
    if galley.html is not None and all(link.href != url for link in galley.page.links):
        yield Finding(f"nothing links to {url}", about=("</body",))


@warning(
    "web-version-text",
    "composition 8",
    "put {{ issue.url }} into email.txt",
)
def a_page_on_the_web_is_in_the_text(galley: Galley) -> Findings:
    """The plain text does not say where the issue is on the web."""
    if galley.written is not None and galley.text is not None:
        url = galley.written.email.url
        if url not in galley.plain:
            yield Finding(f"no {url} in the plain text", about=("letter.postal_address",))


@warning(
    "sender-named",
    "CAN-SPAM 7704(a)(1); deliverability 8",
    "show {{ letter.name }} in the templates",
)
def the_sender_is_named(galley: Galley) -> Findings:
    """The letter does not say whose it is."""
    if galley.letter is None or galley.html is None:
        return
    titles = " ".join(words_in(e) for e in galley.page.named("title"))
    if _bare(galley.letter.name) not in _bare(galley.page.words + squeeze(titles)):
        yield Finding(f'"{galley.letter.name}" is not in the HTML', about=("</body",))
