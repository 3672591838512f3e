"""clients: which mail clients are known, how many readers each counts for, and the facts anew."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from newsletter.cli.boundary import Desk, answer, json_option, note
from newsletter.errors import ConfigError, UsageError
from newsletter.lint.caniemail import Client, clients, facts
from newsletter.lint.caniemail.distil import LARGEST, distilled
from newsletter.lint.caniemail.facts import TABLE, Facts
from newsletter.lint.caniemail.features import UNSEEN, slugs
from newsletter.model import Readership

# With the tag: by the bare name npm takes the newest that runs on this Node, and nothing is run.
PACKAGE = "caniemail@latest"
NEEDED = frozenset(("html-style", "css-at-media"))
PATIENCE_S = 120


@click.command("clients")
@click.option(
    "--update",
    "source",
    is_flag=False,
    flag_value=PACKAGE,
    metavar="[FILE]",
    help="Read caniemail's facts anew: from a .tgz or .json, else from npm's registry.",
)
@json_option
@click.pass_obj
def clients_command(desk: Desk, source: str | None, as_json: bool) -> None:
    """List the mail clients that `check` knows, with their share of your readers.

    The shares are those of `[check] clients` in the configuration, else an estimate. Nothing is
    fetched but by --update without a file, which runs `npm pack caniemail@latest`.
    """
    if source is not None:
        change = _update(source)
        answer(change.as_json(), as_json=as_json, text=change.text())
        return
    found = clients(_readership(desk))
    answer({"command": "clients", **_as_json(found)}, as_json=as_json, text=_listing(found))


def _readership(desk: Desk) -> Readership:
    """That of the publication, if there is one here."""
    try:
        return desk.config.tables.check.readership()
    except ConfigError as error:
        if error.code != "config.none":
            raise
        return Readership()


def _as_json(found: tuple[Client, ...]) -> dict[str, object]:
    rows = [
        {
            "id": each.id,
            "family": each.family,
            "name": each.name,
            "percent": round(each.weight, 2),
            "drops_style": each.drops_style,
        }
        for each in found
    ]
    return {"source": facts().source, "date": facts().date, "clients": rows}


def _listing(found: tuple[Client, ...]) -> str:
    width = max(len(each.id) for each in found)
    lines = [
        f"{each.weight:6.2f} %  {each.id:<{width}}  {each.name}"
        + ("  (drops <style>)" if each.drops_style else "")
        for each in found
    ]
    known = f"{len(facts().rows)} features of {len(found)} clients, as of {facts().date}"
    return "\n".join([*lines, f"{known} ({facts().source})"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an update brought: features whose line is another, new ones, those that are gone, and
    those that no rule knows yet."""

    facts: Facts
    changed: tuple[str, ...]
    added: tuple[str, ...]
    gone: tuple[str, ...]
    unread: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "command": "clients",
            "source": self.facts.source,
            "date": self.facts.date,
            "changed": list(self.changed),
            "added": list(self.added),
            "gone": list(self.gone),
            "unread": list(self.unread),
        }

    def text(self) -> str:
        lists = (
            ("changed", self.changed),
            ("new", self.added),
            ("gone", self.gone),
            ("without a rule yet", self.unread),
        )
        lines = [f"{len(names)} {word}: {', '.join(names)}" for word, names in lists if names]
        head = f"{self.facts.source}, as of {self.facts.date}: {len(self.facts.rows)} features"
        return "\n".join([head, *(lines or ["nothing has changed"])])


def _update(source: str) -> Change:
    """Make the table anew, beside the old one, and put it in its place when it can be read."""
    content, name = (_from_npm(), PACKAGE) if source == PACKAGE else _from_file(source)
    old = facts()
    fresh = TABLE.with_suffix(".new")
    try:
        fresh.write_text(distilled(content, name), "utf-8", newline="\n")
        new = facts(fresh)
        _refuse_less(old, new, name)
        fresh.replace(TABLE)
    except OSError as error:
        raise UsageError(
            f"{TABLE} cannot be written: {error.strerror}",
            hint="run it as whoever installed the program",
            code="clients.file",
        ) from error
    finally:
        fresh.unlink(missing_ok=True)
    return _change(old, new)


def _refuse_less(old: Facts, new: Facts, name: str) -> None:
    """Raise UsageError for a table that is older, or without what the rules stand on."""
    if new.date < old.date:
        raise UsageError(
            f"{name} is of {new.date}, what is here of {old.date}", code="clients.file"
        )
    lost = (NEEDED - new.rows.keys()) | (old.clients.keys() - new.clients.keys())
    if lost:
        raise UsageError(
            f"{name} has no {', '.join(sorted(lost))}, which `check` needs",
            hint="a newer version of newsletter may know how to do without",
            code="clients.file",
        )


def _change(old: Facts, new: Facts) -> Change:
    both = old.rows.keys() & new.rows.keys()
    return Change(
        facts=new,
        changed=tuple(sorted(slug for slug in both if old.rows[slug] != new.rows[slug])),
        added=tuple(sorted(new.rows.keys() - old.rows.keys())),
        gone=tuple(sorted(old.rows.keys() - new.rows.keys())),
        unread=tuple(sorted(new.rows.keys() - slugs() - UNSEEN)),
    )


def _from_file(source: str) -> tuple[bytes, str]:
    try:
        if Path(source).stat().st_size > LARGEST:
            raise UsageError(f"{source} is too large", code="clients.file")
        return Path(source).read_bytes(), source
    except OSError as error:
        raise UsageError(
            f"{source} cannot be read: {error.strerror}", code="clients.file"
        ) from error


def _from_npm() -> bytes:
    """The package from the registry that npm is set up for; npm checks its digest."""
    if shutil.which("npm") is None:
        raise UsageError(
            "npm is not installed",
            hint="run `npm pack caniemail@latest` where there is one, then here: "
            "newsletter clients --update FILE",
            code="clients.npm",
        )
    note(f"fetching from npm's registry: npm pack {PACKAGE}")
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", PACKAGE, "--ignore-scripts", "--pack-destination", folder]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, timeout=PATIENCE_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"npm said nothing for {PATIENCE_S} s", code="clients.npm") from error
        packed = next(Path(folder).glob("*.tgz"), None)
        if done.returncode or packed is None:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise UsageError(
                f"npm pack {PACKAGE} failed: {said[-1] if said else 'it said nothing'}",
                hint="or give a file: newsletter clients --update FILE",
                code="clients.npm",
            )
        return packed.read_bytes()
