"""Saying what was found: problems on stderr, and an issue's short name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from newsletter.cli.boundary import note
from newsletter.errors import NewsletterError
from newsletter.model import Article, Problem

if TYPE_CHECKING:
    from newsletter.shelf import Shelf


def warn(problems: tuple[Problem, ...]) -> None:
    """Print the findings on stderr, one line each."""
    for problem in problems:
        where = f"{problem.path}:{problem.line}" if problem.line else str(problem.path)
        hint = f"  ({problem.hint})" if problem.hint else ""
        note(f"{where}: {problem.severity}: {problem.message} [{problem.code}]{hint}")


def report(errors: Sequence[NewsletterError]) -> None:
    """Print the errors on stderr, each once, and end the command with the code of the first;
    nothing for none."""
    if errors:
        for said, times in Counter(map(str, errors)).items():
            more = f"\n  this one file keeps {counted(times, 'issue')} from being made"
            note(f"Error: {said}{more if times > 1 else ''}")
        click.get_current_context().exit(errors[0].exit_code)


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


def note_what_is_newer(shelf: Shelf, article: Article, name: str) -> None:
    """When `latest` was asked for: say what stands behind it and why it was not taken."""
    if name != "latest":
        return
    articles = shelf.archive.articles
    later = articles[articles.index(article) + 1 :]
    for other in (each for each in later if not each.draft and each.date):
        note(f"latest is {label(article)}: {label(other)} is dated {other.date:%Y-%m-%d %H:%M}")
    for error in shelf.archive.errors:
        note(f"latest is {label(article)}: {error.where} cannot be read")


def counted(number: int, noun: str) -> str:
    """`1 issue`, `2,000 issues`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def label(article: Article) -> str:
    """`#43 What we learned`, or the title alone."""
    return f"#{article.number} {article.title}" if article.number is not None else article.title
