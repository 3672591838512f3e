"""check: what is wrong with an issue, with file, line and remedy, before anybody gets it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click

from newsletter import __version__
from newsletter.cli.boundary import Desk, answer, json_option, note
from newsletter.cli.check_report import Report, many
from newsletter.cli.judging import Bench, not_known, of_issues, policy_of, problem_of
from newsletter.cli.link_findings import link_findings, survey_of
from newsletter.cli.spam_findings import judged, spam_findings, spam_judge
from newsletter.cli.trials import (
    Choose,
    Count,
    WorstReaders,
    invented_readers,
    nobody_counted,
    the_subscriber,
)
from newsletter.config import Config
from newsletter.errors import ConfigError, UsageError
from newsletter.linkcheck import KINDS, Outside
from newsletter.lint import check_mail
from newsletter.lint.baseline import write_baseline
from newsletter.lint.check import in_order
from newsletter.lint.formats import github, sarif
from newsletter.lint.policy import Policy
from newsletter.lint.rules import BY_CHAPTER, RULES
from newsletter.model import Severity

BASELINE = "check-baseline.json"
ON_THE_WEB = "links on the web (--links)"
FORMATS = ("text", "json", "github", "sarif")


@click.command("check")
@click.argument("issues", nargs=-1, metavar="[ISSUE]...")
@click.option("--all", "with_drafts", is_flag=True, help="Drafts too.")
@click.option("--strict", is_flag=True, help="Warnings count as errors do.")
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option(
    "--eml",
    "mails",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    metavar="FILE",
    help="Check the bytes of a mail, from anywhere.",
)
@click.option("--links", is_flag=True, help="Ask the web whether the links lead anywhere.")
@click.option("--spam", is_flag=True, help="Ask the spam filter of [check] for its score.")
@click.option("--as", "seen_as", metavar="ADDRESS", help="Check what this subscriber gets.")
@click.option("--list", "listing", is_flag=True, help="List the checks and do nothing else.")
@click.option("--write-baseline", "keep", is_flag=True, help="Take what is found as known.")
@json_option
@click.pass_obj
def check_command(
    desk: Desk,
    issues: tuple[str, ...],
    with_drafts: bool,
    strict: bool,
    style: str,
    mails: tuple[Path, ...],
    links: bool,
    spam: bool,
    seen_as: str | None,
    listing: bool,
    keep: bool,
    as_json: bool,
) -> None:
    """Check issues (default: every one that is no draft) for what clients, judges and laws mind.

    Exits with 3 when an error is found, with --strict also for a warning. An issue ignores checks
    by `ignore: [code]` in its front matter, a publication by [check] in its configuration.
    """
    style = "json" if as_json else style
    if listing:
        answer(_listed(), as_json=style == "json", text=_list_text())
        return
    wanted = Wanted(issues, with_drafts=with_drafts, links=links, spam=spam, seen_as=seen_as)
    if mails:
        if keep or wanted != Wanted((), spam=spam):
            raise UsageError("--eml checks mails alone", hint="newsletter check --eml FILE")
        report = _report_on_mails(desk, mails, spam=spam)
    else:
        report = _report_on_issues(desk, wanted)
        if keep:
            _write(desk.config, report)
            return
        report = replace(report, problems=tuple(not_known(desk.config, report.problems)))
    report = replace(report, strict=strict)
    _say(report, style)
    click.get_current_context().exit(report.exit_code)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for: which issues, and what beyond the rules."""

    names: tuple[str, ...]
    with_drafts: bool = False
    links: bool = False
    spam: bool = False
    seen_as: str | None = None


