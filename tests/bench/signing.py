"""Who signs each mail with DKIM before it is handed over, for `race`.

The keys are made for the day; making one is not timed, reading it is. dkimpy and nodemailer sign
with what their own defaults choose, canonicalised as ours: relaxed header, simple body.
"""

from __future__ import annotations

import smtplib
from base64 import b64encode
from dataclasses import replace
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from newsletter.mime.dkim_keys import load_key, make_key
from newsletter.model import DkimKey, Relay
from tests.bench.contenders import Measured, message, newsletter, nodemailer, stopwatch

DOMAIN = "example.org"
RSA, ED25519 = "rsa", "ed25519"


@cache
def key(algorithm: str) -> DkimKey:
    return DkimKey(domain=DOMAIN, selector=algorithm, pem=make_key(ed25519=algorithm == ED25519))


def signed_newsletter(relay: Relay, mails: int, *algorithms: str) -> Measured:
    """Ours, with a key of each algorithm."""
    return newsletter(replace(relay, dkim=tuple(map(key, algorithms))), mails)


def signed_nodemailer(relay: Relay, mails: int) -> Measured:
    """nodemailer's own DKIM, which knows RSA."""
    dkim = {"domainName": DOMAIN, "keySelector": RSA, "privateKey": key(RSA).pem}
    return nodemailer(relay, mails, {"dkim": dkim})


def signed_standard_library(relay: Relay, mails: int, algorithm: str) -> Measured:
    """smtplib and EmailMessage on one connection, signed by dkimpy."""
    import dkim  # the others race without it

    private = for_dkimpy(key(algorithm))
    selector, domain = algorithm.encode(), DOMAIN.encode()
    with stopwatch(mails) as measured, smtplib.SMTP(relay.host, relay.port, "localhost") as line:
        for number in range(mails):
            content = message(number).as_bytes()
            seal = dkim.sign(
                content, selector, domain, private, signature_algorithm=b"%b-sha256" % selector
            )
            line.sendmail("letters@example.org", [f"p{number}@example.com"], seal + content)
    return measured[0]


def for_dkimpy(key: DkimKey) -> bytes:
    """The private key as dkimpy reads it: PKCS #1 for RSA, the bare seed for Ed25519."""
    private = load_key(key)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return b64encode(private.private_bytes_raw())
    assert isinstance(private, rsa.RSAPrivateKey)
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
