"""Rules on the bytes and the MIME structure (RFC 5321, 5322, 2045, 2046)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.lint.galley import Galley
from newsletter.lint.message import Part, codec
from newsletter.lint.rule import Finding, Findings, error, warning

LONGEST, QUOTED_PRINTABLE = 998, 76
BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
ENCODINGS = ("7bit", "8bit", "binary", "quoted-printable", "base64")
LINE_END = re.compile(rb"\r\n|\r|\n")
# RFC 2045 6.7 (3): a relay may take blanks at the end of a line away.
TRAILING = re.compile(rb"[ \t]+(?=\r\n|\Z)")
BROKEN_QP = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*(?:\r\n|\r|\n|\Z))")


def _every_part(part: Part) -> Iterator[Part]:
    yield part
    for inner in part.parts:
        yield from _every_part(inner)


def _line_of(content: bytes, place: int) -> int:
    return len(LINE_END.findall(content, 0, place)) + 1


@error("line-ends", "RFC 5321 2.3.8; deliverability 0.5", "end every line in CRLF")
def lines_end_in_crlf(galley: Galley) -> Findings:
    """A bare CR or LF: strict relays refuse it, others take it for the end of the mail."""
    bare = list(BARE.finditer(galley.content))
    if bare:
        line = _line_of(galley.content, bare[0].start())
        yield Finding(f"{len(bare):,} line ends are not CRLF", line=line)
    elif galley.content and not galley.content.endswith(b"\r\n"):
        yield Finding("the mail does not end in CRLF", line=_line_of(galley.content, -1))


@error("line-long", "RFC 5321 4.5.3.1.6; RFC 5322 2.1.1", "encode the part as quoted-printable")
def lines_are_not_too_long(galley: Galley) -> Findings:
    """A line of more than 998 octets, which relays cut in two."""
    for number, line in enumerate(LINE_END.split(galley.content), 1):
        if len(line) > LONGEST:
            yield Finding(f"a line of {len(line):,} octets", line=number)


@error("null-octet", "RFC 5322 4.1", "take it out")
def no_null_octets(galley: Galley) -> Findings:
    """NUL or another control octet that no mail may have."""
    for match in re.finditer(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", galley.content):
        line = _line_of(galley.content, match.start())
        yield Finding(f"octet {match[0].hex()}", line=line)


@error("qp-wide", "RFC 2045 6.7 (5)", "break lines at 76 by a soft line break")
def quoted_printable_lines_are_short(galley: Galley) -> Findings:
    """A line of quoted-printable or base64 with more than 76 characters."""
    for part in galley.mail.leaves():
        if part.encoding not in ("quoted-printable", "base64"):
            continue
        for number, line in enumerate(LINE_END.split(part.body), part.line):
            if len(line) > QUOTED_PRINTABLE:
                yield Finding(f"a line of {len(line)} in {part.encoding}", line=number)


@error("qp-broken", "RFC 2045 6.7", "encode `=` as =3D")
def quoted_printable_is_sound(galley: Galley) -> Findings:
    """`=` without two hex digits in quoted-printable."""
    for part in galley.mail.leaves():
        if part.encoding == "quoted-printable" and (match := BROKEN_QP.search(part.body)):
            line = part.line + _line_of(part.body, match.start()) - 1
            yield Finding(f"broken: {part.body[match.start() : match.start() + 3]!r}", line=line)


@error("encoding-unknown", "RFC 2045 6.1", "quoted-printable")
def encodings_are_known(galley: Galley) -> Findings:
    """A Content-Transfer-Encoding that nobody knows, or one that a multipart may not have."""
    for part in _every_part(galley.mail):
        field = part.first("Content-Transfer-Encoding")
        if field is None:
            continue
        if part.encoding not in ENCODINGS:
            yield Finding(f"unknown: {field.value}", line=field.line)
        elif part.kind.startswith("multipart/") and part.encoding not in ENCODINGS[:3]:
            yield Finding(f"a multipart in {part.encoding}", line=field.line)


@error("part-8bit", "RFC 6152; RFC 2045 6.2; deliverability 2", "quoted-printable")
def parts_are_seven_bit(galley: Galley) -> Findings:
    """Octets beyond ASCII on the wire: a relay that re-encodes them breaks the signature."""
    for part in galley.mail.leaves():
        if not part.body.isascii():
            yield Finding(f"{part.kind} is sent as {part.encoding}", line=part.line)


@warning(
    "part-base64",
    "composition 5; SpamAssassin MIME_BASE64_TEXT",
    "quoted-printable: a third shorter for most languages, and readable",
)
def texts_are_not_base64(galley: Galley) -> Findings:
    """A text part in base64."""
    for part in galley.mail.leaves():
        if part.kind.startswith("text/") and part.encoding == "base64":
            yield Finding(f"{part.kind} in base64", line=part.line)


@error("charset-unknown", "RFC 2046 4.1.2", 'Content-Type: text/html; charset="utf-8"')
def charsets_are_known(galley: Galley) -> Findings:
    """A text part in an unknown charset, or in none and not ASCII."""
    for part in galley.mail.leaves():
        if not part.kind.startswith("text/"):
            continue
        if not part.charset:
            yield Finding(f"{part.kind} names no charset", line=part.line)
        elif codec(part.charset) is None:
            yield Finding(f"{part.kind} is in {part.charset}, unknown", line=part.line)
        elif not part.is_legible:
            yield Finding(f"{part.kind} cannot be read as {part.charset}", line=part.line)


@error("boundary-missing", "RFC 2046 5.1.1", "every multipart names a boundary")
def multiparts_have_a_boundary(galley: Galley) -> Findings:
    """A multipart without a boundary, or with one that never appears."""
    for part in _every_part(galley.mail):
        if part.kind.startswith("multipart/") and not part.parts:
            said = part.parameter("boundary")
            yield Finding(
                f"the boundary {said} never appears" if said else "no boundary", line=part.line
            )


@error("boundary-open", "RFC 2046 5.1.1; deliverability 6", "end it in --boundary--")
def multiparts_are_closed(galley: Galley) -> Findings:
    """A multipart without its closing delimiter: what is cut off is lost silently."""
    for part in _every_part(galley.mail):
        if part.parts and not part.closed:
            yield Finding(f"{part.kind} is not closed", line=part.line)


@error("alternative-order", "RFC 2046 5.1.4; composition 6", "text/plain first, text/html last")
def html_comes_last(galley: Galley) -> Findings:
    """The plain text stands after the HTML, so that it is what is shown."""
    for part in _every_part(galley.mail):
        if part.kind != "multipart/alternative":
            continue
        kinds = [next((leaf.kind for leaf in inner.leaves()), "") for inner in part.parts]
        if "text/plain" in kinds and "text/html" in kinds[: kinds.index("text/plain")]:
            yield Finding("text/plain stands after text/html", line=part.line)


@error("alternative-missing", "RFC 2046 5.1.4", "wrap both into multipart/alternative")
def parts_are_alternatives(galley: Galley) -> Findings:
    """Text and HTML are both there and not alternatives, so that both are shown."""
    if galley.text is None or galley.html is None:
        return
    for part in _every_part(galley.mail):
        if part.kind == "multipart/alternative":
            return
    yield Finding(f"text and HTML inside of {galley.mail.kind}", line=galley.mail.line)


@warning("attachment", "deliverability 1", "link to the file on the web")
def nothing_is_attached(galley: Galley) -> Findings:
    """An attachment, which doubles a letter's weight and its chance to be refused."""
    for part in galley.mail.leaves():
        disposition = part.value("Content-Disposition").partition(";")[0].strip().lower()
        if disposition == "attachment":
            yield Finding(f"attached: {part.kind}", line=part.line)