def _report_on_issues(desk: Desk, wanted: Wanted) -> Report:
    judge = spam_judge(desk.config) if wanted.spam else None
    shelf, names = desk.shelf(), wanted.names
    chosen = [shelf.find(name) for name in names] or [
        article for article in shelf.archive.articles if wanted.with_drafts or not article.draft
    ]
    unread = [] if names else [problem_of(error, Path()) for error in shelf.archive.errors]
    lost = [p for p in shelf.archive.warnings if not names and p.code == "issues-missing"]
    bench = Bench(desk, shelf, *_readers(desk, wanted.seen_as))
    found = [*unread, *lost, *of_issues(bench, chosen)]
    if wanted.links:
        found += link_findings(bench, chosen, survey_of(desk, Outside()))
    if judge is not None:
        found += spam_findings(bench, chosen, judge)
    return Report(
        problems=in_order(found),
        looked_at=len(chosen) + len(unread),
        strict=False,
        root=desk.config.root,
        notes=bool(names),
        config=desk.config.path.name,
    )


def _readers(desk: Desk, seen_as: str | None) -> tuple[Choose, Count]:
    """Whom the issues are tried on: the one asked about, the worst there are, or invented ones;
    and what they lack."""
    if seen_as is not None:
        return the_subscriber(desk.asked_store, seen_as)
    if desk.database.exists():
        worst = WorstReaders(desk.open_store, desk.letter.fields)
        return worst, worst.gaps
    return invented_readers, nobody_counted


def _report_on_mails(desk: Desk, mails: tuple[Path, ...], *, spam: bool) -> Report:
    """The mails, judged as the publication does if there is one here."""
    try:
        policy = policy_of(desk.config)
    except ConfigError as error:
        if error.code != "config.none":
            raise
        policy = Policy()
    found = [problem for file in mails for problem in check_mail(file.read_bytes(), file)]
    if spam:
        judge = spam_judge(desk.config)
        found += [each for file in mails for each in judged(file.read_bytes(), file, judge)]
    return Report(
        problems=tuple(policy.judge(found)),
        looked_at=len(mails),
        strict=False,
        root=Path(),
        notes=True,
    )


def _say(report: Report, style: str) -> None:
    if style == "github":
        shown = replace(report, problems=report.shown)
        click.echo(github(shown.from_here()), nl=bool(shown.problems))
    elif style == "sarif":
        click.echo(sarif(report.from_here(), __version__))
    else:
        answer(report.facts(), as_json=style == "json", text=report.text())


def _write(config: Config, report: Report) -> None:
    """Make all errors and warnings known. The old baseline stays known only where it still holds:
    its findings are found anew."""
    name = config.tables.check.baseline or BASELINE
    kept = [problem for problem in report.problems if problem.severity is not Severity.INFO]
    (config.root / name).write_text(write_baseline(kept), "utf-8", newline="\n")
    note(f"{many(len(kept), 'finding')} in {name}")
    if not config.tables.check.baseline:
        note(f'use it:  [check]  baseline = "{name}"  in {config.path.name}')


def _listed() -> dict[str, object]:
    rules = [
        {
            "code": rule.code,
            "severity": rule.severity.value,
            "about": chapter,
            "title": rule.title,
            "hint": rule.remedy,
            "source": rule.source,
            "clients": list(rule.clients),
        }
        for chapter, rules in BY_CHAPTER.items()
        for rule in rules
    ]
    return {"command": "check", "rules": [*rules, *_listed_links()]}


def _listed_links() -> list[dict[str, object]]:
    """What --links finds, as rules are listed."""
    return [
        {
            "code": code,
            "severity": kind.severity.value,
            "about": ON_THE_WEB,
            "title": kind.title,
            "hint": kind.remedy,
            "source": "deliverability 7.21",
            "clients": [],
        }
        for code, kind in KINDS.items()
    ]


def _list_text() -> str:
    lines: list[str] = []
    for chapter, rules in BY_CHAPTER.items():
        lines.append(f"{chapter}:")
        width = max(22, *(len(rule.code) for rule in rules))
        lines += [f"  {rule.severity:<8} {rule.code:<{width}} {rule.title}" for rule in rules]
    lines.append(f"{ON_THE_WEB}:")
    lines += [f"  {kind.severity:<8} {code:<22} {kind.title}" for code, kind in KINDS.items()]
    return "\n".join([*lines, f"{len(RULES) + len(KINDS)} checks"])
