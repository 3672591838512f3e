"""Rules on the header: fields, their number and form (RFC 5322, 2047, 2369, 2919, 8058).

What SpamAssassin and rspamd miss is caught here (deliverability 6).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from newsletter.lint.galley import Galley
from newsletter.lint.message import Field, codec
from newsletter.lint.rule import Finding, Findings, error, note, warning
from newsletter.smtputf8 import carried

NEEDED = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
ONCE = (
    *NEEDED,
    *("Reply-To", "Sender", "Cc", "Bcc", "In-Reply-To", "References", "List-ID", "List-Post"),
    *("List-Unsubscribe", "List-Unsubscribe-Post", "List-Archive", "Feedback-ID", "Precedence"),
    *("Content-Transfer-Encoding", "X-Auto-Response-Suppress"),
)
NEVER = (
    *("Bcc", "Cc", "Return-Path", "Errors-To", "X-Originating-IP", "Resent-To", "Resent-Cc"),
    *("Resent-Bcc", "Disposition-Notification-To", "Return-Receipt-To"),
)
STRUCTURED = (
    *("Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    *("List-Unsubscribe", "List-Unsubscribe-Post", "List-Archive", "List-Post", "Feedback-ID"),
    *("Precedence", "Return-Path"),
)
LONGEST, ADVISED = 998, 78
LIST_ID = re.compile(r"(?:.*\s)?<[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+>")
MESSAGE_ID = re.compile(r"<[^\s<>@]+@[^\s<>@]+>")
MAILBOX = re.compile(r"(?P<name>.*?)<(?P<inside>[^<>]*)>\s*|(?P<bare>[^<>]*)", re.DOTALL)
ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
URIS = re.compile(r"<[^<>\s]+>(?:\s*,\s*<[^<>\s]+>)*")
ONE_CLICK = "List-Unsubscribe=One-Click"
LOCAL = re.compile(r"@(?:localhost|[^.>]+)>$|\.local(?:domain)?>$", re.IGNORECASE)


def _about(field: Field) -> tuple[str, ...]:
    return (field.text,) if field.key in ("subject", "from", "reply-to") else ()


@error("header-missing", "RFC 5322 3.6; RFC 2045 4", "write it: relays and judges want it")
def fields_are_there(galley: Galley) -> Findings:
    """A field that every mail needs is missing."""
    for name in NEEDED:
        if galley.mail.first(name) is None:
            yield Finding(f"no {name}", line=1)


@error("header-twice", "RFC 5322 3.6; deliverability 7.31", "write it once")
def fields_are_there_once(galley: Galley) -> Findings:
    """A field that may be there once only is there twice."""
    counts = Counter(field.key for field in galley.mail.fields)
    for name in ONCE:
        if counts[name.lower()] > 1:
            last = galley.mail.all(name)[-1]
            yield Finding(f"{counts[name.lower()]} {name} fields", line=last.line)


@error(
    "header-never", "deliverability 1", "drop it: it shows readers to each other, or is the relay's"
)
def fields_that_no_letter_has(galley: Galley) -> Findings:
    """Cc, Bcc and fields that belong to servers on the way."""
    for name in NEVER:
        for field in galley.mail.all(name):
            yield Finding(f"a {field.name} field", line=field.line)


@error("header-stray", "RFC 5322 2.2", "every line is `Name: value` or begins with a space")
def lines_that_are_no_field(galley: Galley) -> Findings:
    """A line in the header that is no field."""
    for part in (galley.mail, *galley.mail.leaves()):
        for line in part.stray:
            yield Finding("a line that is no field", line=line)


@error("header-8bit", "RFC 5322 2.2; RFC 2047", "encode it as =?utf-8?q?...?=")
def headers_are_ascii(galley: Galley) -> Findings:
    """Octets beyond ASCII in the header, but for a reader's own address in To."""
    for field in galley.mail.fields:
        own = _beyond_ascii(field)
        value = field.utf8.replace(own, "", 1) if own else "".join(field.lines)
        if not value.isascii():
            yield Finding(f"{field.name} is not ASCII", line=field.line)


@error(
    "header-encoded",
    "RFC 2047 5; deliverability 0.1",
    "write it plain: nobody decodes it there",
    "Gmail",
)
def structured_fields_are_not_encoded(galley: Galley) -> Findings:
    """An encoded-word where none may be, as in List-Unsubscribe: Gmail then shows no button."""
    for name in STRUCTURED:
        for field in galley.mail.all(name):
            if "=?" in field.value and "?=" in field.value:
                yield Finding(f"{field.name} is encoded", line=field.line)
    for field in _mailboxes(galley):
        match = MAILBOX.fullmatch(field.value)
        inside = (match["inside"] or match["bare"] or "") if match else ""
        if "=?" in inside:
            yield Finding(f"the address in {field.name} is encoded", line=field.line)


