"""Where each issue stands: draft, future, ready, scheduled, sent; and what changed since.

Enters: the shelf, the ledger's sends, git's word on the files. Leaves: a Standing per issue. Writes
nothing anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter.delivery.origin import changed_files
from newsletter.delivery.stands import word_on
from newsletter.errors import StoreError
from newsletter.model import Article, DeliveryState, Email, Send, SendState
from newsletter.preview.studio import Studio
from newsletter.shelf import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What the ledger says of an issue's latest send: `accepted` of `recipients`; `due` is when a
    scheduled one leaves, which has no recipients before."""

    state: SendState
    accepted: int
    recipients: int
    at: datetime
    commit: str
    email: Email
    due: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one issue stands. `word` is that of `word_on`;
    `dirty`: the file differs from git's last commit; `changed`: it differs from what was sent."""

    word: str
    sent: Sent | None = None
    dirty: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Standings:
    """Where the issues of a shelf stand, by slug, and why the ledger could not be asked."""

    by_slug: Mapping[str, Standing]
    trouble: StoreError | None = None


def standings(studio: Studio, shelf: Shelf, articles: Iterable[Article]) -> Standings:
    """Where these issues stand now."""
    shown = list(articles)
    try:
        sends, trouble = _sends(studio, {article.slug for article in shown}), None
    except StoreError as error:
        sends, trouble = {}, error
    dirty = changed_files(shelf.letter.root) or frozenset()
    since = _Since(shelf)
    return Standings(
        {
            article.slug: Standing(
                word=_word(article, sends.get(article.slug), shelf.now),
                sent=(sent := sends.get(article.slug)),
                dirty=article.path.as_posix() in dirty,
                changed=sent is not None and since.changed(article, sent),
            )
            for article in shown
        },
        trouble,
    )


def _word(article: Article, sent: Sent | None, now: datetime) -> str:
    return word_on(article, sent.state if sent else None, now)


def _sends(studio: Studio, slugs: set[str]) -> dict[str, Sent]:
    """The latest send of each issue; counting the rows of those shown only."""
    if studio.ledger is None:
        return {}
    found: dict[str, Sent] = {}
    with studio.ledger() as store:
        sends: dict[str, list[Send]] = {}
        for send in store.sends(*slugs if len(slugs) == 1 else ()):
            if send.slug in slugs:
                sends.setdefault(send.slug, []).append(send)
        for slug, its in sends.items():
            accepted = sum(store.progress(send.id)[DeliveryState.ACCEPTED] for send in its)
            last = its[-1]
            found[slug] = Sent(
                state=last.state,
                accepted=accepted,
                recipients=sum(send.recipients for send in its),
                at=last.frozen_at,
                commit="" if last.origin.dirty else last.origin.commit,
                email=last.email,
                due=last.not_before if last.state is SendState.PREPARING else None,
            )
    return found


class _Since:
    """Whether articles were changed since they were sent; git is asked once per commit, and only
    about files that were touched since."""

    def __init__(self, shelf: Shelf) -> None:
        self.root = shelf.letter.root
        self.by_commit: dict[str, frozenset[str] | None] = {}

    def changed(self, article: Article, sent: Sent) -> bool:
        try:
            touched = (self.root / article.path).stat().st_mtime > sent.at.timestamp()
        except OSError:
            return False
        if not touched or not sent.commit:
            return touched
        if sent.commit not in self.by_commit:
            self.by_commit[sent.commit] = changed_files(self.root, sent.commit)
        changed = self.by_commit[sent.commit]
        return touched if changed is None else article.path.as_posix() in changed
