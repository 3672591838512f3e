"""The report of `newsletter check`: for a person, and as the facts of `--json`."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from newsletter.cli.boundary import mark
from newsletter.cli.findings import problem_as_json
from newsletter.defaults import default_folder
from newsletter.lint.policy import misspelt
from newsletter.lint.rules import BY_CODE, RULES
from newsletter.model import Problem, Severity

WRONG = 3
ARTICLES = (".md", ".markdown")
# What the law, or every mailbox provider, wants in the frame of a letter.
REQUIRED = frozenset(("unsubscribe-link", "postal-address", "html-link-lost", "text-link-lost"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run of `check` found, and how it is to be said; `config` is the name of the
    publication's configuration."""

    problems: tuple[Problem, ...]
    looked_at: int
    strict: bool
    root: Path
    notes: bool
    config: str = ""

    def count(self, severity: Severity) -> int:
        return sum(problem.severity is severity for problem in self.problems)

    @property
    def exit_code(self) -> int:
        wrong = self.count(Severity.ERROR)
        return WRONG if wrong or (self.strict and self.count(Severity.WARNING)) else 0

    @property
    def shown(self) -> tuple[Problem, ...]:
        """What a person reads: notes only when issues were named."""
        found = self.problems
        return tuple(p for p in found if self.notes or p.severity is not Severity.INFO)

    def from_here(self) -> list[Problem]:
        """The problems with paths as a machine sees them that was started in this folder."""
        here = Path.cwd()
        return [
            replace(problem, path=Path(os.path.relpath(self.root / problem.path, here)))
            for problem in map(self._in_the_publication, self.problems)
        ]

    def _in_the_publication(self, problem: Problem) -> Problem:
        """The problem at a file of the publication: a shipped template can be configured, or
        replaced by one's own, but no line of it is there to be marked."""
        if not self._is_shipped(problem.path):
            return problem
        where = f"{problem.path}:{problem.line}" if problem.line else str(problem.path)
        message = f"{problem.message} (in {where}, a shipped template)"
        return replace(problem, path=Path(self.config), line=None, message=message)

    def _is_shipped(self, path: Path) -> bool:
        if not self.config or (self.root / path).exists():
            return False
        return (default_folder("templates").parent / path).is_file()

    def facts(self) -> dict[str, object]:
        """The report as `--json` prints it."""
        return {
            "command": "check",
            "checked": self.looked_at,
            "errors": self.count(Severity.ERROR),
            "warnings": self.count(Severity.WARNING),
            "problems": [_as_json(problem) for problem in self.problems],
            "exit": self.exit_code,
        }

    def text(self) -> str:
        """The report for a person: by file, each remedy once."""
        shown = self.shown
        lines: list[str] = []
        told: set[str] = set()
        width = min(76, max((len(problem.message) for problem in shown), default=0))
        for path in dict.fromkeys(problem.path for problem in shown):
            lines.append(f"{path} (shipped template)" if self._is_shipped(path) else str(path))
            for problem in (p for p in shown if p.path == path):
                lines.append(_row(problem, width))
                notes = problem.severity is Severity.INFO
                if problem.code not in told and problem.hint and not notes:
                    lines.append(f"           {problem.hint}{_affected(problem)}")
                told.add(problem.code)
        return "\n".join([*lines, self._passed(), self.summary()])

    def _passed(self) -> str:
        """How many checks found nothing; none of them saw what could not be composed."""
        if misspelt(p.code for p in self.problems if p.severity is Severity.ERROR):
            return f"  {mark(False)} what could not be read or composed was not checked"
        failed = {p.code for p in self.shown if p.code in BY_CODE}
        other = "other " if failed else ""
        return (
            f"  {mark(True)} {len(RULES) - len(failed)} {other}checks passed"
            "                    (newsletter check --list shows them)"
        )

    def summary(self) -> str:
        errors, warnings = self.count(Severity.ERROR), self.count(Severity.WARNING)
        said = f"{many(errors, 'error')}, {many(warnings, 'warning')}."
        first = next((p for p in self.problems if _may_be_passed_over(p)), None)
        if first is None:
            return said
        return (
            f"{said}  Fix {'it' if errors == 1 else 'them'}, or ignore one with "
            f"`ignore: [{first.code}]` in the front matter."
        )


def _may_be_passed_over(problem: Problem) -> bool:
    """Whether it is an error that an article may say it is none; what a template or the law has to
    be mended for is not."""
    wrong = problem.severity is Severity.ERROR and problem.code in BY_CODE
    return wrong and problem.path.suffix in ARTICLES and problem.code not in REQUIRED


def many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _row(problem: Problem, width: int) -> str:
    signs = {Severity.ERROR: mark(False), Severity.WARNING: "!", Severity.INFO: "i"}
    line = str(problem.line) if problem.line else "-"
    return f"  {signs[problem.severity]} {line:>4}   {problem.message:<{width}}  {problem.code}"


def _affected(problem: Problem) -> str:
    rule = BY_CODE.get(problem.code)
    return f"  ({', '.join(rule.clients)})" if rule and rule.clients else ""


def _as_json(problem: Problem) -> dict[str, object]:
    rule = BY_CODE.get(problem.code)
    more = {"clients": list(problem.clients), "source": rule.source} if rule else {}
    return {**problem_as_json(problem), **more}
