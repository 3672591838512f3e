"""A Galley through every rule -> Problems with file and line.

Enters: a Galley. Leaves: Problems in the order of the files, each once. Knows what a rule is, not
which there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from newsletter.lint.galley import Galley, Written, galley_of
from newsletter.lint.places import Places
from newsletter.lint.rule import Finding, Rule
from newsletter.lint.rules import RULES
from newsletter.model import Problem, Severity

LONGEST = 200
# One broken template makes the same mistake a thousand times.
MOST_OF_A_KIND = 12
_WEIGHT = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def check_issue(written: Written, content: bytes) -> tuple[Problem, ...]:
    """What is wrong with an issue, given the mail that one reader would get of it."""
    galley = galley_of(content, written)
    places = Places(written.letter, written.issue.article)

    def locate(finding: Finding) -> tuple[Path, int | None]:
        return places.find(finding.about)

    found = _findings(galley, RULES)
    return in_order(_problem(rule, finding, *locate(finding)) for rule, finding in found)


def check_mail(content: bytes, path: Path = Path("mail.eml")) -> tuple[Problem, ...]:
    """What is wrong with a mail of which nothing is known but its bytes; lines are the mail's."""
    found = _findings(galley_of(content), RULES)
    return in_order(_problem(rule, finding, path, finding.line) for rule, finding in found)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each problem once, by file and line, those without a line last, errors before warnings."""
    return tuple(sorted(dict.fromkeys(problems), key=_order))


def _order(problem: Problem) -> tuple[str, bool, int, int, str]:
    weight = _WEIGHT[problem.severity]
    return str(problem.path), problem.line is None, problem.line or 0, weight, problem.code


def _findings(galley: Galley, rules: tuple[Rule, ...]) -> Iterator[tuple[Rule, Finding]]:
    for rule in rules:
        said: dict[Finding, None] = dict.fromkeys(rule.look(galley))
        for number, finding in enumerate(said):
            if number == MOST_OF_A_KIND:
                yield rule, _summed_up(list(said)[number:], rule)
                break
            yield rule, finding


def _summed_up(rest: list[Finding], rule: Rule) -> Finding:
    """One finding for many, at the place of the first and as bad as the worst."""
    worst = min((each.severity or rule.severity for each in rest), key=_WEIGHT.__getitem__)
    message = f"and {len(rest)} more of these"
    return Finding(message, rest[0].about, rest[0].line, worst, rest[0].clients)


def _problem(rule: Rule, finding: Finding, path: Path, line: int | None) -> Problem:
    message = " ".join(finding.message.split())
    return Problem(
        path=path,
        line=line,
        severity=finding.severity or rule.severity,
        code=rule.code,
        message=message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…",
        hint=rule.remedy,
        clients=finding.clients or rule.clients,
    )
