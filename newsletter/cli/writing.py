"""new, list, build: from an idea to files that can be looked at."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from newsletter.articles import neighbours, published
from newsletter.cli.boundary import Desk, answer, json_option, note
from newsletter.cli.cores import on_every_core
from newsletter.cli.findings import counted, label, problem_as_json, warn
from newsletter.cli.theme_findings import theme_findings
from newsletter.compose.sent_pictures import kept, media_in
from newsletter.composed import first_error
from newsletter.delivery.specimen import part, specimen
from newsletter.errors import NewsletterError, UsageError
from newsletter.model import Article, Email, Letter, Mail, Problem, SendState
from newsletter.shelf import Shelf

ARTICLE = """---
title: {title}
date: {date:%Y-%m-%d %H:%M:%S %z}
{number}draft: true
teaser:
---

Hello {{{{ first_name | friend }}}},

"""


@click.command("new")
@click.argument("title")
@click.option("--slug", help="Name in the file name and the URL (default: made from the title).")
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="Day of publication.")
@json_option
@click.pass_obj
def new_command(
    desk: Desk, title: str, slug: str | None, date: datetime | None, as_json: bool
) -> None:
    """Start a new article, as a draft, with the next number and today's date."""
    if slug is not None and slug_of(slug) != slug:
        raise UsageError(
            f"{slug!r} is no slug: lower-case letters and digits, joined by hyphens",
            hint=f"such as --slug {slug_of(slug)}",
        )
    shelf = desk.shelf()
    letter = shelf.letter
    when = (date or shelf.now.astimezone(letter.timezone)).replace(tzinfo=letter.timezone)
    name = slug or slug_of(title)
    path = letter.issues / f"{when:%Y-%m-%d}-{name}.md"
    if path.exists() or any(article.slug == name for article in shelf.archive.articles):
        raise UsageError(f"there is an issue called `{name}` already", hint="choose: --slug NAME")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_skeleton(title, when, _next_number(shelf)), "utf-8", newline="\n")
    article = desk.shelf().find(name)
    older, _ = neighbours(published(shelf.archive, shelf.now), article)
    text = f"created   {article.path}      {label(article)}, draft"
    if older:
        text += f"\nprevious  {label(older)}: its teaser goes into this issue"
    text += "\nlook      newsletter preview\nsend      remove `draft: true`, then: newsletter send "
    answer(
        {"command": "new", "file": str(article.path), "slug": name, "number": article.number},
        as_json=as_json,
        text=text + name,
    )


def _skeleton(title: str, when: datetime, number: int | None) -> str:
    quoted = '"' + title.replace("\\", "\\\\").replace('"', '\\"') + '"'
    line = f"number: {number}\n" if number is not None else ""
    return ARTICLE.format(title=quoted, date=when, number=line)


def _next_number(shelf: Shelf) -> int | None:
    numbers = [a.number for a in shelf.archive.articles if a.number is not None]
    return max(numbers) + 1 if numbers else None


