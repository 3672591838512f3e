"""What the owner's spam filter makes of issues, as findings: `newsletter check --spam`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from newsletter.cli.boundary import note
from newsletter.cli.judging import Bench, policy_of
from newsletter.config import Config
from newsletter.delivery.specimen import specimen
from newsletter.errors import NewsletterError, UsageError
from newsletter.lint.policy import ignored_by
from newsletter.model import Article, Problem, Severity, SpamFilter, filter_at
from newsletter.spamcheck import Score, SpamRule, score

# From here on a mail of ours differs from the best ones by a fault of its own (deliverability 6).
SUSPICIOUS = 1.0


def spam_judge(config: Config) -> SpamFilter:
    """The filter of [check] spam. Raises UsageError when there is none; says so on stderr when
    mails leave this machine for it."""
    table = config.tables.check
    if table.spam is None:
        raise UsageError(
            "--spam asks a spam filter of yours, and none is configured",
            hint='[check]  spam = "spamd://127.0.0.1:783"  or  "rspamd://127.0.0.1:11333"',
            code="check.spam",
        )
    judge = filter_at(table.spam)
    if not judge.is_here:
        note(f"! the mails are shown to {judge}, which is not this machine")
    return judge


def spam_findings(bench: Bench, articles: Iterable[Article], judge: SpamFilter) -> list[Problem]:
    """The filter's word on the mail of each issue that can be composed, as the publication judges
    it. The mail is as it leaves here: without the signature and the way of a relay."""
    problems: list[Problem] = []
    policy = policy_of(bench.desk.config)
    for article in articles:
        try:
            email = bench.shelf.compose(article).email
            content = specimen(email, article, bench.shelf.letter).content
        except NewsletterError:
            continue  # a finding of its own
        problems += policy.judge(judged(content, article.path, judge), ignored_by(article))
    return problems


def judged(content: bytes, path: Path, judge: SpamFilter) -> Iterator[Problem]:
    """The score, and each rule that costs. Raises JudgeUnavailable."""
    found = score(judge, content)
    yield _sum(found, path, judge)
    for rule in found.costly:
        yield _cost(rule, path, judge)


def _sum(found: Score, path: Path, judge: SpamFilter) -> Problem:
    severity = Severity.INFO
    if found.points >= SUSPICIOUS:
        severity = Severity.ERROR if found.points >= found.limit else Severity.WARNING
    return Problem(
        path=path,
        line=None,
        severity=severity,
        code="spam.score",
        message=f"{judge.kind.known_as} gives {found.points:.1f}, spam begins at {found.limit:.1f}",
        hint="the rules below made the score",
    )


def _cost(rule: SpamRule, path: Path, judge: SpamFilter) -> Problem:
    words = f": {rule.words}" if rule.words else ""
    return Problem(
        path=path,
        line=None,
        severity=Severity.WARNING if rule.points >= SUSPICIOUS else Severity.INFO,
        code=f"spam.{rule.name}",
        message=f"{rule.points:+.1f} {rule.name}{words}",
        hint=f"a rule of {judge.kind.known_as}",
    )
