"""[dkim] and the environment -> the keys that mail is signed with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from newsletter.config import Config
from newsletter.credentials.sources import Source
from newsletter.model import DkimKey


def signing_keys(config: Config, environ: Mapping[str, str]) -> tuple[DkimKey, ...]:
    """The keys of [dkim], none when nothing is signed. Raises ConfigError for a key that cannot
    be had, or that others on this machine can read."""
    domain = signing_domain(config)
    return tuple(
        DkimKey(domain=domain, selector=selector, pem=source.read(environ) or "")
        for selector, source in _places(config)
    )


def signing_domain(config: Config) -> str:
    """The domain that signs: that of [dkim], or From's."""
    return config.tables.dkim.domain or config.letter().sender.domain.lower()


def _places(config: Config) -> Iterator[tuple[str, Source]]:
    for selector, place in config.tables.dkim.places():
        yield (
            selector,
            Source(
                owner=f"the DKIM selector `{selector}`",
                what="the private key",
                variable=place.variable,
                path=config.root / Path(place.path).expanduser() if place.path else None,
                command=place.command,
                own_file=True,
            ),
        )
