"""One word on where an issue stands, the same on the command line and on the desk.

Enters: an article, the state of its latest send if it has one, and the time. Leaves: a word.
"""

from __future__ import annotations

from datetime import datetime

from newsletter.model import Article, SendState

WORDS = {SendState.PREPARING: "scheduled", SendState.DONE: "sent"}


def word_on(article: Article, state: SendState | None, now: datetime) -> str:
    """draft, future (dated so, and nothing sends it then), ready, or what its latest send is at:
    scheduled, frozen, sending, paused, sent, cancelled."""
    if state is not None:
        return WORDS.get(state, state.value)
    if article.draft:
        return "draft"
    return "future" if article.date and article.date > now else "ready"
