"""Text -> quoted-printable lines (RFC 2045 6.7) that can be joined at any cut.

Unicode enters; 7-bit bytes with CRLF leave, 76 columns at most. Every result begins in column 0
and may be followed by `SOFT`, so texts encoded apart and put together with soft line breaks decode
to the texts put together. `binascii.b2a_qp` is not used: it may fill the last line to 76 columns,
where a soft break has no room, and leaves `From ` at the start of a line for an mbox to spoil.
"""

from __future__ import annotations

import re

SOFT = b"=\r\n"
"""A line break that is not there: decoders remove it."""

# Two columns stay free for a first character that has to be quoted, one for the soft break.
_WIDTH = 73
_UNSAFE = re.compile(rb"[^ -<>-~\t]")
# One short line that means itself, as nearly every name and URL is: see _FRAGILE for how it begins.
_is_plain = re.compile(rb"(?!\.|From )[ -<>-~\t]{0,%d}(?<![ \t])" % _WIDTH).fullmatch
_QUOTED = {bytes([octet]): b"=%02X" % octet for octet in range(256)}
# The longest run of at most _WIDTH octets that does not end inside "=XX".
_RUN = re.compile(rb"[^\n]{1,%d}(?<!=)(?<!=[0-9A-F])" % _WIDTH)
# mbox writers change "From "; a dot asks for dot-stuffing, and some relays get it wrong.
_FRAGILE = re.compile(rb"^(?:\.|From )", re.MULTILINE)


def encode(text: str) -> bytes:
    """`text`, whose line ends are LF, CR or CRLF, encoded; ends in a line end only if `text`
    does, and never in a space."""
    octets = text.encode()
    if _is_plain(octets):
        return octets
    lines = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"\r\n".join([_encoded_line(line) for line in lines])


def _encoded_line(line: bytes) -> bytes:
    if _is_plain(line):
        return line
    quoted = _UNSAFE.sub(lambda match: _QUOTED[match[0]], line)
    if quoted.endswith((b" ", b"\t")):
        quoted = quoted[:-1] + _QUOTED[quoted[-1:]]
    rows = b"\n".join(_RUN.findall(quoted))
    return _FRAGILE.sub(_first_quoted, rows).replace(b"\n", SOFT)


def _first_quoted(match: re.Match[bytes]) -> bytes:
    return _QUOTED[match[0][:1]] + match[0][1:]
