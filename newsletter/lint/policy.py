"""What a publication has decided about findings: which it ignores, and how bad others are.

Enters: Problems. Leaves: those that count, with the severity that counts. Refuses to know where the
decisions are written.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from newsletter.linkcheck import KINDS
from newsletter.lint.rules import BY_CODE
from newsletter.model import Article, Problem, Severity

# What reading and composing find, each where it happens; a test keeps the list complete.
FOUND_BEFORE = (
    *("alt-missing", "code-long", "date-unfinished", "html-depth", "html-removed", "html-unknown"),
    *("image-cache", "image-gps", "image-heavy", "image-huge", "image-missing"),
    *("image-outside", "image-scheme", "image-still", "image-svg", "image-total"),
    *("image-turned", "image-unreadable", "issues-missing", "key-unknown", "link-broken"),
    *("link-empty", "link-missing", "link-scheme", "markdown-dense", "markdown-depth"),
    *("slot-in-link", "slot-in-style", "slot-in-tag", "slot-unknown", "slug-cleaned"),
    *("slug-shared", "template-unused", "theme-contrast", "table-wide", "value-comment"),
)
CODES = frozenset((*BY_CODE, *FOUND_BEFORE, *KINDS, "ignore-unknown"))
# A spam filter's own names; which there are, it alone knows.
SPAM = re.compile(r"spam\.\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Decisions by code; a severity of None is off."""

    ignore: frozenset[str] = frozenset()
    severity: Mapping[str, Severity | None] = field(default_factory=dict)

    def judge(self, problems: Iterable[Problem], ignored: Iterable[str] = ()) -> list[Problem]:
        """The problems that count, `ignored` being the codes that one issue ignores as well."""
        left_out = self.ignore.union(ignored)
        judged = ((p, self.severity_of(p.code, p.severity)) for p in problems)
        return [
            replace(problem, severity=severity)
            for problem, severity in judged
            if severity is not None and problem.code not in left_out
        ]

    def severity_of(self, code: str, own: Severity) -> Severity | None:
        """How bad a finding of that code is here; None when it is off."""
        return self.severity.get(code, own)


def ignored_by(article: Article) -> tuple[str, ...]:
    """The codes in the article's own `ignore: [a, b]`."""
    typed = next((v for key, v in article.extra.items() if key.lower() == "ignore"), None)
    items = typed if isinstance(typed, list) else str(typed or "").strip("[]").split(",")
    return tuple(code for item in items if (code := str(item).strip(" \"'")))


def misspelt(codes: Iterable[str]) -> dict[str, str]:
    """The codes that nothing ever finds, with the likeliest one that something does, or ""."""
    unknown = (code for code in codes if code not in CODES and not SPAM.fullmatch(code))
    return {code: next(iter(difflib.get_close_matches(code, CODES, 1)), "") for code in unknown}


def slips(article: Article) -> tuple[Problem, ...]:
    """A warning for each code in `ignore` that nothing ever finds."""
    return tuple(
        Problem(
            path=article.path,
            line=1,
            severity=Severity.WARNING,
            code="ignore-unknown",
            message=f"nothing is called `{code}`",
            hint=f"did you mean `{guess}`?" if guess else "newsletter check --list",
        )
        for code, guess in misspelt(ignored_by(article)).items()
    )
