"""The header of a mail, field by field, in the order of the model message (deliverability 1).

Values of the publication and of one recipient enter; finished field lines leave, each through the
one gate `header`. `email.message` is not used: it encodes List-Unsubscribe until no mail program
finds the link (deliverability 0.1). No clock, no locale, no host name is known here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit, urlunsplit

from newsletter.errors import MailRefused
from newsletter.mime.words import LINE, display_name, one_line, phrase, unstructured
from newsletter.model import InlinePicture, Letter, Mailbox, Recipient

LINE_LIMIT = 998  # RFC 5322 2.1.1, without CRLF
_ROOM = LINE + len("\r\n")

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}")
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,255}")
_MESSAGE_ID = re.compile(r"[!#-;=?A-Z^-~]+@[!#-;=?A-Z^-~]+")
_URI = re.compile(r"(?:https?://|mailto:)[!#-;=?-~]+")
_LIST_ID = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]")
_SUBJECT_SPACES = re.compile(r" {2,}")

# What most readers' four fields are: finished as they stand, nothing in them for `header` to find.
_PLAIN = re.compile(
    r"To: [A-Za-z0-9!#$%&'*+/^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/^_`{|}~-]+)* "
    r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,255}>\r\n"
    r"(?:Subject: (?!.*=\?)[!-~]+(?: [!-~]+)*\r\n)?"
    r"Message-ID: <[!#-;=?A-Z^-~]{1,200}@[!#-;=?A-Z^-~]{1,250}>\r\n"
    r"List-Unsubscribe: <https://[!#-;=?-~]{1,900}>,\r\n <mailto:[!#-;=?-~]{1,900}>\r\n"
)

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def header(name: str, *lines: str) -> bytes:
    """One header field with its final CRLF, folded between `lines`. The only place where a field
    is made. Raises MailRefused for anything that could end the field early, or that is empty."""
    if _NAME.fullmatch(name) is None:
        raise MailRefused("a header field's name must be letters, digits and hyphens")
    for line in lines:
        if not (line.isascii() and line.isprintable() and line.strip(" ")):
            raise MailRefused(
                f"the {name} field is empty or has characters that no header may have"
            )
    field = f"{name}: " + "\r\n ".join(lines) + "\r\n"
    if len(field) > LINE_LIMIT and max(map(len, field.split("\r\n"))) > LINE_LIMIT:
        raise MailRefused(f"the {name} field has a line of more than {LINE_LIMIT} characters")
    return field.encode("ascii")


def plain_fields(recipient: Recipient, subject: str | None) -> tuple[bytes, ...]:
    """What is one reader's own, in a third of the time: `To`, `Subject` (empty for None),
    `Message-ID` and the `List-Unsubscribe` fields, each as the functions below write it; nothing
    when one of them is not plain."""
    address, name, message_id, _, url, mailto, _ = recipient
    to = f"To: {name} <{address}>\r\n"
    about = "" if subject is None else f"Subject: {subject}\r\n"
    named = f"Message-ID: <{message_id}>\r\n"
    leave = f"List-Unsubscribe: <{url}>,\r\n <{mailto}>\r\n"
    if len(to) > _ROOM or len(about) > _ROOM or not _PLAIN.fullmatch(to + about + named + leave):
        return ()
    return to.encode(), about.encode(), named.encode(), leave.encode() + _ONE_CLICK


def mailbox_field(name: str, mailbox: Mailbox) -> bytes:
    """`From`, `To` or `Reply-To` with exactly one address (deliverability 7.33)."""
    address = checked_address(mailbox.address)
    shown = display_name(mailbox.name)
    if not shown:
        return header(name, address)
    lines = phrase(shown, len(name) + 2)
    column = 1 if len(lines) > 1 else len(name) + 2
    if column + len(lines[-1]) + len(address) + 3 > LINE:
        return header(name, *lines, f"<{address}>")
    return header(name, *lines[:-1], f"{lines[-1]} <{address}>")


def subject_field(subject: str) -> bytes:
    """`Subject`, on one line in meaning however it is folded; runs of spaces become one, since
    servers and programs do not agree on them across folds."""
    text = _SUBJECT_SPACES.sub(" ", one_line(subject)).strip(" ")
    return header("Subject", *unstructured(text, len("Subject: ")))


def date_field(date: datetime) -> bytes:
    """`Date` in UTC and in English whatever the locale (RFC 5322 3.3)."""
    if date.utcoffset() is None:
        raise ValueError("a mail's date must be aware: RFC 5322 has no local time")
    utc = date.astimezone(UTC)
    day = f"{_DAYS[utc.weekday()]}, {utc.day:02d} {_MONTHS[utc.month - 1]} {utc.year:04d}"
    return header("Date", f"{day} {utc:%H:%M:%S} +0000")


def message_id_field(message_id: str) -> bytes:
    if _MESSAGE_ID.fullmatch(message_id) is None:
        raise MailRefused("the Message-ID is not of the form left@right (RFC 5322 3.6.4)")
    return header("Message-ID", f"<{message_id}>")


def unsubscribe_fields(url: str, mailto: str) -> bytes:
    """`List-Unsubscribe`, https first, and its one-click partner (RFC 2369 3.2, RFC 8058 3.1).
    Folded only between the two URIs, never encoded. `mailto` may be empty."""
    if not url.startswith("https://"):
        raise MailRefused(
            "the unsubscribe link does not begin with https://",
            hint="RFC 8058 3.1 asks for it: base_url must be an https address",
        )
    uris = [f"<{ascii_uri(url)}>"]
    if mailto:
        uris = [f"{uris[0]},", f"<{ascii_uri(mailto)}>"]
    return header("List-Unsubscribe", *uris) + _ONE_CLICK


_ONE_CLICK = header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")


def list_id_field(letter: Letter) -> bytes:
    """`List-ID`, the same for the life of the list (RFC 2919 3)."""
    list_id = ascii_domain(letter.list_id)
    if _LIST_ID.fullmatch(list_id) is None:
        raise MailRefused("the list_id is not of the form label.domain (RFC 2919 2)")
    name = display_name(letter.name)
    lines = [*phrase(name, len("List-ID: ")), f"<{list_id}>"] if name else [f"<{list_id}>"]
    joined = " ".join(lines)
    return header("List-ID", *([joined] if len("List-ID: " + joined) <= LINE else lines))


def archive_fields(letter: Letter) -> bytes:
    """`List-Archive` and `List-Post`: where to read, and that nobody else writes (RFC 2369)."""
    archive = ascii_uri(f"{letter.base_url}/")
    return header("List-Archive", f"<{archive}>") + header("List-Post", "NO")


def feedback_id_field(slug: str, letter: Letter) -> bytes:
    """`Feedback-ID`: issue, list, kind, sender; the same for every reader. Google wants the
    sender last, with 5 to 15 characters."""
    issue = re.sub(r"[^A-Za-z0-9-]+", "-", slug).strip("-")[:30] or "issue"
    label = re.sub(r"[^a-z0-9-]+", "-", letter.list_id.partition(".")[0].lower())[:20] or "list"
    sender = re.sub(r"[^a-z0-9]", "", ascii_domain(letter.sender.domain))[-15:].rjust(5, "0")
    return header("Feedback-ID", f"{issue}:{label}:newsletter:{sender}")


def bulk_fields() -> bytes:
    """What keeps absence notes away. Never `All` or `NDR`: that would silence bounces too."""
    suppress = header("X-Auto-Response-Suppress", "OOF, AutoReply")
    return header("Precedence", "bulk") + suppress


def related_field(boundary: str) -> bytes:
    """The `Content-Type` of the HTML with its pictures (RFC 2387 3.1)."""
    return header("Content-Type", 'multipart/related; type="text/html";', f'boundary="{boundary}"')


def picture_fields(picture: InlinePicture) -> bytes:
    """The header of a picture's part (RFC 2183 2.1, RFC 2392). Outlook asks for `name`."""
    name = _FILE_NAME.sub("-", picture.name)
    if _MESSAGE_ID.fullmatch(picture.cid) is None:
        raise MailRefused("a picture's Content-ID is not of the form left@right (RFC 2392)")
    return (
        header("Content-Type", f"{picture.media_type};", f'name="{name}"')
        + header("Content-Transfer-Encoding", "base64")
        + header("Content-ID", f"<{picture.cid}>")
        + header("Content-Disposition", "inline;", f'filename="{name}"')
    )