@error("qp-trailing", "RFC 2045 6.7 (3)", "encode the last blank of the line as =20")
def quoted_printable_keeps_blanks(galley: Galley) -> Findings:
    """A blank at the end of a line of quoted-printable: relays take it away, and the signature
    breaks."""
    for part in galley.mail.leaves():
        if part.encoding == "quoted-printable" and (match := TRAILING.search(part.body)):
            line = part.line + len(LINE_END.findall(part.body, 0, match.start()))
            yield Finding(f"in {part.kind}", line=line)


@warning("line-from", "RFC 4155; deliverability 2", "encode the F as =46")
def no_line_begins_a_mailbox(galley: Galley) -> Findings:
    """A line of the body that begins with "From ", before which old programs put a >, and the
    signature breaks."""
    for part in galley.mail.leaves():
        match = re.search(rb"(?m)^From ", part.body)
        if match and part.encoding != "base64":
            line = part.line + len(LINE_END.findall(part.body, 0, match.start()))
            yield Finding(f"in {part.kind}", line=line)


@warning("parameter-encoded", "RFC 2231 4; RFC 2047 5", "write  filename*=utf-8''na%C3%AFve.pdf")
def parameters_are_not_encoded_words(galley: Galley) -> Findings:
    """An encoded-word in a parameter, such as the name of a file, which programs show as it is."""
    for part in _every_part(galley.mail):
        for name in ("Content-Disposition", "Content-Type"):
            for field in part.all(name):
                if re.search(r'=\s*"?=\?', field.value.partition(";")[2]):
                    yield Finding(f"in {field.name}", line=field.line)
