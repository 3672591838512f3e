"""The inside of `subscribers import`: read, rehearse or write, report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from newsletter.audience.exports import export_problems
from newsletter.audience.imports import CsvPlan, ImportReport, import_people, read_csv
from newsletter.cli.boundary import Desk, answer, note
from newsletter.cli.findings import counted
from newsletter.model import Severity, SubscriberStatus

SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line says about a file beyond its name."""

    dry_run: bool
    tags: tuple[str, ...]
    consent: str | None
    status: str | None

    def plan(self, file: Path) -> CsvPlan:
        """The file, read once and found importable. Raises ImportRefused."""
        status = SubscriberStatus(self.status) if self.status else None
        plan = read_csv(file, status=status)
        return replace(plan, tags=self.tags, source=self.consent or plan.source)


def run_import(desk: Desk, file: Path, wish: Wish, *, as_json: bool) -> None:
    """Import the file and say what became of its rows; the bad ones go to a report."""
    plan = wish.plan(file)
    now = desk.now()
    with desk.asked_store() if wish.dry_run else desk.open_store() as store:
        report = import_people(store, plan.rows(), now=now, dry_run=wish.dry_run)
    where = _write_report(desk, file, report) if report.problems else None
    fields = tuple(plan.header.fields.values())
    facts = {
        "command": "subscribers import",
        "fields": list(fields),
        "dry_run": wish.dry_run,
        "rows": report.read,
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "kept": report.kept,
        "bad": report.bad,
        "report": str(where) if where else None,
    }
    answer(facts, as_json=as_json, text=_text(report, where, fields, dry_run=wish.dry_run))
    for problem in report.problems[:SHOWN] if not as_json else ():
        if problem.severity is Severity.ERROR:
            note(f"  {file}:{problem.line}: {problem.message}")


def _write_report(desk: Desk, file: Path, report: ImportReport) -> Path:
    folder = desk.state
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"import-{desk.now():%Y-%m-%d-%H%M%S}-{file.stem}.csv"
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8", newline="") as out:
        export_problems(report.problems, out)
    return path


def _text(
    report: ImportReport, where: Path | None, fields: tuple[str, ...], *, dry_run: bool
) -> str:
    counts = (
        f"{counted(report.read, 'row')}:  {report.added:,} new   {report.updated:,} updated   "
        f"{report.unchanged:,} known   {report.kept:,} kept as they are here   {report.bad:,} bad"
    )
    lines = [counts]
    if fields:
        lines.append(f"Kept as fields: {', '.join(fields)}")
    if where:
        lines.append(f"All problems, with their lines: {where}")
    if dry_run:
        lines.append("Nothing was written. To import: the same line without --dry-run")
    return "\n".join(lines)
