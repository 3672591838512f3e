"""What the checks found in an issue, in the order and with the words that a person wants.

Enters: Problems. Leaves: groups by subject, each finding with its rule's title, clients and source,
and the file it stands in, line by line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from newsletter.defaults import default_folder
from newsletter.lint.policy import ignored_by
from newsletter.lint.rules import BY_CHAPTER, BY_CODE
from newsletter.model import Letter, Problem, Severity
from newsletter.preview.studio import Study

CHAPTER_OF = {rule.code: chapter for chapter, rules in BY_CHAPTER.items() for rule in rules}
WRITING = "the article as written"
GRAVEST = (Severity.ERROR, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One finding. `place` is `path:line` to copy; `ignore` the front matter line that passes over
    it in this issue."""

    problem: Problem
    title: str
    clients: tuple[str, ...]
    source: str
    ignore: str

    @property
    def place(self) -> str:
        problem = self.problem
        return f"{problem.path}:{problem.line}" if problem.line else str(problem.path)


@dataclass(frozen=True, slots=True)
class Group:
    """The findings about one subject, the gravest first."""

    name: str
    findings: tuple[Checked, ...]


def counts(problems: Iterable[Problem]) -> dict[str, int]:
    """How many errors, warnings and notes there are."""
    found = Counter(problem.severity for problem in problems)
    return {severity.value: found[severity] for severity in GRAVEST}


def groups(study: Study) -> tuple[Group, ...]:
    """The findings by subject; the subject with the gravest first."""
    return groups_of(study.problems, ignored_by(study.article))


def groups_of(problems: Iterable[Problem], ignored: Iterable[str] = ()) -> tuple[Group, ...]:
    """The findings by subject; `ignored` are the codes that the issue passes over already."""
    by_name: dict[str, list[Checked]] = {}
    for problem in problems:
        name = CHAPTER_OF.get(problem.code, WRITING)
        by_name.setdefault(name, []).append(_checked(problem, tuple(ignored)))
    made = [Group(name, tuple(sorted(found, key=_weight))) for name, found in by_name.items()]
    return tuple(sorted(made, key=lambda group: _weight(group.findings[0])))


def _weight(checked: Checked) -> int:
    return GRAVEST.index(checked.problem.severity)


def _checked(problem: Problem, ignored: tuple[str, ...]) -> Checked:
    rule = BY_CODE.get(problem.code)
    return Checked(
        problem=problem,
        title=rule.title if rule else "",
        clients=problem.clients,
        source=rule.source if rule else "",
        ignore=f"ignore: [{', '.join(dict.fromkeys((*ignored, problem.code)))}]",
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file, and what was found there."""

    number: int
    text: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it was written; `elsewhere` are the other files that something was found in."""

    path: Path
    lines: tuple[Line, ...]
    elsewhere: tuple[Path, ...]


def written(study: Study, wanted: str = "") -> Written:
    """The article's file; or, when something was found in it, the template of that path."""
    own = study.article.path
    known = dict.fromkeys((own, *(problem.path for problem in study.problems)))
    path = next((each for each in known if str(each) == wanted), own)
    files = (file for file in _places(path, study.shelf.letter) if file.is_file())
    file = next(files, None)
    text = file.read_text("utf-8", "replace") if file else ""
    elsewhere = tuple(each for each in known if each != path)
    return Written(path, tuple(_lines(text, path, study.problems)), elsewhere)


def _places(path: Path, letter: Letter) -> Iterator[Path]:
    """Where a file lies that findings name: in the publication, or among the templates shipped."""
    yield letter.root / path
    yield default_folder("templates").parent / path


def _lines(text: str, path: Path, problems: Iterable[Problem]) -> Iterator[Line]:
    here: dict[int, list[Problem]] = {}
    for problem in problems:
        if problem.path == path and problem.line:
            here.setdefault(problem.line, []).append(problem)
    for number, line in enumerate(text.splitlines(), 1):
        yield Line(number, line, tuple(here.get(number, ())))