@error("header-word", "RFC 2047 2", "encode as =?utf-8?q?...?= of 75 characters at most")
def encoded_words_are_sound(galley: Galley) -> Findings:
    """An encoded-word that is too long, or of an unknown charset."""
    for field in galley.mail.fields:
        for match in re.finditer(r"=\?([^?\s]+)\?[bqBQ]\?[^?\s]*\?=", field.value):
            if len(match[0]) > 75:
                yield Finding(f"{field.name} has a word of {len(match[0])}", line=field.line)
            if codec(match[1].partition("*")[0]) is None:
                yield Finding(f"{field.name} is in {match[1]}, unknown", line=field.line)


@error("header-long", "RFC 5322 2.1.1", "fold it at a space")
def header_lines_are_short(galley: Galley) -> Findings:
    """A line of the header with more than 998 characters."""
    for field in galley.mail.fields:
        if max(map(len, field.lines)) > LONGEST:
            yield Finding(f"{field.name} has a line of {max(map(len, field.lines))}", _about(field))


@warning("header-wide", "RFC 5322 2.1.1", "fold it at a space")
def header_lines_are_within_78(galley: Galley) -> Findings:
    """A line of the header with more than 78 characters that could have been folded."""
    for field in galley.mail.fields:
        for line in field.lines:
            value = line.removeprefix(field.name).lstrip(": \t")
            if len(line) > ADVISED and len(line) <= LONGEST and " " in value.strip():
                yield Finding(f"{field.name} has a line of {len(line)}", line=field.line)


def _mailboxes(galley: Galley) -> Iterator[Field]:
    for name in ("From", "To", "Reply-To", "Sender"):
        yield from galley.mail.all(name)


def _address(value: str) -> str:
    """The one address in a value without quoted strings, or whatever stands in its place."""
    match = MAILBOX.fullmatch(value)
    return (match["inside"] or match["bare"] or "").strip() if match else ""


def _beyond_ascii(field: Field) -> str:
    """The address in To when it takes an internationalised mail (RFC 6532), else ""."""
    address = _address(QUOTED.sub("", field.utf8)) if field.key == "to" else ""
    is_latin_1 = field.utf8 == field.value
    return "" if address.isascii() or is_latin_1 or not carried(address) else address


@error("address-form", "RFC 5322 3.4; RFC 5321 4.1.2", "write  Name <local@domain>, one address")
def mailboxes_hold_one_address(galley: Galley) -> Findings:
    """From, To or Reply-To is not exactly one address; a list of readers in To shows them to each
    other."""
    for field in _mailboxes(galley):
        bare = QUOTED.sub("", field.value)
        known = ADDRESS.fullmatch(_address(bare)) or _beyond_ascii(field)
        if "," in bare or ";" in bare or not known:
            yield Finding(f"{field.name} is not one address", line=field.line)


@error(
    "name-address",
    "deliverability 2; SpamAssassin FROM_NEQ_DISPLAY_NAME, rspamd SPOOF_DISPLAY_NAME",
    "write a name, not an address",
)
def names_are_no_addresses(galley: Galley) -> Findings:
    """The display name holds an address."""
    for field in _mailboxes(galley):
        match = MAILBOX.fullmatch(field.text)
        name = (match["name"] or "") if match else ""
        if "@" in name and match and match["inside"] not in name:
            yield Finding(f"{field.name} shows an address that is not its own", line=field.line)


@warning("reply-to", "deliverability 1 (Microsoft: valid From or Reply-To)", "let readers answer")
def readers_can_answer(galley: Galley) -> Findings:
    """Answers go to nobody: From is a no-reply address and there is no Reply-To."""
    value = galley.mail.value("Reply-To") or galley.mail.value("From")
    if re.search(r"\b(?:no|do-?not)[-_.]?reply\b[^@]*@", value, re.IGNORECASE):
        yield Finding("answers go to a no-reply address", about=("reply_to", "from ="))


@note("reply-to-missing", "deliverability 6", "set reply_to in [sender] to a person")
def answers_reach_a_person(galley: Galley) -> Findings:
    """No Reply-To."""
    if galley.mail.first("From") is not None and galley.mail.first("Reply-To") is None:
        yield Finding("no Reply-To", line=1)


@error("date-form", "RFC 5322 3.3", "Thu, 19 Nov 2026 07:30:00 +0000")
def the_date_is_one(galley: Galley) -> Findings:
    """Date is no date, has no zone, or its day is not that of the week."""
    for field in galley.mail.all("Date"):
        moment = _moment(field.value)
        if moment is None:
            yield Finding(f"not a date: {field.value}", line=field.line)
        elif field.value.rstrip().endswith("-0000"):
            yield Finding("-0000 is no zone", line=field.line)
        elif "," in field.value and not field.value.lower().startswith(f"{moment:%a}".lower()):
            yield Finding(f"{field.value} was no {field.value[:3]}", line=field.line)


