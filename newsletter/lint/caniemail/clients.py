"""The mail clients there are, and how many readers use each.

Enters: a Readership. Leaves: Clients with their weights. A family's share goes to its platforms as
SPLIT says, but for those that have a share of their own.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from newsletter.errors import ConfigError
from newsletter.lint.caniemail.facts import Support, facts
from newsletter.model import Readership

# An estimate of November 2026, in percent. It begins with Litmus's count of opens (December 2021:
# Apple 57, Gmail 30, Outlook 4, Yahoo 2.5; quoted for 2026: 47, 25, 4, 2) and corrects what such
# counts cannot see: Apple fetches pictures that nobody looked at, Outlook for Windows shows none,
# and a European list has its own providers. Put your own numbers into [check] clients.
ESTIMATE: Mapping[str, float] = {
    "gmail": 36,
    "apple-mail": 34,
    "outlook": 15,
    "yahoo": 5,
    "samsung-email": 2,
    "gmx": 1.5,
    "aol": 1,
    "thunderbird": 1,
    "web-de": 1,
    "protonmail": 0.7,
    "mail-ru": 0.5,
    "orange": 0.5,
    "t-online-de": 0.5,
    "fastmail": 0.2,
    "free-fr": 0.2,
    "ionos-1and1": 0.2,
    "sfr": 0.2,
    "hey": 0.1,
    "laposte": 0.1,
    "rainloop": 0.1,
    "wp-pl": 0.2,
}
# Parts of a hundred; a family that is not here goes to its platforms in equal parts.
SPLIT: Mapping[str, Mapping[str, float]] = {
    "apple-mail": {"ios": 80, "macos": 20},
    "gmail": {"android": 40, "desktop-webmail": 35, "ios": 22, "mobile-webmail": 3},
    "outlook": {
        "windows": 40,
        "outlook-com": 30,
        "ios": 12,
        "macos": 8,
        "android": 8,
        "windows-mail": 2,
    },
    "yahoo": {"desktop-webmail": 50, "ios": 25, "android": 25},
    "thunderbird": {"windows": 70, "macos": 30},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One mail client: `gmail.ios`, as people call it, the percent of readers that use it, and
    whether it drops `<style>` (composition 0.13)."""

    id: str
    family: str
    name: str
    weight: float
    drops_style: bool


ESTIMATED = Readership()


@lru_cache(maxsize=32)
def clients(readership: Readership = ESTIMATED) -> tuple[Client, ...]:
    """All clients, those with the most readers first. Raises ConfigError for shares that name no
    client or are more than all readers."""
    known = facts()
    weights = _weights(dict(readership.shares) or ESTIMATE)
    style = known.feature("html-style").cells
    found = (
        Client(
            id=name.id,
            family=name.family,
            name=name.said,
            weight=weights.get(name.id, 0.0),
            drops_style=style[name.id].support is Support.NO,
        )
        for name in known.clients.values()
    )
    return tuple(sorted(found, key=lambda client: (-client.weight, client.id)))


def client(name: str) -> Client:
    """The client of that id. Raises ConfigError, with a guess, when there is none."""
    found = next((each for each in clients() if each.id == name), None)
    if found is None:
        raise _no_client(name, facts().clients)
    return found


def _weights(shares: Mapping[str, float]) -> dict[str, float]:
    names = facts().clients
    families: dict[str, list[str]] = {}
    for each in names.values():
        families.setdefault(each.family, []).append(each.id)
    weights = {name: share for name, share in shares.items() if name in names}
    for name in shares.keys() - weights.keys():
        if name not in families:
            raise _no_client(name, (*families, *names))
        rest = [each for each in families[name] if each not in shares]
        weights |= _spread(name, shares[name], rest)
    if sum(shares.values()) > 100.01:
        raise ConfigError(
            f"the shares of [check] clients are {sum(shares.values()):g} % together",
            hint="they are percent of the readers: at most 100 in all",
            code="config.value",
        )
    return weights


def _spread(family: str, share: float, members: list[str]) -> dict[str, float]:
    split = SPLIT.get(family, {})
    parts = {name: split.get(name.partition(".")[2], 0 if split else 1) for name in members}
    whole = sum(parts.values())
    return {name: share * part / whole for name, part in parts.items()} if whole else {}


def _no_client(name: str, known: Iterable[str]) -> ConfigError:
    guesses = difflib.get_close_matches(name, list(known), 1)
    guess = f". Did you mean `{guesses[0]}`?" if guesses else ""
    return ConfigError(
        f"no mail client is called `{name}`{guess}",
        hint="all of them: newsletter clients",
        code="config.value",
    )
