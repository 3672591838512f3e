"""AUTH, inside TLS, tried once (RFC 4954).

A connection and a Relay with credentials enter; it returns logged in, or raises. No password is
in anything it raises.
"""

from __future__ import annotations

import base64

from newsletter.errors import RelayRefused
from newsletter.model import Relay, Reply, Stage
from newsletter.smtp.greeter import Greeter
from newsletter.smtp.refusals import refusal

_PROVEN, _GO_ON = 235, 334


def log_in(greeter: Greeter, relay: Relay) -> None:
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
        raise refusal(_redacted(greeter.reply(Stage.AUTH), relay), relay)


def _auth_plain(greeter: Greeter, username: str, password: str) -> int:
    return greeter.docmd("AUTH", f"PLAIN {_sasl_plain(username, password)}")[0]


def _auth_login(greeter: Greeter, username: str, password: str) -> int:
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
