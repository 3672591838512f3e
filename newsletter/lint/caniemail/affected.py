"""Who suffers from a use: the clients, and how many percent of the readers have them.

Enters: a Use and a Readership. Leaves: an Affected. A client that never meets the use does not
count: one that drops `<style>` has no trouble with what stands in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from newsletter.lint.caniemail.clients import Client, clients
from newsletter.lint.caniemail.facts import Cell, Feature, Support, facts
from newsletter.lint.caniemail.notes import CONCERNS
from newsletter.lint.caniemail.uses import Use, Where
from newsletter.model import Readership

# The part of an app's readers who read the mailbox of another provider in it; an estimate.
GUESTS = 0.1
# The part that counts when caniemail gives no reason for its "almost", or one that is new.
UNEXPLAINED = 0.5
WORD = ("outlook.windows", "outlook.windows-mail")
MOST_NAMES = 4


@dataclass(frozen=True, slots=True)
class Affected:
    """`share` is in percent of all readers; `names` are of clients, the most used first."""

    share: float
    names: tuple[str, ...]

    @property
    def said(self) -> str:
        """`Outlook (Windows), GMX and 2 more`."""
        shown = self.names[:MOST_NAMES]
        rest = len(self.names) - len(shown)
        return ", ".join(shown) + (f" and {rest} more" if rest else "")


def affected(use: Use, readership: Readership) -> Affected:
    """Who suffers from the use."""
    feature = facts().feature(use.slug)
    suffer = [
        (client, client.weight * part)
        for client in clients(readership)
        if client.weight and _meets(client, use)
        if (part := _part(feature.cells[client.id], feature, use))
    ]
    suffer.sort(key=lambda pair: -pair[1])
    everyone = clients(readership)
    return Affected(
        sum(share for _, share in suffer), tuple(_names([c for c, _ in suffer], everyone))
    )


def _meets(client: Client, use: Use) -> bool:
    """Whether the client gets to see the use at all."""
    if use.where is Where.MSO:
        return client.id in WORD
    if use.where is Where.BODY:
        return True
    if use.where is Where.MEDIA and _support("css-at-media", client) is Support.NO:
        return False
    return not client.drops_style


def _support(slug: str, client: Client) -> Support:
    return facts().feature(slug).cells[client.id].support


def _part(cell: Cell, feature: Feature, use: Use) -> float:
    """The part of the client's readers whom the use fails: from 0 to 1."""
    if cell.support is Support.NO:
        known = CONCERNS.get(use.slug, {})
        decided = [known[note](use) for note in cell.notes if note in known]
        return 0.0 if decided and not any(decided) else 1.0
    if cell.support is not Support.PARTLY:
        return 0.0
    return max((_by_note(note, feature, use) for note in cell.notes), default=UNEXPLAINED)


def _by_note(note: int, feature: Feature, use: Use) -> float:
    concerns = CONCERNS.get(use.slug, {}).get(note)
    if concerns is not None and not concerns(use):
        return 0.0
    if note in feature.guests:
        return GUESTS
    if note in feature.guests_only:
        return 1 - GUESTS
    return UNEXPLAINED if concerns is None else 1.0


def _names(suffer: list[Client], everyone: Iterable[Client]) -> Iterator[str]:
    """The clients; a family by its own name when all that is used of it suffers."""
    whole: dict[str, int] = {}
    for client in everyone:
        whole[client.family] = whole.get(client.family, 0) + bool(client.weight)
    said: set[str] = set()
    for client in suffer:
        family = [each for each in suffer if each.family == client.family]
        name = (
            client.name.partition(" (")[0] if len(family) == whole[client.family] else client.name
        )
        if name not in said:
            said.add(name)
            yield name
