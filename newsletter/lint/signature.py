"""Rules on a DKIM signature that is there: what it covers and how (RFC 6376, 8301, 8058).

Whether it verifies only the DNS can say; a mail without one passes, since its relay may sign it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from newsletter.lint.galley import Galley
from newsletter.lint.message import Field
from newsletter.lint.rule import Finding, Findings, error, warning

TAG = re.compile(r"\s*([A-Za-z]\w*)\s*=([^;]*)")
COVERED = ("from", "to", "subject", "date", "message-id", "mime-version", "content-type")
# RFC 8058 4: both must be covered. The last of these is a receiver's own and not worth an error.
ONE_CLICK = ("list-unsubscribe", "list-unsubscribe-post")
OVERSIGNED = ("from", "subject")
DAYS = 24 * 3600


def _signatures(galley: Galley) -> Iterator[tuple[Field, dict[str, str]]]:
    for field in galley.mail.all("DKIM-Signature"):
        tags = (TAG.match(part) for part in field.value.split(";"))
        yield field, {tag[1]: re.sub(r"\s", "", tag[2]) for tag in tags if tag}


def _covered(tags: dict[str, str]) -> Counter[str]:
    return Counter(tags.get("h", "").lower().split(":"))


@error("dkim-fields", "RFC 6376 5.4; RFC 8058 4", "name it in h= of the signature", "Gmail, Yahoo")
def signatures_cover_what_counts(galley: Galley) -> Findings:
    """A field that is there and not signed, so that anybody may change it: the unsubscribe button
    then is not shown."""
    present = {field.key for field in galley.mail.fields}
    for field, tags in _signatures(galley):
        missing = [n for n in (*COVERED, *ONE_CLICK) if n in present and not _covered(tags)[n]]
        if missing:
            yield Finding(f"h= lacks {', '.join(missing)}", line=field.line)


@warning("dkim-oversigned", "RFC 6376 8.15; deliverability 7.31", "name it twice in h=")
def signatures_forbid_a_second_field(galley: Galley) -> Findings:
    """A second From or Subject could be put on top, and the signature would still hold."""
    for field, tags in _signatures(galley):
        once = [name for name in OVERSIGNED if _covered(tags)[name] == 1]
        if once:
            yield Finding(f"{' and '.join(once)} could be added", line=field.line)


@error("dkim-length", "RFC 6376 8.2; deliverability 7.31", "leave l= out of the signature")
def signatures_cover_the_whole_body(galley: Galley) -> Findings:
    """The signature covers the first part of the body only: anything may be put behind it."""
    for field, tags in _signatures(galley):
        if "l" in tags:
            yield Finding(f"l={tags['l']}", line=field.line)


@error("dkim-algorithm", "RFC 8301 3.1", "sign with rsa-sha256", "Gmail, Microsoft")
def signatures_are_of_this_time(galley: Galley) -> Findings:
    """A signature that no receiver may count: SHA-1, or an algorithm that is none."""
    for field, tags in _signatures(galley):
        if tags.get("a", "").lower() not in ("rsa-sha256", "ed25519-sha256"):
            yield Finding(f"a={tags.get('a', '')}", line=field.line)


@warning("dkim-expiry", "RFC 6376 3.5; deliverability 1", "leave x= out, or give it 14 days")
def signatures_last(galley: Galley) -> Findings:
    """The signature ends before a mail that waits in a queue, or is forwarded, has arrived."""
    for field, tags in _signatures(galley):
        start, end = tags.get("t", ""), tags.get("x", "")
        known = all(time.isdecimal() and len(time) < 14 for time in (start, end))
        if known and int(end) - int(start) < 14 * DAYS:
            yield Finding(f"it ends {(int(end) - int(start)) / DAYS:.1f} days on", line=field.line)


@error("dkim-aligned", "RFC 9989; Gmail, Yahoo, Microsoft 2024-25", "sign as the domain of From")
def a_signature_is_the_senders(galley: Galley) -> Findings:
    """No signature is of the domain of From, so that DMARC rests on SPF alone, which no forwarding
    survives."""
    sender = re.search(r"@([\w.-]+)", galley.mail.value("From"))
    signed = [(field, tags.get("d", "").lower()) for field, tags in _signatures(galley)]
    if not signed or sender is None:
        return
    domain = sender[1].lower()
    if not any(_related(domain, other) for _, other in signed):
        names = ", ".join(other for _, other in signed)
        yield Finding(f"From is {domain}, signed by {names}", line=signed[0][0].line)


def _related(domain: str, other: str) -> bool:
    """Whether one is the other or within it; or both lie within one that has three labels or more,
    or two: which of those are suffixes, the DNS says, so in doubt they are related."""
    ours, theirs = domain.split("."), other.split(".")
    return bool(other) and ours[-2:] == theirs[-2:]
