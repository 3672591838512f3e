"""The unsubscribe button that a mailbox provider would put above a mail, and whether it works.

Enters: the bytes of a mail. Leaves: what RFC 2369 and RFC 8058 ask for, point by point, and the
request that a press of the button would send. Sends nothing: what the button is for is carried out
by a Door, on this machine, when somebody presses it here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from newsletter.lint.message import Part, read_mail
from newsletter.model import Subscriber

ONE_CLICK = "List-Unsubscribe=One-Click"
_URI = re.compile(r"<\s*([^<>\s]*)\s*>")
_FORM = re.compile(r"\s*<[^<>\s]+>(?:\s*,\s*<[^<>\s]+>)*\s*")
_TOKEN = re.compile(r"/u/([A-Za-z0-9_-]+)/?")
_SIGNED = re.compile(r"(?:^|;)\s*h\s*=\s*([^;]*)", re.IGNORECASE)
SIGNED_FIELDS = ("list-unsubscribe", "list-unsubscribe-post")


class Grade(StrEnum):
    """How one point of the check came out; NOTE is for what nobody on this machine can know."""

    GOOD = "good"
    BAD = "error"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the check: what is asked for, by whom, and what is there."""

    grade: Grade
    asked: str
    source: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """The button of one mail. `url` is where it posts to ("" without one), `request` the request
    as a provider would send it, `token` what our own links name a reader by ("" in another's),
    `mailto` the address of the other way."""

    points: tuple[Point, ...]
    url: str
    request: str
    token: str
    mailto: str

    @property
    def works(self) -> bool:
        """Whether Gmail, Yahoo and Apple would show the button."""
        return all(point.grade is not Grade.BAD for point in self.points)


@dataclass(frozen=True, slots=True)
class Named:
    """What a token says: whether a key of ours wrote it, and the person it names, None for the
    reader of a proof and for somebody who is not here any more."""

    is_ours: bool
    person: Subscriber | None


@dataclass(frozen=True, slots=True)
class Door:
    """The way to the people of a publication. `who` reads a token; `unsubscribe` carries it out
    and returns the person as they are now."""

    who: Callable[[str], Named]
    unsubscribe: Callable[[Subscriber], Subscriber]


def button_of(content: bytes) -> Button:
    """The button above the mail, checked."""
    mail = read_mail(content)
    uris = _URI.findall(mail.value("List-Unsubscribe"))
    url = next((uri for uri in uris if uri.lower().startswith("https://")), "")
    return Button(
        points=(*_of_addresses(mail, uris), *_of_post(mail), *_of_signature(mail)),
        url=url,
        request=_request(url) if url else "",
        token=_token(url),
        mailto=next((uri for uri in uris if uri.lower().startswith("mailto:")), ""),
    )


def _of_addresses(mail: Part, uris: list[str]) -> Iterator[Point]:
    fields = mail.all("List-Unsubscribe")
    asked, source = "one List-Unsubscribe field", "RFC 8058 3.1"
    if len(fields) != 1:
        yield Point(Grade.BAD, asked, source, f"{len(fields) or 'no'} fields")
        return
    yield Point(Grade.GOOD, asked, source, "one")
    [field] = fields
    asked, source = "plain addresses in <>, commas between", "RFC 2369 2"
    if "=?" in field.value:
        yield Point(Grade.BAD, asked, source, "an encoded word, which Gmail does not read")
    elif _FORM.fullmatch(field.value) is None:
        yield Point(Grade.BAD, asked, source, field.value[:80] or "nothing")
    else:
        yield Point(Grade.GOOD, asked, source, f"{len(uris)} of them")
    yield _of_https(uris)


def _of_https(uris: list[str]) -> Point:
    asked, source = "exactly one https address, before any mailto", "RFC 8058 3.1"
    secure = [uri for uri in uris if uri.lower().startswith("https://")]
    if len(secure) != 1:
        plain = any(uri.lower().startswith("http:") for uri in uris)
        found = "http without s" if plain and not secure else f"{len(secure) or 'no'} https address"
        return Point(Grade.BAD, asked, source, found)
    if uris[0] != secure[0]:
        return Point(Grade.BAD, asked, source, "it comes after another one")
    if not _host(secure[0]):
        return Point(Grade.BAD, asked, source, "it names no host")
    return Point(Grade.GOOD, asked, source, _host(secure[0]))


def _of_post(mail: Part) -> Iterator[Point]:
    fields = mail.all("List-Unsubscribe-Post")
    asked, source = f"List-Unsubscribe-Post: {ONE_CLICK}", "RFC 8058 3.1; Gmail, Yahoo"
    if len(fields) != 1:
        yield Point(Grade.BAD, asked, source, f"{len(fields) or 'no'} fields")
    elif fields[0].value.strip() != ONE_CLICK:
        yield Point(Grade.BAD, asked, source, fields[0].value.strip()[:80] or "nothing")
    else:
        yield Point(Grade.GOOD, asked, source, "just that")


def _of_signature(mail: Part) -> Iterator[Point]:
    asked, source = "both fields signed by DKIM", "RFC 8058 4"
    signatures = mail.all("DKIM-Signature")
    if not signatures:
        yield Point(
            Grade.NOTE, asked, source, "not signed yet: the relay signs, see that it covers both"
        )
        return
    missing = min((_unsigned(field.value) for field in signatures), key=len)
    if missing:
        yield Point(Grade.BAD, asked, source, f"not signed: {', '.join(missing)}")
    else:
        yield Point(Grade.GOOD, asked, source, "covered by h= (the signature was not verified)")


def _unsigned(signature: str) -> tuple[str, ...]:
    match = _SIGNED.search(signature)
    names = {name.strip().lower() for name in match[1].split(":")} if match else set()
    return tuple(name for name in SIGNED_FIELDS if name not in names)


def _request(url: str) -> str:
    """The request as RFC 8058 3.2 has it: no cookie, no credentials, no referrer."""
    host, _, path = url.split("//", 1)[1].partition("#")[0].partition("/")
    return (
        f"POST /{path} HTTP/1.1\n"
        f"Host: {host}\n"
        "Content-Type: application/x-www-form-urlencoded\n"
        f"Content-Length: {len(ONE_CLICK)}\n\n"
        f"{ONE_CLICK}"
    )


def _token(url: str) -> str:
    parts = _split(url)
    match = _TOKEN.search(parts.path) if parts else None
    return match[1] if match else ""


def _host(url: str) -> str:
    parts = _split(url)
    return parts.hostname or "" if parts else ""


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None
