"""smtplib for the first words of a connection, with bounded replies and verified TLS.

A Relay enters, a connection whose greeting was read leaves. It decides nothing: `dial` does.
"""

from __future__ import annotations

import smtplib
import socket
import ssl

from newsletter.errors import LineLost
from newsletter.model import Relay, Reply, Stage
from newsletter.smtp.replies import Limits, ReplyReader, parse_reply

_GREETING = 220
_PLACEHOLDER = "localhost"  # without one smtplib looks its own name up in the DNS
# A host that is not there should not take as long as a relay that thinks.
CONNECT_S = 30.0


def tls_context() -> ssl.SSLContext:
    """Certificates verified, host names checked, TLS 1.2 or newer: smtplib's own default does
    neither. The authorities are the system's; SSL_CERT_FILE names a private one."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Greeter(smtplib.SMTP):
    """smtplib with bounded replies: its own reader takes endless ones, and waits for ever for a
    relay that sends a byte now and then. Constructing it connects and reads the greeting."""

    reader: ReplyReader | None = None
    said: tuple[bytes, ...] = ()

    def __init__(self, relay: Relay, limits: Limits) -> None:
        self.limits = limits
        self.patience_s = relay.timeout_s
        self.ehlo_msg = "lhlo" if relay.kind == "lmtp" else "ehlo"
        self._open(relay)

    def _open(self, relay: Relay) -> None:
        if relay.host.startswith("/"):
            self._open_path(relay)
            return
        connect_s = min(relay.timeout_s, CONNECT_S)
        smtplib.SMTP.__init__(self, relay.host, relay.port, _PLACEHOLDER, timeout=connect_s)

    def _open_path(self, relay: Relay) -> None:
        """Connect to a socket in the file system, as a server of mailboxes has one."""
        smtplib.SMTP.__init__(self, "", 0, _PLACEHOLDER, timeout=relay.timeout_s)
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(relay.timeout_s)
        try:
            self.sock.connect(relay.host)
        except OSError:
            self.close()
            raise
        code, said = self.getreply()
        if code != _GREETING:
            self.close()
            raise smtplib.SMTPConnectError(code, said)

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
        self.reader.wait_at_most(self.patience_s)
        return code, b"\n".join(line[4:].strip() for line in self.said)

    def reply(self, stage: Stage) -> Reply:
        """The last reply, as one of that stage."""
        return parse_reply(stage, self.said)


class TlsGreeter(Greeter, smtplib.SMTP_SSL):
    """The same inside TLS from the first byte (RFC 8314 3.3)."""

    def _open(self, relay: Relay) -> None:
        smtplib.SMTP_SSL.__init__(
            self,
            relay.host,
            relay.port,
            _PLACEHOLDER,
            timeout=min(relay.timeout_s, CONNECT_S),
            context=tls_context(),
        )