def slug_of(title: str) -> str:
    """The title in lower-case ASCII words joined by hyphens; "issue" when nothing is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].rstrip("-") or "issue"


@click.command("list")
@click.option("--drafts", is_flag=True, help="Only drafts.")
@json_option
@click.pass_obj
def list_command(desk: Desk, drafts: bool, as_json: bool) -> None:
    """List the issues, newest first, and what became of them."""
    shelf = desk.shelf()
    states = _send_states(desk)
    rows = [
        (article, state_of(article, states, shelf.now))
        for article in reversed(shelf.archive.articles)
        if article.draft or not drafts
    ]
    facts = [
        {
            "slug": article.slug,
            "number": article.number,
            "title": article.title,
            "date": article.date.isoformat() if article.date else None,
            "state": state,
            "file": str(article.path),
        }
        for article, state in rows
    ]
    errors = [error.as_json() for error in shelf.archive.errors]
    text = "\n".join(_row(article, state, shelf.letter) for article, state in rows)
    if not rows:
        folder = desk.config.tables.letter.issues
        note(f'no issues in {folder}/ (`issues` in [letter]). Start one: newsletter new "Hello"')
    answer({"command": "list", "issues": facts, "errors": errors}, as_json=as_json, text=text)
    _report(shelf.archive.errors)


def state_of(article: Article, sends: dict[str, SendState], now: datetime) -> str:
    """draft, scheduled, ready, or what the ledger says of its latest send."""
    if article.slug in sends:
        state = sends[article.slug]
        return "sent" if state is SendState.DONE else state.value
    if article.draft:
        return "draft"
    return "scheduled" if article.date and article.date > now else "ready"


def _row(article: Article, state: str, letter: Letter) -> str:
    when = f"{article.date.astimezone(letter.timezone):%Y-%m-%d}" if article.date else "          "
    number = f"#{article.number}" if article.number is not None else ""
    return f"{number:>5}  {when}  {state:<9}  {article.title}  ({article.slug})"


def _send_states(desk: Desk) -> dict[str, SendState]:
    with desk.asked_store() as store:
        return {send.slug: send.state for send in store.sends()}


def _report(errors: tuple[NewsletterError, ...] | list[NewsletterError]) -> None:
    if errors:
        for error in errors:
            note(f"Error: {error}")
        click.get_current_context().exit(errors[0].exit_code)


@click.command("build")
@click.argument("issues", nargs=-1, metavar="[ISSUE]...")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build"),
    show_default=True,
    help="Folder for SLUG.html, SLUG.txt and SLUG.eml.",
)
@json_option
@click.pass_obj
def build_command(desk: Desk, issues: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Write issues (default: every one that is no draft) as .html, .txt and .eml files.

    Files are as an invented reader, Ada Example, would get them; the same sources always give the
    same bytes. A bad article is named with its file and line; every other one is still built. The
    pictures go to DIR/media/, which is what belongs at base_url/media/ on your web server, with
    those that mails show which were sent from here; delete none there that others were sent with.
    """
    shelf = desk.shelf()
    chosen = [shelf.find(name) for name in issues] or [
        article for article in shelf.archive.articles if not article.draft
    ]
    errors: list[NewsletterError] = [] if issues else list(shelf.archive.errors)
    warn(shelf.archive.warnings)
    out.mkdir(parents=True, exist_ok=True)
    for path, file in kept(shelf.letter):
        _copy(file, out / "media" / path)
    wanted = len(chosen) + len(errors)
    built = list(_build(shelf, chosen, out, errors))
    warn(theme_findings(desk.config, shelf) if built else ())
    facts = {"command": "build", "out": str(out), "built": built}
    text = f"built {len(built)} of {counted(wanted, 'issue')} in {out}"
    answer(
        {**facts, "errors": [error.as_json() for error in errors]},
        as_json=as_json,
        text=text if errors else f"built {counted(len(built), 'issue')} in {out}",
    )
    _report(errors)


def _build(
    shelf: Shelf, chosen: list[Article], out: Path, errors: list[NewsletterError]
) -> Iterator[dict[str, object]]:
    built = on_every_core(lambda article: _build_one(shelf, article, out), chosen)
    for article, (problems, html_bytes, fault) in zip(chosen, built, strict=True):
        warn(problems)
        if fault:
            errors.append(fault)
            continue
        yield {
            "slug": article.slug,
            "html_bytes": html_bytes,
            "problems": [problem_as_json(problem) for problem in problems],
        }


def _build_one(
    shelf: Shelf, article: Article, out: Path
) -> tuple[tuple[Problem, ...], int, NewsletterError | None]:
    """What composing found, the bytes of the page that was written, and why it must not be sent."""
    try:
        composed = shelf.compose(article)
        mail = specimen(composed.email, article, shelf.letter)
    except NewsletterError as error:
        return (), 0, error
    page = _write(composed.email, mail, shelf.letter, out)
    return composed.problems, len(page), first_error(composed)


def _write(email: Email, mail: Mail, letter: Letter, out: Path) -> bytes:
    """The page's bytes, written beside the text, the mail, and the pictures it shows. A page has
    its pictures on the web, also when the mail carries them along."""
    shown = part(mail.content, "html")
    for picture in email.pictures:
        shown = shown.replace(f'"cid:{picture.cid}"', f'"{picture.url}"')
    page = shown.encode()
    (out / f"{email.slug}.html").write_bytes(page)
    (out / f"{email.slug}.txt").write_text(part(mail.content, "plain"), "utf-8", newline="\n")
    (out / f"{email.slug}.eml").write_bytes(mail.content)
    for path, file in media_in(shown, letter).items():
        _copy(file, out / "media" / path)
    return page


def _copy(file: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, copy)
