"""Agreeing to a send: a number typed at the prompt, or flags that say what is expected."""

from __future__ import annotations

from dataclasses import dataclass

import click

from newsletter.cli.boundary import interactive, note
from newsletter.errors import SendRefused, UsageError


def expected(text: str) -> range:
    """`N` or `A..B`, both ends included. Raises BadParameter for anything else."""
    first, dots, last = text.partition("..")
    try:
        return range(int(first), int(last if dots else first) + 1)
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither a number nor A..B") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """How the person agrees: typed at the prompt, or by --yes with the audience expected."""

    yes: bool
    expect: range | None

    def check(self, count: int, question: str) -> None:
        """Raises SendRefused when the audience is not as expected or the answer is not the
        number, UsageError when nobody can be asked."""
        if self.expect is not None and count not in self.expect:
            raise SendRefused(
                f"{count} recipients, expected {_span(self.expect)}: nothing was sent",
                hint="look: newsletter send ISSUE --dry-run",
                code="send.unexpected",
            )
        if self.yes:
            return
        if not interactive():
            raise UsageError(
                "nobody is at the terminal to confirm",
                hint=f"say it with flags: --yes --expect {count}",
                code="usage.needs_flag",
            )
        note(question)
        typed = click.prompt(
            "Type the number of recipients to send, anything else to stop",
            default="",
            show_default=False,
            err=True,
        )
        if typed.strip() != str(count):
            raise SendRefused("stopped: nothing was sent", code="send.declined")


def _span(expected: range) -> str:
    return str(expected[0]) if len(expected) == 1 else f"{expected.start}..{expected.stop - 1}"
