"""Publishing: the Email and its audience, frozen in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.errors import SendRefused
from newsletter.model import DeliveryState, Email, Letterhead, Origin, Send, SendState
from newsletter.slots import plain_subject
from newsletter.store import Audience, NewSend, Store

UNDELIVERED = (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.DEFERRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What one person asked to be sent: the Email, whence it came, by which relay, to whom, to
    how many they agreed (None: to however many there are), how many of them are to try it first,
    when (None: now), and until when it is to be left to whoever asked."""

    email: Email
    origin: Origin
    letterhead: Letterhead
    relay: str
    audience: Audience
    agreed: int | None = None
    canary: int = 0
    not_before: datetime | None = None
    undo_until: datetime | None = None

    def after(self, earlier: Send | None) -> Publication:
        """The same, with the very bytes and the commit of an earlier send (promise 2)."""
        if earlier is None:
            return self
        return replace(
            self, email=earlier.email, origin=earlier.origin, letterhead=earlier.letterhead
        )

    def as_new_send(self) -> NewSend:
        return NewSend(
            email=self.email,
            origin=self.origin,
            letterhead=self.letterhead,
            relay=self.relay,
            audience=self.audience,
            canary=self.canary,
            not_before=self.not_before,
            undo_until=self.undo_until,
        )


def check_not_sent(store: Store, slug: str, audience: Audience) -> Send | None:
    """The latest send of the issue, or None when there was none.

    Raises SendRefused when the issue was sent and `only_new` is not asked for, or when a send of
    it is still unfinished. A send taken back before anybody got it is none, and so is one into the
    inbox on this machine, but for another such.
    """
    alike = [send for send in store.sends(slug) if send.local is audience.local]
    sends = [send for send in alike if not _taken_back(store, send)]
    if not sends:
        return None
    latest = sends[-1]
    if latest.state is SendState.PREPARING:
        raise SendRefused(
            f'a send of "{slug}" is waiting for {latest.not_before:%d %b %Y %H:%M} UTC',
            hint=f"take it back: newsletter cancel {slug}",
            code="send.scheduled",
        )
    if not latest.state.over:
        left = sum(store.progress(latest.id)[state] for state in UNDELIVERED)
        raise SendRefused(
            f'a send of "{slug}" is unfinished: {left} of {latest.recipients} left',
            hint=f"go on: newsletter resume {slug}",
            code="send.unfinished",
        )
    if not audience.only_new:
        rest = Audience(only_new=True, local=audience.local)
        count = store.head_count(slug, rest).recipients
        people = "person has" if count == 1 else "people have"
        more = f"{count} {people} not got it. To them only: newsletter send {slug} --only-new"
        raise SendRefused(
            f'"{plain_subject(latest.email)}" went to {latest.recipients} people on '
            f"{latest.frozen_at:%d %b %Y}",
            hint=more
            if count
            else f"who joins later gets it by: newsletter send {slug} --only-new",
            code="send.already",
        )
    return latest


def _taken_back(store: Store, send: Send) -> bool:
    if send.state is not SendState.CANCELLED:
        return False
    progress = store.progress(send.id)
    return not (progress[DeliveryState.ACCEPTED] or progress[DeliveryState.UNKNOWN])


def publish(store: Store, publication: Publication, now: datetime) -> Send:
    """The frozen send. Late readers of an issue get the very bytes the first ones got, whatever
    the file says by now (promise 2). Raises SendRefused when nobody is left to send to, or when
    the audience is no longer the size that was agreed to."""
    slug, audience = publication.email.slug, publication.audience
    earlier = check_not_sent(store, slug, audience)
    recipients = store.head_count(slug, audience).recipients
    if recipients == 0:
        raise SendRefused(
            "nobody to send to",
            hint="see: newsletter subscribers stats",
            code="send.nobody",
        )
    if publication.agreed not in (None, recipients):
        raise SendRefused(
            f"the audience changed from {publication.agreed} to {recipients} in the meantime: "
            "nothing was sent",
            hint=f"look again: newsletter send {slug} --dry-run",
            code="send.unexpected",
        )
    return store.freeze(publication.after(earlier).as_new_send(), now)
