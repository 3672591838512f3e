"""Where in a document the slots stand, and what a value must become there.

An Email's html or text enters; it leaves cut at the tokens, each cut with the encoder for its
place. A value is data wherever it lands: text in HTML is escaped, text in a link is
percent-encoded, and no value ever becomes markup, a scheme, CSS or script (deliverability 7.6-8).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from typing import NamedTuple
from urllib.parse import quote

from newsletter.errors import MailRefused
from newsletter.mime.quoted_printable import encode
from newsletter.model import Slot
from newsletter.slots import TOKEN

Write = Callable[[str], bytes]

_TAG = re.compile(r"<[A-Za-z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_LINK = re.compile(
    r"(?<=[\s\"'])(?:href|src|background|action|cite|longdesc|poster|srcset)\s*=\s*"
    r"(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')",
    re.IGNORECASE,
)
_SHEET = re.compile(r"<(style|script)\b.*?</\1", re.IGNORECASE | re.DOTALL)
_ACTIVE = re.compile(
    r"(?<=[\s\"'])(?:style|on[a-z]+)\s*=\s*(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE | re.DOTALL
)
_WEB = re.compile(r"https?://[^\s/?#@]", re.IGNORECASE)
# A token of another issue, or one that was shouted or wrapped on its way here.
_RESIDUE = re.compile(r"xslot[0-9a-f]{2}")
_PLAIN_WEB = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9._~/-]*")
_URI_CHARACTERS = ":/?#[]@!$&'()*+,;=%~-._"


class Cut(NamedTuple):
    """One slot in its place: the text before it (back to the previous cut), and its encoder."""

    before: str
    slot: Slot
    write: Write


class CutText(NamedTuple):
    """A document in its cuts, and the text after the last one."""

    cuts: tuple[Cut, ...]
    rest: str


def write_text(value: str) -> bytes:
    """A value in the plain text part."""
    return encode(value)


def write_html(value: str) -> bytes:
    """A value between tags or in an attribute that is no link."""
    return encode(escape(value, quote=True))


def write_link(value: str) -> bytes:
    """A value at the start of a link: a web address stays one, anything else brings no scheme."""
    if _PLAIN_WEB.fullmatch(value):
        return encode(value)
    safe = _URI_CHARACTERS if _WEB.match(value) else ""
    return encode(escape(quote(value, safe=safe), quote=True))


def write_link_part(value: str) -> bytes:
    """A value inside a link, after other text."""
    return encode(quote(value, safe=""))


_SHORT_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9@.:/_~+-]{0,70}")
# Which short values each place writes as they stand, so that most need no look at all.
_AS_IT_STANDS: Mapping[Write, re.Pattern[str]] = {
    write_text: _SHORT_PLAIN,
    write_html: _SHORT_PLAIN,
    write_link: re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9._~/-]{0,60}"),
    write_link_part: re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,70}"),
}


def as_it_stands(write: Write) -> Callable[[str], object]:
    """What says whether the encoder would give the value's own letters: true only if it would."""
    return _AS_IT_STANDS[write].fullmatch


def cut_text(text: str, slots: Iterable[Slot]) -> CutText:
    """The plain text in its cuts, or the Subject, which is encoded as a whole once filled."""
    return _cut(text, slots, {}, write_text)


def cut_html(html: str, slots: Iterable[Slot]) -> CutText:
    """The document in its cuts. Raises MailRefused for a slot in CSS, in script, or outside of
    quotes in a tag, where no escaping is safe."""
    if any(TOKEN.search(sheet[0]) for sheet in _SHEET.finditer(html)):
        raise _unsafe_place()
    return _cut(html, slots, dict(_link_tokens(html)), write_html)


def _cut(text: str, slots: Iterable[Slot], special: Mapping[int, Write], usual: Write) -> CutText:
    known = {slot.token: slot for slot in slots}
    cuts, end = [], 0
    for match in TOKEN.finditer(text):
        slot = known.get(match[0])
        if slot is not None:
            write = special.get(match.start(), usual)
            cuts.append(Cut(text[end : match.start()], slot, write))
            end = match.end()
    whole = CutText(tuple(cuts), text[end:])
    if any(_RESIDUE.search(piece.lower()) for piece in (*(cut.before for cut in cuts), whole.rest)):
        raise MailRefused(
            "the mail has a personal field that no value can fill",
            hint="something changed its letters or belongs to another issue: compose it again",
            code="mail.slot",
        )
    return whole


def _link_tokens(html: str) -> Iterator[tuple[int, Write]]:
    """Where each token inside a link starts, and how its value is written there. Conditional
    comments are read too: Outlook follows the links in them."""
    for tag in _TAG.finditer(html):
        if TOKEN.search(tag[0]) is None:
            continue
        _refuse_unsafe(tag[0])
        for link in _LINK.finditer(html, tag.start(), tag.end()):
            start, end = link.span(link.lastgroup or 0)
            for token in TOKEN.finditer(html, start, end):
                leads = not html[start : token.start()].strip()
                yield token.start(), write_link if leads else write_link_part


def _refuse_unsafe(tag: str) -> None:
    if TOKEN.search(_QUOTED.sub("", tag)) or any(
        TOKEN.search(attribute[0]) for attribute in _ACTIVE.finditer(tag)
    ):
        raise _unsafe_place()


def _unsafe_place() -> MailRefused:
    return MailRefused(
        "a personal field stands in a style, a script or a tag, where its value could do anything",
        hint="use personal fields in text and in quoted attributes only",
        code="mail.slot",
    )
