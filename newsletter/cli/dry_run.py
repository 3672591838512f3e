"""What a send would do: the screen of `send --dry-run`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from newsletter.cli.findings import label, problem_as_json
from newsletter.composed import Composed
from newsletter.delivery.publish import Publication
from newsletter.errors import NewsletterError
from newsletter.model import Article, Problem, Relay, Severity
from newsletter.shelf import Shelf
from newsletter.slots import plain_subject
from newsletter.store import HeadCount


@dataclass(frozen=True, slots=True)
class DryRun:
    """A send that is only looked at, and why a real one would be refused."""

    shelf: Shelf
    article: Article
    publication: Publication
    relay: Relay
    count: HeadCount
    problems: tuple[Problem, ...]
    composed: Composed
    refusal: NewsletterError | None = None

    def facts(self) -> dict[str, object]:
        """The screen as `--json` prints it."""
        email = self.publication.email
        return {
            "command": "send",
            "dry_run": True,
            "issue": self.article.slug,
            "recipients": self.count.recipients,
            "candidates": self.count.candidates,
            "exclusions": dict(self.count.exclusions),
            "canary": self.publication.canary,
            "at": self.publication.not_before and self.publication.not_before.isoformat(),
            "content_hash": email.content_hash,
            "problems": [problem_as_json(problem) for problem in self.problems],
            "refusal": self.refusal.as_json() if self.refusal else None,
            "html_bytes": len(email.html.encode()),
            "picture_bytes": self._pictures(),
        }

    def text(self) -> str:
        """The screen for a person."""
        email, sender = self.publication.email, self.shelf.letter.sender
        return "\n".join(
            (
                f"Issue      {label(self.article)}      {self._state()}, {email.content_hash[:8]}",
                f"Subject    {plain_subject(email)}",
                f"From       {sender.name} <{sender.address}>      relay {self._relay()}",
                f"Audience   {self._audience()}",
                f"When       {self._when()}",
                f"Teasers    {self._teasers()}",
                f"Size       HTML {kilobytes(email.html)}   text {kilobytes(email.text)}"
                + (
                    f"   pictures {self._pictures() / 1024:.0f} KB inside" if email.pictures else ""
                ),
                f"Checks     {self._checks()}",
                f"Would send to  {self._sample()}",
                "Nothing was sent."
                + ("" if self.refusal else f"  To send:  newsletter send {self._again()}"),
            )
        )

    def _pictures(self) -> int:
        return sum(len(picture.content) for picture in self.publication.email.pictures)

    def _relay(self) -> str:
        name = self.publication.relay
        return f"{name}: {self.relay.place}, nobody else gets it" if self.relay.local else name

    def _state(self) -> str:
        return f"send will refuse it: {self.refusal.message}" if self.refusal else "ready"

    def _when(self) -> str:
        at, canary = self.publication.not_before, self.publication.canary
        when = written_out(at, self.shelf.letter.timezone) if at else "now"
        return f"{when}, to {people(canary)} first" if canary else when

    def _checks(self) -> str:
        found = Counter(problem.severity for problem in self.problems)
        errors, warnings = found[Severity.ERROR], found[Severity.WARNING]
        return f"{errors} errors, {warnings} warnings"

    def _again(self) -> str:
        audience = self.publication.audience
        tag = f" --tag {audience.tag}" if audience.tag else ""
        limit = f" --limit {audience.limit}" if audience.limit else ""
        new = " --only-new" if audience.only_new else ""
        return self.article.slug + tag + limit + new + self._how()

    def _how(self) -> str:
        """The options that say how and when, as they are typed."""
        at, canary = self.publication.not_before, self.publication.canary
        local = at and at.astimezone(self.shelf.letter.timezone)
        return (f" --canary {canary}" if canary else "") + (
            f" --at {local:%Y-%m-%dT%H:%M}" if local else ""
        )

    def _audience(self) -> str:
        count, tag = self.count, self.publication.audience.tag or "all"
        excluded = "".join(f"  -{number:,} {why}" for why, number in count.exclusions.items())
        return f"{count.recipients:,} of {count.candidates:,}{excluded}      tag: {tag}"

    def _teasers(self) -> str:
        issue = self.shelf.issue(self.article)
        previous = issue.previous.title if issue.previous else "none"
        return f"previous: {previous}      next: {issue.next.title if issue.next else 'none yet'}"

    def _sample(self) -> str:
        more = self.count.recipients - len(self.count.sample)
        rest = f", ... {more:,} more" if more > 0 else ""
        return (", ".join(self.count.sample) or "nobody") + rest


def written_out(at: datetime, zone: ZoneInfo) -> str:
    """A moment for people, in the letter's zone."""
    return f"{at.astimezone(zone):%a %d %b %Y %H:%M %Z}"


def people(count: int) -> str:
    """`1 person`, `4,812 people`."""
    return "1 person" if count == 1 else f"{count:,} people"


def kilobytes(text: str) -> str:
    """The size of a text in UTF-8, such as `48 KB`."""
    return f"{len(text.encode()) / 1024:.0f} KB"
