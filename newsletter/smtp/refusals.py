"""Every way a connection fails, in our words and with the next thing to do.

Foreign exceptions and unwelcome replies enter; RelayRefused (ours to mend) or RelayUnavailable
(try later) leave.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from newsletter.errors import LineLost, RelayError, RelayRefused, RelayUnavailable
from newsletter.model import Relay, Reply, Stage, Tls
from newsletter.presets import preset_at
from newsletter.smtp.replies import parse_reply

_PERMANENT = 500


def refusal(reply: Reply, relay: Relay) -> RelayError:
    """4yz: try later; 5yz: ours to mend, with what this relay is known to want as a login."""
    said = " ".join(part for part in (str(reply.code), reply.status, reply.text) if part)
    message = f"{relay.name} answered {said}"
    if reply.code < _PERMANENT:
        return RelayUnavailable(message, hint=f"at {reply.stage.upper()}; try again later")
    if reply.stage is not Stage.AUTH:
        return RelayRefused(message, hint=f"at {reply.stage.upper()}; nothing was sent")
    preset = preset_at(relay.host)
    known = preset.login if preset is not None and preset.login else ""
    return RelayRefused(message, hint=known or f"check the credentials of [relay.{relay.name}]")


@contextmanager
def translated(relay: Relay) -> Iterator[None]:
    """Every way a connection fails, in our words. The order matters: SSLError, gaierror and
    SMTPException are all OSErrors."""
    where = f"{relay.name}: {relay.place}"
    try:
        yield
    except LineLost as lost:
        raise RelayUnavailable(f"{where}: {lost.message}", hint=_reach_hint(relay)) from lost
    except smtplib.SMTPConnectError as error:
        raise _greeting_refusal(error, relay) from None
    except smtplib.SMTPException as error:
        raise RelayUnavailable(f"{where}: the line broke", hint=_reach_hint(relay)) from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        raise RelayUnavailable(f"{where}: hung up during the TLS handshake") from error
    except ssl.SSLError as error:
        raise _tls_refusal(error, where) from error
    except socket.gaierror as error:
        raise RelayUnavailable(
            f"{where}: no such host ({error.strerror})",
            hint=f"check host in [relay.{relay.name}], and that this machine is on the network",
        ) from error
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        refused = isinstance(error, ConnectionRefusedError)
        hint = _nobody_there(relay) if refused else _reach_hint(relay)
        raise RelayUnavailable(f"{where}: {reason}", hint=hint) from error


def _reach_hint(relay: Relay) -> str:
    if relay.tls is Tls.IMPLICIT:
        return f"is {relay.port} a port with TLS from the first byte? 587 usually wants starttls"
    return _nobody_there(relay)


def _nobody_there(relay: Relay) -> str:
    if relay.host.startswith("/"):
        return "is the server of mailboxes running, and may you write to that socket?"
    return f"is a relay listening on port {relay.port}, and does a firewall let mail out?"


def _tls_refusal(error: ssl.SSLError, where: str) -> RelayRefused:
    if isinstance(error, ssl.SSLCertVerificationError):
        return RelayRefused(
            f"{where}: its certificate is not valid here: {error.verify_message}",
            hint="nothing was sent; check host, or name a private authority in SSL_CERT_FILE",
        )
    return RelayRefused(
        f"{where}: TLS failed: {(error.reason or 'handshake').replace('_', ' ').lower()}",
        hint='nothing was sent; port 465 wants tls = "implicit", 587 wants tls = "starttls"',
    )


def _greeting_refusal(error: smtplib.SMTPConnectError, relay: Relay) -> RelayError:
    """A greeting other than 220: 421 is "later", 554 and 521 are "never" (RFC 5321 3.1)."""
    text = error.smtp_error
    line = b"%d %b" % (error.smtp_code, text if isinstance(text, bytes) else text.encode())
    return refusal(parse_reply(Stage.CONNECT, [line.replace(b"\n", b" ")]), relay)
