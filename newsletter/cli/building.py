"""build: issues as files, for a web server or to look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import click

from newsletter.cli.boundary import Desk, answer, json_option
from newsletter.cli.cores import on_every_core
from newsletter.cli.findings import counted, problem_as_json, report, warn
from newsletter.cli.theme_findings import theme_findings
from newsletter.compose.sent_pictures import kept, media_in
from newsletter.composed import first_error
from newsletter.delivery.specimen import parts, specimen
from newsletter.errors import ComposeError, NewsletterError
from newsletter.model import Article, Email, Letter, Mail, Problem, Severity
from newsletter.shelf import Shelf


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
    looks = _on_the_looks(desk, shelf) if built else ()
    warn(looks)
    facts = {"command": "build", "out": str(out), "built": built}
    text = f"built {len(built)} of {counted(wanted, 'issue')} in {out}"
    answer(
        {**facts, "errors": [error.as_json() for error in _each_once(errors)]},
        as_json=as_json,
        text=text if errors else f"built {counted(len(built), 'issue')} in {out}",
    )
    report(errors)
    if any(problem.severity is Severity.ERROR for problem in looks):
        click.get_current_context().exit(ComposeError.exit_code)


def _on_the_looks(desk: Desk, shelf: Shelf) -> tuple[Problem, ...]:
    """What is wrong with the theme, as the publication judges it."""
    found = theme_findings(desk.config, shelf)
    if not found:
        return ()
    from newsletter.cli.judging import policy_of  # noqa: PLC0415 - the rules take their time

    return tuple(policy_of(desk.config).judge(found))


def _each_once(errors: list[NewsletterError]) -> list[NewsletterError]:
    """Without what a template says again for each issue."""
    return list({str(error): error for error in errors}.values())


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
    text, shown = parts(mail.content)
    for picture in email.pictures:
        shown = shown.replace(f'"cid:{picture.cid}"', f'"{picture.url}"')
    page = shown.encode()
    (out / f"{email.slug}.html").write_bytes(page)
    (out / f"{email.slug}.txt").write_text(text, "utf-8", newline="\n")
    (out / f"{email.slug}.eml").write_bytes(mail.content)
    for path, file in media_in(shown, letter).items():
        _copy(file, out / "media" / path)
    return page


def _copy(file: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, copy)
