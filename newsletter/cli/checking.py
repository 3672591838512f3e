"""check: what is wrong with an issue, with file, line and remedy, before anybody gets it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from newsletter import __version__
from newsletter.cli.boundary import Desk, answer, json_option, note
from newsletter.cli.check_report import Report, many
from newsletter.cli.judging import not_known, of_issues, policy_of, problem_of
from newsletter.config import Config
from newsletter.errors import ConfigError, UsageError
from newsletter.lint import check_mail
from newsletter.lint.baseline import write_baseline
from newsletter.lint.check import in_order
from newsletter.lint.formats import github, sarif
from newsletter.lint.policy import Policy
from newsletter.lint.rules import BY_CHAPTER, RULES
from newsletter.model import Severity

BASELINE = "check-baseline.json"
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
    if mails and (issues or with_drafts or keep):
        raise UsageError("--eml checks mails alone", hint="newsletter check --eml FILE")
    if mails:
        report = _report_on_mails(desk, mails)
    else:
        report = _report_on_issues(desk, issues, with_drafts=with_drafts)
        if keep:
            _write(desk.config, report)
            return
        report = replace(report, problems=tuple(not_known(desk.config, report.problems)))
    report = replace(report, strict=strict)
    _say(report, style)
    click.get_current_context().exit(report.exit_code)


def _report_on_issues(desk: Desk, names: tuple[str, ...], *, with_drafts: bool) -> Report:
    shelf = desk.shelf()
    chosen = [shelf.find(name) for name in names] or [
        article for article in shelf.archive.articles if with_drafts or not article.draft
    ]
    unread = [] if names else [problem_of(error, Path()) for error in shelf.archive.errors]
    lost = [p for p in shelf.archive.warnings if not names and p.code == "issues-missing"]
    return Report(
        problems=in_order((*unread, *lost, *of_issues(desk, shelf, chosen))),
        looked_at=len(chosen) + len(unread),
        strict=False,
        root=desk.config.root,
        notes=bool(names),
    )


def _report_on_mails(desk: Desk, mails: tuple[Path, ...]) -> Report:
    """The mails, judged as the publication does if there is one here."""
    try:
        policy = policy_of(desk.config)
    except ConfigError as error:
        if error.code != "config.none":
            raise
        policy = Policy()
    found = (problem for file in mails for problem in check_mail(file.read_bytes(), file))
    return Report(
        problems=tuple(policy.judge(found)),
        looked_at=len(mails),
        strict=False,
        root=Path(),
        notes=True,
    )


def _say(report: Report, style: str) -> None:
    if style == "github":
        click.echo(github(report.from_here()), nl=bool(report.problems))
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
    return {"command": "check", "rules": rules}


def _list_text() -> str:
    lines: list[str] = []
    for chapter, rules in BY_CHAPTER.items():
        lines.append(f"{chapter}:")
        lines += [f"  {rule.severity:<8} {rule.code:<22} {rule.title}" for rule in rules]
    return "\n".join([*lines, f"{len(RULES)} checks"])
