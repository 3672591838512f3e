"""doctor: local checks of this publication and this machine. Nothing is sent or fetched."""

from __future__ import annotations

import os
import platform
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click

from newsletter.cli.boundary import Desk, answer, json_option, mark
from newsletter.cli.dry_run import people
from newsletter.cli.findings import counted
from newsletter.config.signing import aligned
from newsletter.credentials import example_left, load_relay, relay_names, signing_keys
from newsletter.delivery.origin import tracked_files
from newsletter.errors import NewsletterError
from newsletter.mime.dkim_keys import dns_name, load_key
from newsletter.model import Severity, SubscriberStatus

EXIT_UNSOUND = 3
MOST_PEOPLE = 200_000
LARGEST_SEARCHED = 2_000_000
FEW_ADDRESSES = 3
ADDRESS = re.compile(r"[^\s<>,;:\"'()|]+@[a-z0-9.-]+[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result; `hint` says what to do when it is not good."""

    good: bool
    what: str
    hint: str = ""


@click.command("doctor")
@json_option
@click.pass_obj
def doctor_command(desk: Desk, as_json: bool) -> None:
    """Check this publication and this machine: configuration, articles, database, secrets, git.

    Exit 3 when something must be mended. Local only: nothing is sent or fetched.
    """
    # A fault of the configuration stops every check; it is one thing to mend.
    findings = list(dict.fromkeys(finding for check in CHECKS for finding in _run(check, desk)))
    bad = [finding for finding in findings if not finding.good]
    lines = [
        f"  {mark(finding.good)} {finding.what}"
        + (f"\n      {finding.hint}" if finding.hint else "")
        for finding in findings
    ]
    lines.append(f"{len(bad)} to mend." if bad else "All is well.")
    facts = {
        "command": "doctor",
        "findings": [{"ok": f.good, "what": f.what, "hint": f.hint} for f in findings],
        "exit": EXIT_UNSOUND if bad else 0,
    }
    answer(facts, as_json=as_json, text="\n".join(lines))
    if bad:
        click.get_current_context().exit(EXIT_UNSOUND)


def _run(check: Callable[[Desk], Iterator[Finding]], desk: Desk) -> Iterator[Finding]:
    try:
        yield from check(desk)
    except NewsletterError as error:
        yield Finding(
            False,
            f"{error.where}: {error.message}" if error.where else error.message,
            error.hint or "",
        )


def python_and_configuration(desk: Desk) -> Iterator[Finding]:
    """The interpreter, and the configuration it read."""
    config = desk.config
    yield Finding(True, f"python {platform.python_version()}")
    yield Finding(
        True, f"{config.path.name}: {config.tables.letter.name}, {desk.letter.timezone.key}"
    )


def articles(desk: Desk) -> Iterator[Finding]:
    """Every article can be read, and the newest one composed."""
    shelf = desk.shelf()
    for error in shelf.archive.errors:
        yield Finding(False, f"{error.where}: {error.message}", error.hint or "")
    count = len(shelf.archive.articles)
    hint = f'nothing in {desk.config.tables.letter.issues}/: newsletter new "Hello"'
    yield Finding(count > 0, f"{counted(count, 'article')}", "" if count else hint)
    if count:
        article = shelf.archive.articles[-1]
        composed = shelf.compose(article)
        for problem in composed.problems:
            if problem.severity is Severity.ERROR:
                yield Finding(
                    False, f"{problem.path}:{problem.line}: {problem.message}", problem.hint
                )
        size = len(composed.email.html.encode())
        yield Finding(size < 102_400, f"{article.slug} composes: {size / 1024:.0f} KB of HTML")


def database(desk: Desk) -> Iterator[Finding]:
    """The database opens, and somebody is in it."""
    with desk.asked_store() as store:
        census = store.census()
    active = census[SubscriberStatus.ACTIVE]
    yield Finding(True, f"database: {people(sum(census.values()))}, {active} active")


def privacy(desk: Desk) -> Iterator[Finding]:
    """People and keys: readable by their owner only, and not in git (7.32, 7.37)."""
    folder = desk.config.state_folder
    for path in sorted(folder.rglob("*")) if os.name == "posix" and folder.is_dir() else ():
        if "pictures" in path.relative_to(folder).parts:  # they are on the web anyway
            continue
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield Finding(
                False,
                f"{path.relative_to(desk.config.root)} is readable by others",
                f"chmod go= {path}",
            )
    tracked = tracked_files(desk.config.root)
    in_git = [*_secrets_in_git(tracked), *_people_in_git(desk, tracked)]
    yield from in_git or [Finding(True, "no people, keys or secrets in git")]


def _secrets_in_git(tracked: list[str]) -> Iterator[Finding]:
    """Tracked files that are private by their name."""
    for name in filter(_private, tracked):
        hint = f"git rm --cached {name}, and change what it held"
        yield Finding(False, f"{name} is in git", hint)


def _people_in_git(desk: Desk, tracked: list[str]) -> Iterator[Finding]:
    """Tracked files that name more than three subscribers: history cannot be erased."""
    with desk.asked_store() as store:
        known = {person.address.casefold() for person in islice(store.subscribers(), MOST_PEOPLE)}
    for name in tracked if known else ():
        path = desk.config.root / name
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_SEARCHED:
            continue
        text = path.read_text("utf-8", "replace").casefold()
        found = len(known.intersection(ADDRESS.findall(text)))
        if found > FEW_ADDRESSES:
            hint = f"git rm --cached {name}, and tell git to ignore it; its history keeps them"
            yield Finding(False, f"{name} is in git and names {found} subscribers", hint)


def _private(name: str) -> bool:
    path = Path(name)
    return ".newsletter" in path.parts or path.name == ".env" or path.suffix in (".pem", ".db")


def relays(desk: Desk) -> Iterator[Finding]:
    """Each relay's settings and secret are there."""
    for name in relay_names(desk.config):
        relay = load_relay(desk.config, name, desk.environ)
        tls = f" {relay.tls.value}" if relay.kind == "smtp" else ""
        login = f", login {relay.username}" if relay.username else ""
        authors = desk.config.tables.relay[name].from_ if name in desk.config.tables.relay else []
        only = f", only for mail from {', '.join(authors)}" if authors else ""
        if example := example_left(desk.letter, relay):
            yield Finding(
                False, f"relay {name} reaches people, but {example}", "newsletter config show"
            )
        good = relay.username is None or relay.password is not None
        yield Finding(
            good,
            f"relay {name}: {relay.kind}, {relay.place}{tls}{login}{only}",
            "" if good else "a username without a password: set password_env",
        )


def signatures(desk: Desk) -> Iterator[Finding]:
    """Each key of [dkim] can be read by us alone, and is one."""
    for key in signing_keys(desk.config, desk.environ):
        load_key(key)
        yield Finding(True, f"signed as {dns_name(key)}", "its record: newsletter dkim show")


def bounces(desk: Desk) -> Iterator[Finding]:
    """Where bounces go: SPF says nothing for the author unless both are of one organisation."""
    domain, author = desk.letter.bounce_domain, desk.letter.sender.domain.lower()
    if domain:
        good = aligned(domain, author)
        hint = "it wants an MX and an SPF record in the DNS"
        stray = f"SPF does not speak for {author} then (DMARC): take a name above or below it"
        yield Finding(good, f"bounces come back to {domain}", hint if good else stray)


CHECKS: tuple[Callable[[Desk], Iterator[Finding]], ...] = (
    python_and_configuration,
    articles,
    database,
    privacy,
    relays,
    signatures,
    bounces,
)