def structure_fields(boundary: str) -> bytes:
    """`MIME-Version` and the `Content-Type` of the whole mail (RFC 2046 5.1.4)."""
    alternative = f'multipart/alternative; boundary="{boundary}"'
    return header("MIME-Version", "1.0") + header("Content-Type", alternative)


def checked_address(address: str) -> str:
    """`address` in ASCII with an A-label domain, a dot-atom before the @. Raises MailRefused
    without repeating it."""
    if not address.isascii():
        local, _, domain = address.rpartition("@")
        address = f"{local}@{ascii_domain(domain)}"
    if _ADDRESS.fullmatch(address) is None:
        raise MailRefused(
            "an address is not of the form local@domain in ASCII", code="mail.address"
        )
    return address


def ascii_domain(domain: str) -> str:
    """The domain in lower case as A-labels (IDNA 2008, UTS 46)."""
    if domain.isascii():
        return domain.lower()
    import idna  # noqa: PLC0415

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise MailRefused("a domain name has no ASCII form (IDNA 2008)") from None


def ascii_uri(uri: str) -> str:
    """`uri` without a character that a header would have to encode: the host as A-labels, the
    rest percent-encoded (RFC 3987 3.1)."""
    if not uri.isascii():
        parts = urlsplit(uri)
        host = ascii_domain(parts.netloc) if parts.netloc else ""
        rest = (quote(part, safe="/%:@?&=+,;~!$'()*") for part in parts[2:])
        uri = urlunsplit((parts.scheme, host, *rest))
    if _URI.fullmatch(uri) is None:
        raise MailRefused("a link for the List- fields is not an absolute http or mailto URI")
    return uri
