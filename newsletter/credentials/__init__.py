"""The configuration and the environment -> Relays and signing keys, with their secrets.

Secrets come from the environment, a command or a file, never from the configuration
(deliverability 7.32). They are read here, at the moment a connection is wanted.
"""

from newsletter.credentials.relays import (
    default_relay,
    example_left,
    load_pool,
    load_relay,
    load_relay_for,
    named_relay,
    refuse_author,
    relay_names,
)
from newsletter.credentials.signing import signing_domain, signing_keys

__all__ = [
    "default_relay",
    "example_left",
    "load_pool",
    "load_relay",
    "load_relay_for",
    "named_relay",
    "refuse_author",
    "relay_names",
    "signing_domain",
    "signing_keys",
]
