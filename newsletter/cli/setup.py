"""init, config, completion: making a publication and knowing its settings."""

from __future__ import annotations

import json
from pathlib import Path

import click

from newsletter.cli.boundary import Desk, answer, json_option
from newsletter.config import checked, schema
from newsletter.errors import UsageError
from newsletter.model.look import SHIPPED_LOOKS
from newsletter.sample import sample_toml

IGNORED = """\
# People, keys and mails never go into git.
.newsletter/
build/
preview/
.env
*.csv
"""

FIRST_ISSUE = """\
---
title: "Hello, and what you can expect from us"
date: {date:%Y-%m-%d %H:%M:%S %z}
number: 1
teaser: Who we are, how often we write, and how to stop it.
---

Hello {{{{ first_name | friend }}}},

this is the first issue of {name}. It is a Markdown file in `issues/`; whatever you write here
becomes a mail.

## What is in it

- one article, short enough for a cup of tea
- **one** thing to try
- a link back to the [issue before](https://example.org/), once there is one

> A letter is a conversation with half of the people away.

Until next time!
"""

TEMPLATES = """\
Templates you put here replace the built-in ones, file by file: for example a `partials/footer.html`
of your own. Everything you do not replace keeps coming with the program. To copy one for editing:
`newsletter theme eject`. Colours, fonts and the look need no template: `newsletter theme list`.
"""


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--name", help="The publication's name.")
@click.option("--from", "sender", metavar="MAILBOX", help="Such as: Ana <ana@letters.example.org>")
@click.option("--base-url", help="Where its web pages live, such as https://letters.example.org")
@click.option("--look", type=click.Choice(SHIPPED_LOOKS), help="How it looks (default: letter).")
@json_option
@click.pass_obj
def init_command(
    desk: Desk,
    folder: Path,
    name: str | None,
    sender: str | None,
    base_url: str | None,
    look: str | None,
    as_json: bool,
) -> None:
    """Make a new publication in FOLDER: configuration, first issue, templates, .gitignore.

    Asks nothing; existing files are never touched, and a name or an address that cannot be used
    is refused before anything is made.
    """
    folder = desk.folder / folder
    if (folder / "newsletter.toml").exists():
        raise UsageError(f"{folder} is a publication already", hint="newsletter -C DIR list")
    title = name or folder.resolve().name.replace("-", " ").replace("_", " ").title()
    text = sample_toml(
        title,
        base_url or "https://letters.example.org",
        sender or f"{_display_name(title)} <letters@letters.example.org>",
        look or "",
    )
    checked(folder / "newsletter.toml", text)
    issue = FIRST_ISSUE.format(date=desk.now(), name=title)
    contents = {
        "newsletter.toml": text,
        f"issues/{desk.now():%Y-%m-%d}-hello.md": issue,
        "templates/README.md": TEMPLATES,
        ".gitignore": IGNORED,
    }
    made = [path for path, content in contents.items() if _write_new(folder / path, content)]
    where = "" if folder == Path() else f"cd {folder}\n  "
    lines = "\n".join(f"created   {folder / path}" for path in made)
    text = (
        f"{lines}\nnext\n  {where}newsletter preview\n  newsletter test latest --to you@example.com"
    )
    answer({"command": "init", "folder": str(folder), "created": made}, as_json=as_json, text=text)


def _display_name(title: str) -> str:
    """The title without what would end a display name early."""
    return "".join(c for c in title if c not in '"<>')


def _write_new(path: Path, content: str) -> bool:
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8", newline="\n")
    return True


@click.group("config", context_settings={"help_option_names": ["-h", "--help"]})
def config_command() -> None:
    """The configuration: newsletter.toml, or [tool.newsletter] in pyproject.toml."""


@config_command.command("show")
@json_option
@click.pass_obj
def show(desk: Desk, as_json: bool) -> None:
    """Print every setting with its value. Secrets are never read here."""
    config = desk.config
    tables = config.tables.model_dump(by_alias=True, exclude_none=True)
    lines = [f"# {config.path}"]
    for name, table in tables.items():
        nested = {name: table} if name != "relay" else {f"relay.{k}": v for k, v in table.items()}
        for title, keys in nested.items():
            lines.append(f"[{title}]")
            lines += [
                f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items()
            ]
    facts = {"command": "config show", "file": str(config.path), "config": tables}
    answer(facts, as_json=as_json, text="\n".join(lines))


@config_command.command("schema")
@json_option
def show_schema(as_json: bool) -> None:
    """Print the configuration's JSON Schema, for editors."""
    if as_json:
        answer({"command": "config schema", "schema": schema()}, as_json=True)
    else:
        click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@json_option
def completion_command(shell: str, as_json: bool) -> None:
    """Print the completion script for SHELL.

    For bash: eval "$(newsletter completion bash)"
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    from newsletter.cli import cli  # noqa: PLC0415

    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f"no completion for {shell}")
    script = kind(cli, {}, "newsletter", "_NEWSLETTER_COMPLETE").source()
    answer(
        {"command": "completion", "shell": shell, "script": script}, as_json=as_json, text=script
    )
