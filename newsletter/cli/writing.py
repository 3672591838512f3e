"""new, list: from an idea to an article in its place."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

import click

from newsletter.articles import neighbours, published
from newsletter.cli.boundary import Desk, answer, json_option, note
from newsletter.cli.findings import label, report
from newsletter.delivery.stands import word_on
from newsletter.errors import UsageError
from newsletter.model import Article, Letter, SendEntry, SendState
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
    sends = _sends(desk)
    rows = [
        (article, _state_of(article, sends.get(article.slug), shelf.now))
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
            "at": at.isoformat() if (at := _due(sends.get(article.slug))) else None,
            "file": str(article.path),
        }
        for article, state in rows
    ]
    errors = [error.as_json() for error in shelf.archive.errors]
    said = [
        (article, state + _when(sends.get(article.slug), shelf.letter)) for article, state in rows
    ]
    width = max((len(state) for _, state in said), default=0)
    text = "\n".join(_row(article, f"{state:<{width}}", shelf.letter) for article, state in said)
    if not rows:
        folder = desk.config.tables.letter.issues
        note(f'no issues in {folder}/ (`issues` in [letter]). Start one: newsletter new "Hello"')
    answer({"command": "list", "issues": facts, "errors": errors}, as_json=as_json, text=text)
    report(shelf.archive.errors)


def _state_of(article: Article, send: SendEntry | None, now: datetime) -> str:
    return word_on(article, send.state if send else None, now)


def _due(send: SendEntry | None) -> datetime | None:
    """When a scheduled send will leave."""
    return send.not_before if send and send.state is SendState.PREPARING else None


def _when(send: SendEntry | None, letter: Letter) -> str:
    at = _due(send)
    return f" for {at.astimezone(letter.timezone):%Y-%m-%d %H:%M}" if at else ""


def _row(article: Article, state: str, letter: Letter) -> str:
    when = f"{article.date.astimezone(letter.timezone):%Y-%m-%d}" if article.date else "          "
    number = f"#{article.number}" if article.number is not None else ""
    return f"{number:>5}  {when}  {state}  {article.title}  ({article.slug})"


def _sends(desk: Desk) -> dict[str, SendEntry]:
    with desk.asked_store() as store:
        return {send.slug: send for send in store.entries()}
