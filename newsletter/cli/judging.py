"""What is found in one issue, as [check] judges it: for `check`, `send` and `test`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from newsletter.cli.boundary import Desk
from newsletter.cli.check_report import many
from newsletter.cli.cores import on_every_core
from newsletter.cli.theme_findings import theme_findings
from newsletter.cli.trials import (
    Choose,
    Count,
    WorstReaders,
    invented_readers,
    nobody_counted,
    tried,
)
from newsletter.composed import Composed
from newsletter.config import Config, line_of
from newsletter.delivery.specimen import specimen
from newsletter.errors import ComposeError, ConfigError, MailRefused, NewsletterError
from newsletter.lint import Written, check_issue
from newsletter.lint.baseline import read_baseline, unknown
from newsletter.lint.caniemail import clients
from newsletter.lint.check import in_order
from newsletter.lint.policy import Policy, ignored_by, misspelt, slips
from newsletter.model import Article, Problem, Severity
from newsletter.shelf import Shelf


def policy_of(config: Config) -> Policy:
    """The decisions in [check]. Raises ConfigError for a code that nothing ever finds, and for
    shares of mail clients that cannot be."""
    table = config.tables.check
    for key, codes in (("ignore", table.ignore), ("severity", list(table.severity))):
        for code, guess in misspelt(codes).items():
            inside = ("severity", code) if key == "severity" else ("ignore",)
            raise ConfigError(
                f"`{code}` in `{key}` of [check]: no check is called that"
                + (f". Did you mean `{guess}`?" if guess else ""),
                path=config.path.name,
                line=_line_of(config, "check", *inside),
                hint="all of them: newsletter check --list",
                code="config.value",
            )
    try:
        clients(table.readership())
    except ConfigError as error:
        error.path, error.line = config.path.name, _line_of(config, "check", "clients")
        raise
    severity = {c: None if s == "off" else Severity(s) for c, s in table.severity.items()}
    return Policy(ignore=frozenset(table.ignore), severity=severity)


def _line_of(config: Config, *keys: str) -> int | None:
    """The line of a key, its table's name first."""
    prefix = ("tool", "newsletter") if config.path.name == "pyproject.toml" else ()
    return line_of(config.path.read_text("utf-8"), (*prefix, *keys))


@dataclass(frozen=True, slots=True)
class Bench:
    """Where issues are judged: at whose desk, from which shelf, on which readers besides the
    specimen's, and knowing for how many of them a field is empty."""

    desk: Desk
    shelf: Shelf
    readers: Choose = invented_readers
    gaps: Count = nobody_counted


def findings(bench: Bench, article: Article, composed: Composed) -> list[Problem]:
    """What reading, composing and the rules find in one issue, as the publication judges it."""
    policy = policy_of(bench.desk.config)
    read = (p for p in bench.shelf.archive.warnings if p.path == article.path)
    ruled = _by_the_rules(bench, article, composed)
    looks = theme_findings(bench.desk.config, bench.shelf)
    own = _braces_once((*composed.problems, *ruled))
    found = _once((*read, *own, *slips(article), *looks))
    return list(in_order(policy.judge(found, ignored_by(article))))


def _by_the_rules(bench: Bench, article: Article, composed: Composed) -> tuple[Problem, ...]:
    shelf = bench.shelf
    try:
        mail = specimen(composed.email, article, shelf.letter)
    except MailRefused as error:
        return (problem_of(error, article.path),)
    written = Written(
        issue=shelf.issue(article),
        letter=shelf.letter,
        email=composed.email,
        gaps=bench.gaps(composed.email),
        unpublished=shelf.unpublished,
    )
    found = check_issue(written, mail.content)
    return tuple(tried(written, found, bench.readers(composed.email)))


def _braces_once(problems: Sequence[Problem]) -> Iterator[Problem]:
    """Braces that nothing fills as the error they are to `send`, with the name that was meant; and
    not again as found in the mail."""
    unknown = [problem.message for problem in problems if problem.code == "slot-unknown"]
    for problem in problems:
        if problem.code == "slot-unknown":
            yield replace(problem, severity=Severity.ERROR)
        elif problem.code != "placeholder" or not any(
            problem.message.partition(" is not filled")[0] in message for message in unknown
        ):
            yield problem


def _once(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Without what composing found already at that line under the same code."""
    seen: dict[tuple[Path, int | None, str], Problem] = {}
    for problem in problems:
        first = seen.setdefault((problem.path, problem.line, problem.code), problem)
        if first is problem or first.hint == problem.hint:
            yield problem


def not_known(config: Config, problems: Sequence[Problem]) -> Sequence[Problem]:
    """Without those in the baseline."""
    name = config.tables.check.baseline
    file = config.root / name if name else None
    if file is None or not file.is_file():
        return problems
    return unknown(problems, read_baseline(file.read_text("utf-8"), str(name)))


def of_issues(bench: Bench, articles: Sequence[Article]) -> Iterator[Problem]:
    """What is found in each of the articles, in their order; one that cannot be composed is one
    finding."""
    for found in on_every_core(lambda article: _of_issue(bench, article), articles):
        yield from found


def _of_issue(bench: Bench, article: Article) -> list[Problem]:
    try:
        return findings(bench, article, bench.shelf.compose(article))
    except ConfigError:
        raise
    except NewsletterError as error:
        key = error.code.removeprefix("theme.")
        if not error.path and key != error.code:
            config = bench.desk.config
            error.path, error.line = config.path.name, _line_of(config, "theme", key)
        return [problem_of(error, article.path)]


def problem_of(error: NewsletterError, path: Path) -> Problem:
    """An article or template that cannot be read is the worst finding of all."""
    return Problem(
        path=Path(error.path) if error.path else path,
        line=error.line,
        severity=Severity.ERROR,
        code=error.code,
        message=error.message,
        hint=error.hint or "",
    )


def check_before_sending(
    desk: Desk, shelf: Shelf, article: Article, composed: Composed
) -> tuple[Problem, ...]:
    """The errors and warnings that no baseline knows, for `send` and `test` to show."""
    people = WorstReaders(desk.open_store, desk.letter.fields) if desk.database.exists() else None
    bench = Bench(desk, shelf, gaps=people.gaps if people else nobody_counted)
    found = not_known(desk.config, findings(bench, article, composed))
    return tuple(problem for problem in found if problem.severity is not Severity.INFO)


def refuse_errors(problems: Iterable[Problem], article: Article) -> None:
    """Raise ComposeError when an error is among the problems, which were shown before."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if errors:
        first = errors[0]
        others = f" (and {many(len(errors) - 1, 'more error')})" if len(errors) > 1 else ""
        raise ComposeError(
            f"{first.message} [{first.code}]{others}",
            path=first.path,
            line=first.line,
            hint=f"see: newsletter check {article.slug}",
            code="check",
        )