def _moment(text: str) -> datetime | None:
    if not re.search(r"[+-]\d{4}(?:\s*\(.*\))?\s*$", text) and "GMT" not in text:
        return None
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


@error("message-id-form", "RFC 5322 3.6.4", "<left@right>, right a domain of yours")
def the_message_id_is_one(galley: Galley) -> Findings:
    """Message-ID is not of the form `<left@right>`, or its right side is this machine."""
    for field in galley.mail.all("Message-ID"):
        if MESSAGE_ID.fullmatch(field.value) is None or LOCAL.search(field.value):
            yield Finding(f"not <left@domain>: {field.value[:60]}", line=field.line)


@error("mime-version", "RFC 2045 4", "MIME-Version: 1.0")
def the_mime_version_is_1(galley: Galley) -> Findings:
    """MIME-Version is not 1.0."""
    for field in galley.mail.all("MIME-Version"):
        if re.sub(r"\([^)]*\)|\s", "", field.value) != "1.0":
            yield Finding(f"MIME-Version: {field.value}", line=field.line)


@error(
    "list-unsubscribe",
    "RFC 8058 3.1; RFC 2369 3; Gmail and Yahoo bulk rules",
    "List-Unsubscribe: <https://...>, <mailto:...>, never encoded",
    "Gmail, Yahoo, Apple Mail",
)
def the_unsubscribe_field_works(galley: Galley) -> Findings:
    """No List-Unsubscribe with an https address in angle brackets, so no button."""
    field = galley.mail.first("List-Unsubscribe")
    if field is None:
        yield Finding("no List-Unsubscribe", line=1)
        return
    uris = re.findall(r"<([^<>]+)>", field.value)
    if URIS.fullmatch(field.value) is None:
        yield Finding("addresses are not in <>, with commas between", line=field.line)
    if any(uri.lower().startswith("http:") for uri in uris):
        yield Finding("http in place of https", line=field.line)
    secure = [uri for uri in uris if uri.lower().startswith("https://")]
    if not secure:
        yield Finding("no https address", line=field.line)
    elif len(secure) > 1:
        yield Finding("several https addresses", line=field.line)
    elif uris[0] != secure[0]:
        yield Finding("the https address is not the first", line=field.line)
    elif not _host(secure[0]):
        yield Finding("the https address names no host", line=field.line)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


@error(
    "list-unsubscribe-post",
    "RFC 8058 3.1; Gmail and Yahoo bulk rules",
    f"List-Unsubscribe-Post: {ONE_CLICK}",
    "Gmail, Yahoo, Apple Mail",
)
def one_click_is_offered(galley: Galley) -> Findings:
    """No `List-Unsubscribe-Post: List-Unsubscribe=One-Click`."""
    field = galley.mail.first("List-Unsubscribe-Post")
    if field is None:
        yield Finding("no List-Unsubscribe-Post", line=1)
    elif field.value != ONE_CLICK:
        yield Finding(f"it says {field.value[:60]}", line=field.line)


@warning("list-id", "RFC 2919; deliverability 1", "List-ID: Name <label.domain>")
def the_list_is_named(galley: Galley) -> Findings:
    """No List-ID of the form `Name <label.domain>`."""
    field = galley.mail.first("List-ID")
    if field is None:
        yield Finding("no List-ID", line=1)
    elif LIST_ID.fullmatch(field.value) is None or len(field.value) > 255:
        yield Finding(f"not Name <label.domain>: {field.value[:60]}", line=field.line)


@warning("feedback-id", "deliverability 1 (Gmail)", "Feedback-ID: issue:list:kind:sender", "Gmail")
def feedback_can_be_told_apart(galley: Galley) -> Findings:
    """Feedback-ID is not four parts with a sender of 5 to 15 characters at the end."""
    for field in galley.mail.all("Feedback-ID"):
        parts = field.value.split(":")
        if len(parts) != 4 or not 5 <= len(parts[-1]) <= 15:
            yield Finding(f"Feedback-ID: {field.value[:60]}", line=field.line)


@warning(
    "auto-response",
    "deliverability 1; RFC 3834",
    "X-Auto-Response-Suppress: OOF, AutoReply; Precedence: bulk",
)
def absence_notes_are_kept_away(galley: Galley) -> Findings:
    """Bounces are silenced too, or the letter says a machine wrote it."""
    for field in galley.mail.all("X-Auto-Response-Suppress"):
        if re.search(r"\b(?:All|NDR|DR)\b", field.value, re.IGNORECASE):
            yield Finding(f"{field.name}: {field.value} silences bounces", line=field.line)
    for field in galley.mail.all("Auto-Submitted"):
        if field.value.lower() != "no":
            yield Finding(f"Auto-Submitted: {field.value}", line=field.line)
