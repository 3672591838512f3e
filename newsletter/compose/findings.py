"""What composing one article found worth saying, with its line in the file.

Enters: an Article, and findings as a rule, a sentence and the words they are about. Leaves:
Problems. HTML remembers no lines, so the line is where the source shows those words; the second
finding about the same words gets their second place. Refuses to judge.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field

from newsletter.compose.braces import Braces
from newsletter.model import Article, Problem, Severity

# What stands around a destination or a tag in Markdown and HTML.
_BEFORE = r"(?<![\w./-])"
_AFTER = r"(?![\w/-])"
CODE = re.compile(
    r"^[ >]*(`{3,}|~{3,})[^\n]*\n.*?^[ >]*\1[`~]*[ ]*$|(?<!`)`[^`\n]+`(?!`)",
    re.MULTILINE | re.DOTALL,
)
MOST = 100
LONGEST = 200
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked for: its short code, how bad it is, and what to do about it."""

    code: str
    severity: Severity
    hint: str = ""


@dataclass(slots=True)
class Findings:
    """The findings of one article, in its author's spelling; the first MOST of them are kept."""

    article: Article
    braces: Braces
    problems: list[Problem] = field(default_factory=list)
    _found: dict[str, int] = field(default_factory=dict)
    _prose: str | None = None

    def add(self, rule: Rule, message: str, about: str | int) -> None:
        """Note a finding about the words, or about the character at that place of the body."""
        if len(self.problems) >= MOST and rule.severity is not Severity.ERROR:
            return
        if len(self.problems) >= 2 * MOST:
            return
        if isinstance(about, int):
            line: int | None = self._line_at(about)
        else:
            line = self.line_of(self.braces.put_back(about))
        problem = Problem(
            path=self.article.path,
            line=line,
            severity=rule.severity,
            code=rule.code,
            message=_short(self.braces.put_back(message)),
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
        start = self._found.get(words, 0)
        exact = re.compile(_BEFORE + re.escape(words) + _AFTER, re.IGNORECASE)
        loose = re.compile(re.escape(words), re.IGNORECASE)
        prose, body = self._without_code(), self.article.body
        for pattern, text in ((exact, prose), (loose, prose), (loose, body)):
            if match := pattern.search(text, start) or pattern.search(text):
                self._found[words] = match.end()
                return self._line_at(match.start())
        return None

    def _without_code(self) -> str:
        """The body with blanks for its code: what is shown there is not what is done."""
        if self._prose is None:
            self._prose = CODE.sub(lambda code: " " * len(code.group()), self.article.body)
        return self._prose

    def _line_at(self, place: int) -> int:
        return self.article.body_line + self.article.body.count("\n", 0, place)


def _short(message: str) -> str:
    """What an author wrote is in it, so it may be of any length and hold any character."""
    seen = UNSEEN.sub(" ", message)
    return seen if len(seen) <= LONGEST else f"{seen[: LONGEST - 1]}…"
