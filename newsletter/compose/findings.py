"""What composing one article found worth saying, with its line in the file.

Enters: an Article, and findings as a rule, a sentence and the words they are about. Leaves:
Problems. HTML remembers no lines, so the line is where the source shows those words; the second
finding about the same words gets their second place. Refuses to judge.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field

from newsletter.model import Article, Problem, Severity

# What stands around a destination or a tag in Markdown and HTML.
_BEFORE = r"(?<![\w./-])"
_AFTER = r"(?![\w/-])"
MOST = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked for: its short code, how bad it is, and what to do about it."""

    code: str
    severity: Severity
    hint: str = ""


@dataclass(slots=True)
class Findings:
    """The findings of one article, in the order they came; the first MOST of them are kept."""

    article: Article
    problems: list[Problem] = field(default_factory=list)
    _found: dict[str, int] = field(default_factory=dict)

    def add(self, rule: Rule, message: str, about: str | int) -> None:
        """Note a finding about the words, or about the character at that place of the body."""
        if len(self.problems) >= MOST and rule.severity is not Severity.ERROR:
            return
        if len(self.problems) >= 2 * MOST:
            return
        line = self._line_at(about) if isinstance(about, int) else self.line_of(about)
        problem = Problem(
            path=self.article.path,
            line=line,
            severity=rule.severity,
            code=rule.code,
            message=message,
            hint=rule.hint,
        )
        self.problems.append(problem)

    def in_order(self) -> tuple[Problem, ...]:
        """The findings as one reads the file, those without a line last."""
        return tuple(sorted(self.problems, key=lambda problem: problem.line or sys.maxsize))

    def line_of(self, words: str) -> int | None:
        """The line of the file where the words stand next, in any case; None if nowhere."""
        if not words:
            return None
        body, start = self.article.body, self._found.get(words, 0)
        exact = re.compile(_BEFORE + re.escape(words) + _AFTER, re.IGNORECASE)
        loose = re.compile(re.escape(words), re.IGNORECASE)
        for pattern, place in ((exact, start), (exact, 0), (loose, start), (loose, 0)):
            if match := pattern.search(body, place):
                self._found[words] = match.end()
                return self._line_at(match.start())
        return None

    def _line_at(self, place: int) -> int:
        return self.article.body_line + self.article.body.count("\n", 0, place)
