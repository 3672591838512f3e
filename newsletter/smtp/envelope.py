"""The envelope of one mail: MAIL, RCPT and DATA, in one write or step by step.

A Line and a Mail enter, the reply that decides leaves: the first refusal, or the 354 to DATA. It
knows no content and no ledger.
"""

from __future__ import annotations

from newsletter.errors import LineLost
from newsletter.model import Mail, Reply, Stage
from newsletter.smtp.internationalised import original_recipient, parameters
from newsletter.smtp.line import Line

CLOSING = 421
_STAGES = (Stage.MAIL, Stage.RCPT, Stage.DATA)


def commands(line: Line, mail: Mail) -> tuple[str, str, str]:
    """What is said for each stage, without line ends. The gate has looked at the addresses. Raises
    NotOffered when nothing of it may be said on this line."""
    size = f" SIZE={mail.size}" if "size" in line.extensions else ""
    report, recipient = _report_parameters(mail) if line.reports else ("", "")
    if not mail.rcpt_to.isascii():
        size += parameters(line)
    sender = f"MAIL FROM:<{mail.mail_from}>{size}{report}"
    return sender, f"RCPT TO:<{mail.rcpt_to}>{recipient}", "DATA"


def _report_parameters(mail: Mail) -> tuple[str, str]:
    """What asks for a report on failure that names this mail and this reader, and does not carry
    the letter back (RFC 3461 4)."""
    envelope_id = f" RET=HDRS ENVID={xtext(mail.message_id)}"
    address = mail.rcpt_to
    original = f"rfc822;{xtext(address)}" if address.isascii() else original_recipient(address)
    return envelope_id, f" NOTIFY=FAILURE ORCPT={original}"


def xtext(text: str) -> str:
    """ASCII text as a parameter (RFC 3461 4): `+`, `=` and what is no visible character in hex."""
    return "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in text)


def group(line: Line, mail: Mail) -> bytes:
    """The whole envelope as one write (RFC 2920). Raises NotOffered."""
    if line.reports or not mail.rcpt_to.isascii():
        return "\r\n".join((*commands(line, mail), "")).encode()
    size = f" SIZE={mail.size}" if "size" in line.extensions else ""
    return f"MAIL FROM:<{mail.mail_from}>{size}\r\nRCPT TO:<{mail.rcpt_to}>\r\nDATA\r\n".encode()


def say_group(line: Line, mail: Mail) -> None:
    """Send the group by itself: nothing stands before it."""
    envelope = group(line, mail)
    line.asked = True
    line.say(envelope)


def ask_by_steps(line: Line, mail: Mail) -> Reply:
    """The deciding reply, each command waiting for the answer to the one before. Raises
    LineLost."""
    steps = commands(line, mail)
    line.asked = True
    for stage, command in zip(_STAGES, steps, strict=True):
        reply = line.ask(stage, command)
        line.asked = False
        if not reply.positive:
            break
    return reply


def hear_group(line: Line) -> Reply:
    """The deciding reply to a group that was sent: content may follow only when all three agree.
    Raises LineLost when the line dies before any of them refused."""
    whole, refusal = line.reader.held, None
    try:
        for stage in _STAGES:
            reply = line.hear(stage)
            line.asked = False
            refusal = refusal or (None if reply.positive else reply)
            if reply.code == CLOSING:
                line.broken = True
                return refusal or reply
        if refusal is not None and reply.positive:
            _end_at_once(line)
        elif refusal is None and not line.reader.held:
            _remember(line, whole)
    except LineLost:
        if refusal is None:
            raise
        line.broken = True  # a refusal once heard stays true
    return refusal or reply


def _remember(line: Line, heard: bytes) -> None:
    """Know these answers again, if they are one line each and nothing else was heard."""
    lines = heard.split(b"\r\n")
    if len(lines) == len(_STAGES) + 1 and not any(each[3:4] == b"-" for each in lines):
        line.usual = heard


def _end_at_once(line: Line) -> None:
    """End the content that a relay wants although it refused whom it is for: a lone dot, and the
    answer to it means nothing (RFC 2920 3.1)."""
    line.say(b".\r\n")
    line.hear(Stage.DOT)
