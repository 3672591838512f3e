"""The command line: thin Click verbs over the floors below, and one error boundary.

Command modules are imported only when their command runs: `newsletter --help` stays under 200 ms.
The answer goes to stdout; progress, notes and prompts go to stderr.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import click

from newsletter import __version__
from newsletter.cli.boundary import Desk, boundary, remember_json

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "demo": ("demo", "Compose, preview and send a sample letter on this machine."),
        "init": ("setup", "Make a new publication in a folder."),
        "doctor": ("doctor", "Check this publication and this machine."),
    },
    "Write": {
        "new": ("writing", "Start a new article."),
        "list": ("writing", "List the issues and what became of them."),
        "build": ("building", "Write issues as .html, .txt and .eml files."),
        "check": ("checking", "Say what is wrong with issues, before anybody gets them."),
        "preview": ("preview", "Serve the issues and the inbox on this machine."),
    },
    "Send": {
        "test": ("proving", "Mail a proof of an issue to yourself."),
        "send": ("sending", "Send an issue to the subscribers."),
        "resume": ("steering", "Go on with a send that was interrupted."),
        "pause": ("steering", "Stop a send after the mails in flight."),
        "cancel": ("steering", "Give a send up, or take it back."),
        "retry": ("steering", "Try again to reach who did not get it."),
        "worker": ("clockwork", "Do what is due, and wait for what will be."),
        "tick": ("clockwork", "Do what is due, once; for cron."),
        "status": ("status", "Who got it, who did not."),
        "report": ("reporting", "What became of an issue, explained; as a page too."),
        "subscribers": ("people", "Add, list, import, export, unsubscribe people."),
    },
    "More": {
        "clients": ("clients", "List mail clients and their share of your readers."),
        "theme": ("theming", "List looks and tokens, copy templates for editing."),
        "dkim": ("signing", "Make the key that mail is signed with."),
        "config": ("setup", "Show the configuration, or its schema."),
        "completion": ("setup", "Print the completion script for a shell."),
    },
}
COMMANDS = {name: row for section in SECTIONS.values() for name, row in section.items()}


class Verbs(click.Group):
    """The top of the command tree: lazy commands, sections in the help, the error boundary."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"newsletter.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            # Click guesses among loaded commands, and none is loaded.
            raise click.exceptions.NoSuchCommand(
                args[0], possibilities=list(COMMANDS), ctx=ctx
            ) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, row[1]) for name, row in commands.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        remember_json(ctx, args)
        with boundary(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        with boundary(ctx):
            return super().invoke(ctx)


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "NEWSLETTER"},
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@click.option(
    "-C",
    "--project",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    show_default=False,
    help="The publication's folder (default: found by walking up from here).",
)
@click.option("--no-color", is_flag=True, help="No colours (also: NO_COLOR=1).")
@click.pass_context
def cli(ctx: click.Context, folder: Path, no_color: bool) -> None:
    """Write issues in Markdown, keep them in git, send them through any SMTP relay, and know
    exactly who got them.

    An ISSUE is named by its path, slug, number, a unique prefix, or `latest`.

    Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 an article, template or check is
    wrong, 4 finished but some recipients failed, are deferred or unknown, 5 stopped with work left,
    6 refused by a guard, 75 the relay is not available.
    """
    if no_color or os.environ.get("NO_COLOR"):
        ctx.color = False
    ctx.obj = Desk(folder=folder, environ=os.environ)


def main() -> None:
    """The entry point `newsletter`, and of send.py."""
    cli(prog_name="newsletter")


__all__ = ["cli", "main"]
