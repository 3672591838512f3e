"""Saying what was found: problems on stderr, and an issue's short name."""

from __future__ import annotations

from newsletter.cli.boundary import note
from newsletter.model import Article, Problem


def warn(problems: tuple[Problem, ...]) -> None:
    """Print the findings on stderr, one line each."""
    for problem in problems:
        where = f"{problem.path}:{problem.line}" if problem.line else str(problem.path)
        hint = f"  ({problem.hint})" if problem.hint else ""
        note(f"{where}: {problem.severity}: {problem.message} [{problem.code}]{hint}")


def problem_as_json(problem: Problem) -> dict[str, object]:
    """The finding as `--json` prints it."""
    return {
        "file": str(problem.path),
        "line": problem.line,
        "severity": problem.severity.value,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }


def label(article: Article) -> str:
    """`#43 What we learned`, or the title alone."""
    return f"#{article.number} {article.title}" if article.number is not None else article.title
