"""Findings that are known and left for later: a file beside the configuration.

Enters and leaves: JSON. A finding is recognised by file, code and message, not by its line, so that
it stays known when something is written above it; the same finding twice is known twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

from newsletter.errors import ConfigError
from newsletter.model import Problem

VERSION = 1
Known = Counter[tuple[str, str, str]]


def _mark(problem: Problem) -> tuple[str, str, str]:
    return problem.path.as_posix(), problem.code, problem.message


def write_baseline(problems: Iterable[Problem]) -> str:
    """The file that makes these findings known, in a stable order, one a line."""
    marks = sorted(map(_mark, problems))
    lines = [
        json.dumps({"file": file, "code": code, "message": message}, ensure_ascii=False)
        for file, code, message in marks
    ]
    listed = ",\n  ".join(lines)
    return f'{{"v": {VERSION}, "findings": [\n  {listed}\n]}}\n'


def read_baseline(text: str, name: str) -> Known:
    """How often each finding is known. Raises ConfigError for a file of another form."""
    try:
        rows = json.loads(text)["findings"]
        return Counter((row["file"], row["code"], row["message"]) for row in rows)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"not a baseline: {error}",
            path=name,
            hint="write it anew: newsletter check --write-baseline",
            code="check.baseline",
        ) from error


def unknown(problems: Iterable[Problem], known: Known) -> list[Problem]:
    """The problems that the baseline does not know."""
    left = known.copy()
    new = []
    for problem in problems:
        mark = _mark(problem)
        if left[mark] > 0:
            left[mark] -= 1
        else:
            new.append(problem)
    return new
