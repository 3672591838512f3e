"""From a Relay to an open Line: connect, EHLO, TLS, EHLO again, AUTH.

A Relay enters, a Line ready for MAIL leaves. Nothing here falls back: TLS that was asked for and
is missing, a certificate that does not fit, a login without TLS all end in RelayRefused. It knows
no mail. `smtplib` speaks these first words, with its reader replaced by a bounded one.
"""

from __future__ import annotations

import base64
import ipaddress
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from newsletter.errors import LineLost, RelayError, RelayRefused, RelayUnavailable
from newsletter.model import Relay, Reply, Stage, Tls
from newsletter.presets import preset_at
from newsletter.smtp.line import Line
from newsletter.smtp.replies import LIMITS, Limits, ReplyReader, parse_reply

_DONE, _PROVEN, _GO_ON, _PERMANENT = 250, 235, 334, 500
_PLACEHOLDER = "localhost"  # smtplib would look its own name up in the DNS; see _own_literal


class _Greeter(smtplib.SMTP):
    """smtplib with bounded replies: its own reader takes endless ones, and waits for ever for a
    relay that sends a byte now and then. Constructing it connects and reads the greeting."""

    reader: ReplyReader | None = None
    said: tuple[bytes, ...] = ()

    def __init__(self, relay: Relay, limits: Limits) -> None:
        self.limits = limits
        self.patience_s = relay.timeout_s
        self._open(relay)

    def _open(self, relay: Relay) -> None:
        smtplib.SMTP.__init__(self, relay.host, relay.port, _PLACEHOLDER, timeout=relay.timeout_s)

    def getreply(self) -> tuple[int, bytes]:
        """As smtplib's, over a reader that is new when TLS began: what came in before the
        handshake is forgotten (RFC 3207 6, CVE-2011-0411)."""
        if self.sock is None:
            raise LineLost("the line is closed", in_doubt=False)
        if self.reader is None or self.reader.sock is not self.sock:
            self.reader = ReplyReader(self.sock, self.limits)
        try:
            self.said = tuple(self.reader.lines(self.patience_s))
            code = parse_reply(Stage.EHLO, self.said).code
        except LineLost:
            self.close()
            raise
        self.sock.settimeout(self.patience_s)
        return code, b"\n".join(line[4:].strip() for line in self.said)

    def reply(self, stage: Stage) -> Reply:
        """The last reply, as one of that stage."""
        return parse_reply(stage, self.said)


class _TlsGreeter(_Greeter, smtplib.SMTP_SSL):
    """The same inside TLS from the first byte (RFC 8314 3.3)."""

    def _open(self, relay: Relay) -> None:
        smtplib.SMTP_SSL.__init__(
            self,
            relay.host,
            relay.port,
            _PLACEHOLDER,
            timeout=relay.timeout_s,
            context=tls_context(),
        )


def tls_context() -> ssl.SSLContext:
    """Certificates verified, host names checked, TLS 1.2 or newer: smtplib's own default does
    neither. The authorities are the system's; SSL_CERT_FILE names a private one."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def dial(relay: Relay, limits: Limits = LIMITS) -> Line:
    """A line to `relay`, protected and logged in as it asks.

    Raises RelayRefused when TLS or the login is refused, or would be unsafe (then before
    connecting), RelayUnavailable when the relay cannot be reached or says to try later.
    """
    refuse_unsafe_relay(relay)
    with _translated(relay):
        greeter = _greeted(relay, limits)
        try:
            _protect(greeter, relay)
            _login(greeter, relay)
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
    """127.0.0.0/8, ::1 or the word localhost; no other name, whatever it resolves to."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _greeted(relay: Relay, limits: Limits) -> _Greeter:
    greeter = (_TlsGreeter if relay.tls is Tls.IMPLICIT else _Greeter)(relay, limits)
    sock = _socket(greeter)
    # Without it Nagle and the relay's delayed ACK cost 40 ms a mail.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    greeter.local_hostname = _own_literal(sock)
    return greeter


def _own_literal(sock: socket.socket) -> str:
    """Our end of the line as an address literal (RFC 5321 4.1.3): no look-up, and no machine's
    name in the Received lines of every reader."""
    address = str(sock.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _protect(greeter: _Greeter, relay: Relay) -> None:
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
        raise _refusal(greeter.reply(Stage.TLS), relay) from None
    _ehlo(greeter, relay)


def _ehlo(greeter: _Greeter, relay: Relay) -> None:
    code, _ = greeter.ehlo()
    if code != _DONE:
        raise _refusal(greeter.reply(Stage.EHLO), relay)


def _login(greeter: _Greeter, relay: Relay) -> None:
    """One try with one mechanism: a second one with the same password locks accounts, which is
    why this is not smtplib's login()."""
    if relay.username is None:
        return
    if relay.password is None:
        raise RelayRefused(
            f"{relay.name}: a username and no password",
            hint=f"set password_env or password_command in [relay.{relay.name}]",
        )
    offered = greeter.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        code = _auth_plain(greeter, relay.username, relay.password)
    elif "LOGIN" in offered:
        code = _auth_login(greeter, relay.username, relay.password)
    else:
        raise RelayRefused(
            f"{relay.name}: {relay.host} offers no login we speak (PLAIN, LOGIN)",
            hint="leave the username out if the relay knows this machine by its address",
        )
    if code != _PROVEN:
        raise _refusal(_redacted(greeter.reply(Stage.AUTH), relay), relay)


def _auth_plain(greeter: _Greeter, username: str, password: str) -> int:
    return greeter.docmd("AUTH", f"PLAIN {_sasl_plain(username, password)}")[0]


def _auth_login(greeter: _Greeter, username: str, password: str) -> int:
    code = greeter.docmd("AUTH", f"LOGIN {_base64(username)}")[0]
    return greeter.docmd(_base64(password))[0] if code == _GO_ON else code


def _sasl_plain(username: str, password: str) -> str:
    return _base64(f"\0{username}\0{password}")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _redacted(reply: Reply, relay: Relay) -> Reply:
    """The reply without the password, in any form we sent it, for a relay that echoes."""
    text = reply.text
    password, username = relay.password or "", relay.username or ""
    for secret in (password, _base64(password), _sasl_plain(username, password)):
        text = text.replace(secret, "***") if secret else text
    return reply._replace(text=text)


def _refusal(reply: Reply, relay: Relay) -> RelayError:
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


def _socket(greeter: _Greeter) -> socket.socket:
    if greeter.sock is None:
        raise LineLost("the line is closed", in_doubt=False)
    return greeter.sock


def _line(greeter: _Greeter, relay: Relay) -> Line:
    if greeter.reader is None:
        raise LineLost("the line is closed", in_doubt=False)
    return Line(greeter.reader, dict(greeter.esmtp_features), timeout_s=relay.timeout_s)


@contextmanager
def _translated(relay: Relay) -> Iterator[None]:
    """Every way a connection fails, in our words. The order matters: SSLError, gaierror and
    SMTPException are all OSErrors."""
    where = f"{relay.name}: {relay.host}:{relay.port}"
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
        raise RelayUnavailable(f"{where}: {reason}", hint=_reach_hint(relay)) from error


def _reach_hint(relay: Relay) -> str:
    if relay.tls is Tls.IMPLICIT:
        return f"is {relay.port} a port with TLS from the first byte? 587 usually wants starttls"
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
    return _refusal(parse_reply(Stage.CONNECT, [line.replace(b"\n", b" ")]), relay)
