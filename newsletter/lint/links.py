"""Rules on links: where they lead, and what they say they do."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from newsletter.lint.galley import Galley
from newsletter.lint.page import Link
from newsletter.lint.rule import Finding, Findings, error, note, warning
from newsletter.model import Severity

SHORTENERS = frozenset(
    [
        *("bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "rebrand.ly"),
        *("cutt.ly", "rb.gy", "tiny.cc", "lnkd.in", "bl.ink", "short.io", "t.ly", "shorturl.at"),
        *("s.id", "v.gd", "adf.ly", "soo.gd", "clck.ru", "amzn.to", "youtu.be.link", "dlvr.it"),
    ]
)
# What says nothing of where it leads (WCAG 2.4.4), in the languages of the shipped strings.
EMPTY_WORDS = frozenset(
    [
        *("here", "click here", "click", "tap here", "read more", "more", "learn more", "link"),
        *("this", "this link", "see here", "continue", "details", "go", "read on", "find out more"),
        *("hier", "hier klicken", "klick hier", "klicken sie hier", "mehr", "mehr lesen"),
        *("weiterlesen", "mehr erfahren", "ici", "cliquez ici", "en savoir plus", "lire la suite"),
        *("aquí", "haz clic aquí", "pincha aquí", "leer más", "más", "clique aqui", "aqui"),
        *("saiba mais", "leia mais", "qui", "clicca qui", "leggi tutto", "klik hier", "lees meer"),
    ]
)
LOCAL = re.compile(r"(?:^localhost$|\.local$|\.localhost$|\.internal$|\.lan$|\.test$|\.invalid$)")
URL_TEXT = re.compile(r"(?:https?://)?((?:[\w-]+\.)+[a-z]{2,})(?:[/?#:]\S*)?", re.IGNORECASE)
BROKEN = re.compile(r"[\s<>\"{}|\\^`]")
SCHEMES = frozenset(("https", "http", "mailto", "tel", "sms"))
SAFE_ANCHOR = re.compile(r"#\S+")


def split(href: str) -> SplitResult | None:
    """The address in parts, None for one that cannot be read."""
    try:
        parts = urlsplit(href)
        return parts if parts.hostname is None or parts.hostname else None
    except ValueError:
        return None


def host_of(href: str) -> str:
    """The host in lower case, "" when there is none."""
    parts = split(href)
    return (parts.hostname or "").rstrip(".") if parts else ""


def _links(galley: Galley) -> Iterator[tuple[Link, tuple[str, ...]]]:
    for link in galley.page.links:
        yield link, tuple(filter(None, (link.href, link.words)))


@error("link-empty", "composition 59", "give it a destination, or drop it")
def links_that_lead_nowhere(galley: Galley) -> Findings:
    """An empty link, `#` or `/`."""
    for link, _ in _links(galley):
        if link.href.strip() in ("", "#", "/"):
            tag = f'href="{link.href}"'
            typed = (f"[{link.words}]({link.href})", f"{tag}>{link.words}", link.words, tag)
            yield Finding(f'"{link.words}" leads nowhere', about=typed)


@error(
    "link-scheme",
    "composition 59; deliverability 7.9",
    "https, http, mailto and tel can be in a mail",
    "all",
)
def links_with_a_scheme_of_their_own(galley: Galley) -> Findings:
    """`javascript:`, `data:` and others that clients remove."""
    for link, about in _links(galley):
        scheme = re.match(r"\s*([a-z][a-z0-9+.-]*):", link.href, re.IGNORECASE)
        if scheme and scheme[1].lower() not in SCHEMES:
            yield Finding(f"{scheme[1]}: in a link", about=about)


@error("link-relative", "composition 59", "write the whole address: a mail has no page of its own")
def relative_links(galley: Galley) -> Findings:
    """A link without a host."""
    for link, about in _links(galley):
        href = link.href.strip()
        if href not in ("", "#", "/") and not re.match(r"[a-z][a-z0-9+.-]*:|#", href, re.I):
            yield Finding(f"{href} is relative", about=about)


@error(
    "link-broken",
    "composition 59; RFC 3986",
    "percent-encode spaces and quotes: %20, %22",
)
def broken_links(galley: Galley) -> Findings:
    """An address with characters that no address has, or without a host."""
    for link, about in _links(galley):
        href = link.href.strip()
        if BROKEN.search(href):
            yield Finding(f"{href} has a character that no address has", about=about)
        elif href.lower().startswith(("http:", "https:")) and not host_of(href):
            yield Finding(f"{href} names no host", about=about)


@error(
    "link-draft",
    "composition 59",
    "publish it first, or leave the link out: its page is not there yet",
)
def links_to_unpublished_articles(galley: Galley) -> Findings:
    """A link to the page of a draft, or of an article dated after this one."""
    written = galley.written
    for link, about in _links(galley):
        address = link.href.strip().partition("#")[0]
        if written is None or (there := written.unpublished.get(address)) is None:
            continue
        here = written.issue.article
        if there.path == here.path:
            continue
        if there.draft:
            said, severity = "a draft", Severity.ERROR
        elif there.date and not (here.date and here.date >= there.date):
            said, severity = f"dated {there.date:%Y-%m-%d}", Severity.WARNING
        else:
            continue
        name = there.path.name
        yield Finding(f"leads to {name}, {said}", about=(name, *about), severity=severity)


@warning("link-http", "composition 59", "write https://: clients and browsers warn of others")
def links_without_tls(galley: Galley) -> Findings:
    """A link that is not encrypted."""
    for link, about in _links(galley):
        if link.href.strip().lower().startswith("http:"):
            yield Finding(f"not https: {link.href}", about=about)


@error(
    "link-local",
    "composition 59; SpamAssassin NORMAL_HTTP_TO_IP",
    "write the public name of the site",
)
def links_to_machines(galley: Galley) -> Findings:
    """A link to this machine, a local network or a bare IP address."""
    for link, about in _links(galley):
        host = host_of(link.href)
        if host and (LOCAL.search(host) or _is_ip(host)):
            yield Finding(f"leads to {host}", about=about)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(re.fullmatch(r"(?:0x)?[0-9a-f]{8,10}|[0-9]{8,10}", host))
    return True


@warning(
    "link-shortener",
    "composition 60; deliverability 6",
    "link to the page itself: shorteners are on block lists, and readers cannot tell",
)
def shortened_links(galley: Galley) -> Findings:
    """A link behind a public shortener."""
    for link, about in _links(galley):
        if host_of(link.href).removeprefix("www.") in SHORTENERS:
            yield Finding(f"shortened: {link.href}", about=about)


@warning(
    "link-disguised",
    "composition 60; SpamAssassin, rspamd PHISHING",
    "let the text name the same site, or write words in place of the address",
)
def links_that_say_another_address(galley: Galley) -> Findings:
    """The text is an address of another site than the link leads to, as in phishing."""
    for link, about in _links(galley):
        shown = URL_TEXT.fullmatch(link.words)
        host = host_of(link.href)
        if shown and host and not _same_site(shown[1].lower(), host):
            yield Finding(f"{link.words} leads to {host}", about=about)


def _same_site(shown: str, host: str) -> bool:
    shown, host = shown.removeprefix("www."), host.removeprefix("www.")
    # "Node.js" and "README.md" look like hosts and are words.
    looks_like_a_file = shown.count(".") == 1 and shown.rpartition(".")[2] in (
        *("js", "md", "py", "rs", "net", "io", "toml", "txt", "sh", "ai", "app", "css", "html"),
    )
    return shown == host or host.endswith(f".{shown}") or looks_like_a_file


@warning(
    "link-homograph",
    "deliverability 7.44; Unicode TR 39",
    "check that this is the site you mean",
)
def links_to_lookalikes(galley: Galley) -> Findings:
    """A host that mixes alphabets, as lookalikes of known sites do."""
    for link, about in _links(galley):
        host = host_of(link.href)
        for label in host.split("."):
            letters = {_alphabet(c) for c in label if c.isalpha()}
            if len(letters) > 1:
                yield Finding(f"{host} mixes alphabets", about=about)


def _alphabet(letter: str) -> str:
    """Latin, Greek, Cyrillic or other: the three with lookalikes."""
    code = ord(letter)
    if code < 0x250 or 0x1E00 <= code < 0x1F00:
        return "latin"
    if 0x370 <= code < 0x400:
        return "greek"
    return "cyrillic" if 0x400 <= code < 0x530 else "other"


@warning(
    "link-text",
    "composition 61; WCAG 2.4.4",
    "say where it leads: screen readers list links without the words around them",
    "screen readers",
)
def links_that_say_nothing(galley: Galley) -> Findings:
    """The text of a link is "click here" or the like, alone."""
    for link, _ in _links(galley):
        words = link.words.lower().strip(" .:!›»→>…")
        if words in EMPTY_WORDS:
            yield Finding(
                f'"{link.words}" says nothing to a screen reader or in plain text',
                about=(f"[{link.words}]", link.href, link.words),
            )
        elif not words and not link.is_picture and link.element.get("name") is None:
            yield Finding(f"a link without text leads to {link.href}", about=(link.href,))


@warning(
    "link-ambiguous",
    "composition 61; WCAG 2.4.4",
    "let the texts differ as the targets do",
    "screen readers",
)
def same_words_for_different_targets(galley: Galley) -> Findings:
    """Two links say the same and lead to different places."""
    targets: dict[str, str] = {}
    for link, about in _links(galley):
        words = link.words.lower()
        if not words or words in EMPTY_WORDS or link.is_picture or _is_note(link):
            continue
        first = targets.setdefault(words, link.href)
        if first.rstrip("/") != link.href.rstrip("/"):
            yield Finding(f'"{link.words}" leads to {first} and to {link.href}', about=about)


def _is_note(link: Link) -> bool:
    """Whether it is a footnote's mark: `1`, `[2]`, `*`."""
    return re.fullmatch(r"\W*\d{0,3}\W*", link.words) is not None


@warning(
    "link-anchor",
    "composition 62; caniemail html-anchor-links",
    'point it to the web version, or give the target <a name="...">',
    "Gmail on iOS, Samsung, Yahoo on Android",
)
def links_within_the_mail(galley: Galley) -> Findings:
    """A link to a place in the mail that is not there, or found by `id` only."""
    names = {e.get("name") for e in galley.page.named("a")}
    for link, about in _links(galley):
        href = link.href.strip()
        if SAFE_ANCHOR.fullmatch(href) and href[1:] not in names:
            yield Finding(f'{href} has no <a name="{href[1:]}">', about=about)


@note("link-long", "composition 59", "a shorter address survives forwarding", "Outlook")
def long_links(galley: Galley) -> Findings:
    """An address of more than 1,000 characters, which some clients cut."""
    for link, about in _links(galley):
        if len(link.href) > 1000:
            yield Finding(
                f"an address of {len(link.href):,} characters",
                about=about,
                severity=Severity.WARNING if len(link.href) > 2000 else None,
            )
