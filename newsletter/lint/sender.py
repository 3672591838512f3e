"""Rules on who a mail says it is from, and on what it gives away."""

from __future__ import annotations

import re
import unicodedata

from newsletter.lint.galley import Galley
from newsletter.lint.rule import Finding, Findings, error, warning

FREEMAIL = frozenset(
    [
        *("gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "ymail.com", "aol.com"),
        *("outlook.com", "hotmail.com", "live.com", "msn.com", "icloud.com", "me.com", "mac.com"),
        *("gmx.de", "gmx.net", "web.de", "t-online.de", "mail.ru", "yandex.ru", "proton.me"),
        *("protonmail.com", "orange.fr", "free.fr", "laposte.net", "libero.it", "qq.com"),
    ]
)
ADDRESS = re.compile(r"([^\s<>@,;\"]+)@([\w.-]+)")
# They turn, hide or end what a name seems to say (deliverability 7.44).
DECEIVING = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
LOOKALIKES = ("LATIN", "CYRILLIC", "GREEK")
TELLTALE = re.compile(
    r"x-mailer|user-agent|x-php-.*|x-originating-.*|x-source.*|x-authenticated-.*"
)
LIST_FIELDS = ("List-Archive", "List-Help", "List-Owner", "List-Post", "List-Subscribe")
URIS = re.compile(r"\s*<[a-zA-Z][\w+.-]*:[^<>\s]+>(?:\s*,\s*<[a-zA-Z][\w+.-]*:[^<>\s]+>)*\s*")
COMMENT = re.compile(r"\([^()]*\)")
IN_BASE64 = re.compile(r"=\?[^?\s]+\?[bB]\?[^?\s]*\?=")


@warning(
    "from-freemail",
    "Gmail sender guidelines 2024; DMARC of yahoo.com, aol.com: reject",
    "send from a domain of your own, and put this address into reply_to",
    "all",
)
def the_sender_has_a_domain(galley: Galley) -> Findings:
    """From is at a mailbox provider, whose domain lets no other relay than its own send."""
    match = ADDRESS.search(galley.mail.value("From"))
    if match and match[2].lower() in FREEMAIL:
        yield Finding(f"From is at {match[2].lower()}", about=("from =",))


@warning(
    "name-deceives",
    "deliverability 7.44; Unicode UTS 39",
    "write the name in one alphabet, without marks of direction",
)
def names_do_not_deceive(galley: Galley) -> Findings:
    """A sender's name of mixed alphabets, or with characters that hide or turn it."""
    for name in ("From", "Reply-To", "List-ID"):
        for field in galley.mail.all(name):
            said = field.text.partition("<")[0]
            scripts = {_script(letter) for letter in said if letter.isalpha()} & {*LOOKALIKES}
            if DECEIVING.search(said) or len(scripts) > 1:
                yield Finding(f"{field.name}: {said.strip()!a}", line=field.line)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


@warning("message-id-reader", "deliverability 2", "make it of a hash: it is passed on and quoted")
def message_ids_name_nobody(galley: Galley) -> Findings:
    """The Message-ID holds the reader's address, and every answer carries it on."""
    match = ADDRESS.search(galley.mail.value("To"))
    for field in galley.mail.all("Message-ID"):
        said = field.value.lower()
        if match and len(match[1]) > 2 and match[1].lower() in said and match[2].lower() in said:
            yield Finding("the reader's address is in it", line=field.line)


@warning("header-telltale", "deliverability 1", "drop it: it names programs, users or machines")
def headers_tell_no_tales(galley: Galley) -> Findings:
    """A field that names the program, its version, or who started it."""
    for field in galley.mail.fields:
        if TELLTALE.fullmatch(field.key):
            yield Finding(f"{field.name}: {field.value[:40]}", line=field.line)


@warning("sender-same", "RFC 5322 3.6.2", "leave Sender out")
def sender_says_something(galley: Galley) -> Findings:
    """A Sender field that says what From says: some clients then show "on behalf of"."""
    for field in galley.mail.all("Sender"):
        if field.value.strip().lower() == galley.mail.value("From").strip().lower():
            yield Finding("Sender is From again", line=field.line)


@error("list-form", "RFC 2369 2", "write  <https://...>  or, of List-Post, NO")
def list_fields_hold_addresses(galley: Galley) -> Findings:
    """A List- field that is not addresses in angle brackets, parted by commas."""
    for name in LIST_FIELDS:
        for field in galley.mail.all(name):
            said = COMMENT.sub("", field.value)
            if not URIS.fullmatch(said) and not (name == "List-Post" and said.strip() == "NO"):
                yield Finding(f"{field.name}: {field.value[:60]}", line=field.line)


@warning(
    "header-base64", "rspamd SUBJ_EXCESS_BASE64, FROM_EXCESS_BASE64 (1.5)", "leave it as it is"
)
def ascii_is_not_encoded(galley: Galley) -> Findings:
    """Plain ASCII in base64, as spam hides its words."""
    for name in ("Subject", "From", "To", "Reply-To"):
        for field in galley.mail.all(name):
            if IN_BASE64.search(field.value) and field.text.isascii():
                yield Finding(f"{field.name} is ASCII in base64", line=field.line)
