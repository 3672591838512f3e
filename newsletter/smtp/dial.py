"""From a Relay to an open Line: connect, EHLO, TLS, EHLO again, AUTH.

A Relay enters, a Line ready for MAIL leaves. Nothing here falls back: TLS that was asked for and
is missing, a certificate that does not fit, a login without TLS all end in RelayRefused. It knows
no mail. `smtplib` speaks these first words, with its reader replaced by a bounded one.
"""

from __future__ import annotations

import ipaddress
import smtplib
import socket

from newsletter.errors import LineLost, RelayRefused
from newsletter.model import Relay, Stage, Tls
from newsletter.smtp.greeter import Greeter, TlsGreeter, tls_context
from newsletter.smtp.line import Line
from newsletter.smtp.login import log_in
from newsletter.smtp.refusals import refusal, translated
from newsletter.smtp.replies import LIMITS, Limits

_DONE = 250


def dial(relay: Relay, limits: Limits = LIMITS) -> Line:
    """A line to `relay`, protected and logged in as it asks.

    Raises RelayRefused when TLS or the login is refused, or would be unsafe (then before
    connecting), RelayUnavailable when the relay cannot be reached or says to try later.
    """
    refuse_unsafe_relay(relay)
    with translated(relay):
        greeter = _greeted(relay, limits)
        try:
            _protect(greeter, relay)
            log_in(greeter, relay)
            return _line(greeter, relay)
        except BaseException:
            greeter.close()
            raise


def refuse_unsafe_relay(relay: Relay) -> None:
    """Nothing, when what `relay` asks for is safe; RelayRefused when it would send mail beyond
    this machine, or a password anywhere, in clear (RFC 4954 4, RFC 8314 3)."""
    if relay.tls is not Tls.NONE:
        return
    if not _is_loopback(relay.host):
        raise RelayRefused(
            f"{relay.name}: mail to {relay.host} would cross the network in clear",
            hint=f'set tls = "starttls" or "implicit" in [relay.{relay.name}]; only a relay on '
            "this machine may do without",
        )
    if relay.username is not None:
        raise RelayRefused(
            f"{relay.name}: the login would be sent in clear",
            hint=f"set tls in [relay.{relay.name}], or leave the username out",
        )


def _is_loopback(host: str) -> bool:
    """127.0.0.0/8, ::1, the word localhost or a path; no other name, whatever it resolves to."""
    if host.lower() == "localhost" or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _greeted(relay: Relay, limits: Limits) -> Greeter:
    greeter = (TlsGreeter if relay.tls is Tls.IMPLICIT else Greeter)(relay, limits)
    sock = _socket(greeter)
    if not relay.host.startswith("/"):
        # Without it Nagle and the relay's delayed ACK cost 40 ms a mail.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        greeter.local_hostname = _own_literal(sock)
    return greeter


def _own_literal(sock: socket.socket) -> str:
    """Our end of the line as an address literal (RFC 5321 4.1.3): no look-up, and no machine's
    name in the Received lines of every reader."""
    address = str(sock.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _protect(greeter: Greeter, relay: Relay) -> None:
    _ehlo(greeter, relay)
    if relay.tls is not Tls.STARTTLS:
        return
    if not greeter.has_extn("starttls"):
        raise RelayRefused(
            f"{relay.name}: {relay.host} offers no STARTTLS",
            hint="nothing was sent: somebody on the way may have removed it, or the port is wrong "
            '(465 wants tls = "implicit")',
        )
    try:
        greeter.starttls(context=tls_context())  # forgets the first EHLO's list (RFC 3207 4.2)
    except smtplib.SMTPResponseException:
        raise refusal(greeter.reply(Stage.TLS), relay) from None
    _ehlo(greeter, relay)


def _ehlo(greeter: Greeter, relay: Relay) -> None:
    code, _ = greeter.ehlo()
    if code != _DONE:
        raise refusal(greeter.reply(Stage.EHLO), relay)


def _socket(greeter: Greeter) -> socket.socket:
    if greeter.sock is None:
        raise LineLost("the line is closed", in_doubt=False)
    return greeter.sock


def _line(greeter: Greeter, relay: Relay) -> Line:
    if greeter.reader is None:
        raise LineLost("the line is closed", in_doubt=False)
    features = dict(greeter.esmtp_features)
    return Line(greeter.reader, features, timeout_s=relay.timeout_s, reports=relay.reports)
