"""What the desk shows: an issue composed from the files as they are now, a mail from the inbox.

A saved file is on the screen at once: what was composed is kept only as long as no file of the
publication has changed. What last came out well is kept for the time when a file is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from functools import cached_property
from pathlib import Path
from threading import RLock

from newsletter.composed import Composed
from newsletter.delivery.addressing import Addressee, name_parts
from newsletter.delivery.specimen import READER, part, specimen
from newsletter.errors import ConfigError, NewsletterError, UsageError
from newsletter.model import Article, Email, Letter, Mail, Problem, Reply
from newsletter.preview.footprint import Footprint, footprint_of
from newsletter.preview.unsubscribing import Door
from newsletter.shelf import Shelf
from newsletter.slots import fill_slots
from newsletter.smtp.inbox import InboxMail, read_mail, received
from newsletter.store import Store

Judge = Callable[[Shelf, Article, Composed], Sequence[Problem]]


@dataclass(frozen=True, slots=True)
class WayOut:
    """Where a proof would go: the relay's name, its host or folder, and whether that is another
    machine."""

    relay: str
    where: str
    leaves: bool


@dataclass(frozen=True, slots=True)
class Courier:
    """Who takes proofs to people. `way_out` reads no secret; `prove` mails one proof and returns
    the relay's answer, or raises RelayError."""

    way_out: Callable[[], WayOut]
    prove: Callable[[Email, Addressee], Reply]


@dataclass(frozen=True, slots=False)
class Study:
    """One issue on the desk: the article, and what composing and the checks made of it."""

    shelf: Shelf
    article: Article
    composed: Composed
    judge: Judge

    @property
    def email(self) -> Email:
        return self.composed.email

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(self.judge(self.shelf, self.article, self.composed))

    def mail(self, reader: Addressee = READER) -> Mail:
        """The mail that the reader would get. Raises MailRefused."""
        return specimen(self.email, self.article, self.shelf.letter, reader)

    def html(self, reader: Addressee = READER) -> str:
        """The HTML that the reader would get."""
        return part(self.mail(reader).content, "html")

    def filled(self, text: str, reader: Addressee = READER) -> str:
        """A subject or preheader as the reader would get it."""
        values = {**name_parts(reader.name), **reader.fields, "address": reader.address}
        return fill_slots(text, self.email.slots, values)


@dataclass(frozen=True, slots=True)
class Sight:
    """An issue as it is now; or as it last could be composed, with the error that came since."""

    study: Study
    error: NewsletterError | None = None


@dataclass(slots=True)
class Kept:
    """What one moment's files gave, and what came out well before."""

    lock: RLock = field(default_factory=RLock)
    footprint: Footprint | None = None
    shelf: Shelf | None = None
    studies: dict[str, Study] = field(default_factory=dict)
    good: dict[str, Study] = field(default_factory=dict)
    good_shelf: Shelf | None = None
    proofs: dict[str, Email] = field(default_factory=dict)


def _composing_only(_shelf: Shelf, _article: Article, composed: Composed) -> Sequence[Problem]:
    return composed.problems


@dataclass(frozen=True, slots=True)
class Studio:
    """One publication on the desk. `load` reads the configuration afresh; `inbox` is the folder
    of the mails that arrived on this machine; `ledger` opens the store for questions; `judge` says
    what the checks find; `courier` is None where no proof can be sent, `door` where nobody can be
    unsubscribed."""

    load: Callable[[], Letter]
    inbox: Path
    now: Callable[[], datetime]
    ledger: Callable[[], AbstractContextManager[Store]] | None = None
    judge: Judge = _composing_only
    courier: Courier | None = None
    door: Door | None = None
    kept: Kept = field(default_factory=Kept)

    def shelf(self) -> Shelf:
        """The issues as they are now. Raises ConfigError."""
        letter, now = self.load(), self.now()
        seen = footprint_of(letter)
        with self.kept.lock:
            shelf = self.kept.shelf
            if shelf is None or seen != self.kept.footprint or _has_come(shelf, now):
                self.kept.studies.clear()
                self.kept.footprint = seen
                shelf = self.kept.shelf = self.kept.good_shelf = Shelf.of(letter, now)
            return shelf

    def last_shelf(self) -> tuple[Shelf, NewsletterError | None]:
        """The issues as they are now; while the configuration is broken, as they last were, with
        the error. Raises it when they never were."""
        try:
            return self.shelf(), None
        except ConfigError as error:
            if self.kept.good_shelf is None:
                raise
            return self.kept.good_shelf, error

    def study(self, shelf: Shelf, name: str) -> Study:
        """The named issue, composed."""
        article = shelf.find(name)
        with self.kept.lock:
            study = self.kept.studies.get(article.slug)
            if study is None or study.shelf is not shelf:
                study = Study(shelf, article, shelf.compose(article), self.judge)
                self.kept.studies[article.slug] = study
            self.kept.good[name] = self.kept.good[article.slug] = study
            return study

    def sight(self, name: str) -> Sight:
        """The named issue as it is now, or as it last was. Raises the error when it never was."""
        try:
            return Sight(self.study(self.shelf(), name))
        except UsageError:
            raise
        except NewsletterError as error:
            if name not in self.kept.good:
                raise
            return Sight(self.kept.good[name], error)

    def content(self, frame: str) -> str:
        """A word that changes whenever a frame with that query may show something else."""
        return f"{hash((self.kept.footprint, frame)) & 0xFFFFFFFFFFFF:012x}"

    def received(self) -> list[InboxMail]:
        """The mails in the inbox, newest first."""
        return list(reversed(received(self.inbox)))

    def letterbox(self, key: str) -> bytes:
        """The mail with that key, byte for byte. Raises UsageError."""
        return read_mail(self.inbox, key)


def _has_come(shelf: Shelf, now: datetime) -> bool:
    """Whether the date of an issue has come since the shelf was read."""
    return any(a.date and shelf.now < a.date <= now for a in shelf.archive.articles)


def headers_of(content: bytes) -> list[tuple[str, str]]:
    """The headers of a mail, decoded for reading, in order."""
    message = message_from_bytes(content, policy=policy.default)
    return [(name, str(value)) for name, value in message.items()]
