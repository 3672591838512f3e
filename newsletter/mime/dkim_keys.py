"""DKIM key pairs: made, read, and what the DNS is to say of them.

PEM enters and leaves as text. The extra `dkim` is wanted here and nowhere else.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from newsletter.errors import ConfigError
from newsletter.model import DkimKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    PrivateKey = RSAPrivateKey | Ed25519PrivateKey

RSA_BITS = 2048
# Verifiers must not take fewer (RFC 8301 3.2).
FEWEST_BITS = 1024
_STRING = 255  # octets of one character-string in a TXT record (RFC 1035 3.3)


def make_key(*, ed25519: bool) -> str:
    """A new private key as PKCS #8 PEM: RSA-2048, which every verifier knows, or Ed25519."""
    _wanted()
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ed25519 as edwards  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    private: PrivateKey
    if ed25519:
        private = edwards.Ed25519PrivateKey.generate()
    else:
        private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode("ascii")


def load_key(key: DkimKey) -> PrivateKey:
    """The private key itself; 40 ms for RSA. Raises ConfigError, which repeats nothing of it."""
    _wanted()
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa  # noqa: PLC0415

    try:
        private = serialization.load_pem_private_key(key.pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unusable(key, "is no private key in PEM without a passphrase") from None
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private
    if not isinstance(private, rsa.RSAPrivateKey):
        raise _unusable(key, "is neither RSA nor Ed25519")
    if private.key_size < FEWEST_BITS:
        raise _unusable(key, f"has {private.key_size} bits; verifiers want {RSA_BITS}")
    return private


def signed_with(private: PrivateKey) -> tuple[str, Callable[[bytes], bytes]]:
    """The name of the key's algorithm, and what signs octets with it. Both always sign the same
    octets alike (RFC 8017 8.2, RFC 8032 5.1.6)."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ed25519, padding  # noqa: PLC0415

    if isinstance(private, ed25519.Ed25519PrivateKey):
        edwards = private  # it signs the digest (RFC 8463 3)
        return "ed25519-sha256", lambda octets: edwards.sign(sha256(octets).digest())
    rsa, scheme, digest = private, padding.PKCS1v15(), hashes.SHA256()
    return "rsa-sha256", lambda octets: rsa.sign(octets, scheme, digest)


def dns_name(key: DkimKey) -> str:
    """Where the record stands (RFC 6376 3.6.2.1)."""
    return f"{key.selector}._domainkey.{key.domain}"


def dns_record(key: DkimKey) -> str:
    """The text of the TXT record that publishes the key's other half (RFC 6376 3.6.1)."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415

    private = load_key(key)
    public = private.public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        raw = public.public_bytes_raw()  # RFC 8463 4: the key alone, without ASN.1
        return f"v=DKIM1; k=ed25519; p={b64encode(raw).decode()}"
    info = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return f"v=DKIM1; k=rsa; p={b64encode(info).decode()}"


def strings(record: str) -> Iterator[str]:
    """The record cut into the strings that a TXT record holds, each of at most 255 characters;
    they are read as one (RFC 6376 3.6.2.2)."""
    for at in range(0, len(record), _STRING):
        yield record[at : at + _STRING]


def _wanted() -> None:
    try:
        import cryptography  # noqa: F401, PLC0415
    except ImportError:
        raise ConfigError(
            "signing wants the package cryptography, which is not installed",
            hint="pip install 'newsletter[dkim]', or leave [dkim] out: most relays sign by "
            "themselves",
            code="config.extra",
        ) from None


def _unusable(key: DkimKey, fault: str) -> ConfigError:
    return ConfigError(
        f"the key of the DKIM selector `{key.selector}` {fault}",
        hint="make one: newsletter dkim keygen",
        code="config.secret",
    )
