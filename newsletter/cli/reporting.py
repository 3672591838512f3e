"""report: what became of an issue, for people, programs, and whoever asks for a page."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from newsletter.cli.boundary import Desk, answer, json_option, note
from newsletter.cli.faces import group_facts, turn_facts
from newsletter.cli.naming import issue_argument, slug_in
from newsletter.cli.report_lines import lines
from newsletter.errors import SendRefused, UsageError
from newsletter.model import DeliveryState
from newsletter.report.account import Account, account

COLUMNS = ("send", "domain", "domains", "readers", *(state.value for state in DeliveryState))


@click.command("report")
@issue_argument
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the page into this file.",
)
@click.option("--open", "show", is_flag=True, help="Write the page and show it in the browser.")
@click.option("--csv", "as_csv", is_flag=True, help="The outcome by domain, as CSV on stdout.")
@json_option
@click.pass_obj
def report_command(
    desk: Desk, name: str, out: Path | None, show: bool, as_csv: bool, as_json: bool
) -> None:
    """Tell what became of ISSUE: counts, domains, pace, pauses, and every answer explained.

    --out writes a page that stands alone: no script, nothing fetched, no address in it, so it can
    be passed on. Domains with fewer than five readers are told together.
    """
    if as_csv and as_json:
        raise UsageError("--csv and --json are two answers: ask for one")
    with desk.asked_store() as store:
        slug = slug_in(desk, store, name)
        entries = store.entries(slug)
        if not entries:
            raise SendRefused(f"{slug} was never sent", hint=f"newsletter send {slug}")
        told = Told(desk, [account(store, entry) for entry in entries])
    path = told.write(out, show=show)
    if as_csv:
        _write_csv(told.accounts)
        return
    facts = {
        "command": "report",
        "issue": slug,
        "page": str(path) if path else None,
        "sends": [account_facts(each) for each in told.accounts],
    }
    text = "\n\n".join(lines(each, desk.letter.timezone) for each in told.accounts)
    page = f"page        {path}" if path else f"page        newsletter report {slug} --open"
    answer(facts, as_json=as_json, text=f"{text}\n{page}")


@dataclass(frozen=True, slots=True)
class Told:
    """The accounts of an issue's sends, oldest first, at the desk that asked."""

    desk: Desk
    accounts: Sequence[Account]

    def write(self, out: Path | None, *, show: bool) -> Path | None:
        """Where the page was written, if somebody wants it."""
        if out is None and not show:
            return None
        from newsletter.report.page import Clock, page  # noqa: PLC0415

        path = out or self.desk.state / "reports" / f"{self.accounts[-1].entry.slug}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        clock = Clock(self.desk.now(), self.desk.letter.timezone)
        path.write_text(page(self.accounts, clock), "utf-8", newline="\n")
        if show:
            import webbrowser  # noqa: PLC0415

            if not webbrowser.open(path.resolve().as_uri()):
                note("no browser was found: open the page by hand")
        return path


def account_facts(each: Account) -> dict[str, object]:
    """An account as JSON."""
    entry = each.entry
    return {
        "send": entry.id,
        "state": entry.state.value,
        "relay": entry.relay,
        "frozen_at": entry.frozen_at.isoformat(),
        "finished_at": entry.finished_at.isoformat() if entry.finished_at else None,
        "content_hash": entry.content_hash,
        "commit": entry.origin.commit,
        "candidates": entry.candidates,
        "recipients": entry.recipients,
        **{state.value: each.progress[state] for state in DeliveryState},
        "skipped_because": dict(each.skipped),
        "seconds": round(each.course.lasts_s, 3),
        "per_second": round(each.per_second, 3) if each.per_second else None,
        "throttled": len(each.course.slower),
        "rests": [
            {"at": rest.start.isoformat(), "seconds": rest.lasts_s, "why": rest.why}
            for rest in each.course.rests
        ],
        "since": dict(each.afterwards),
        "relays": [
            {"relay": name, **{state.value: counts[state] for state in DeliveryState}}
            for name, counts in sorted(each.relays.items())
        ],
        "domains": list(_domain_facts([each])),
        "replies": [group_facts(group) for group in each.groups],
        "turns": [{"turn": turn.kind.value, **turn_facts(turn)} for turn in each.turns],
        "step_s": each.step.total_seconds(),
        "beats": [[beat.at.isoformat(), beat.state.value, beat.count] for beat in each.beats],
    }


def _domain_facts(accounts: Sequence[Account]) -> Iterator[dict[str, object]]:
    for each in accounts:
        for row in each.domains:
            counts = {state.value: row.counts.get(state, 0) for state in DeliveryState}
            yield {
                "send": each.entry.id,
                "domain": row.name,
                "domains": row.together,
                "readers": row.total,
                **counts,
            }


def _write_csv(accounts: Sequence[Account]) -> None:
    from newsletter.audience.exports import guard  # noqa: PLC0415

    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in _domain_facts(accounts):
        writer.writerow({**row, "domain": guard(str(row["domain"]))})
