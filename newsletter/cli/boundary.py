"""What every command shares: the desk it works at, how it answers, how it fails."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from newsletter.errors import NewsletterError, StoreError, UsageError

if TYPE_CHECKING:
    from newsletter.audience.tokens import Keys
    from newsletter.config import Config
    from newsletter.model import Letter
    from newsletter.shelf import Shelf
    from newsletter.store import Store

F = TypeVar("F", bound=Callable[..., Any])
JSON_VERSION = 1
# Control characters, line and paragraph separators, marks of direction, halves of surrogate pairs.
UNPRINTABLE = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
JSON_WANTED = "newsletter.json"


class Failure(click.ClickException):
    """A NewsletterError on its way to the terminal, with its exit code."""

    def __init__(self, error: NewsletterError, ctx: click.Context) -> None:
        super().__init__(str(error))
        self.exit_code = error.exit_code  # type: ignore[misc]  # click declares a class variable
        self.error = error
        self.as_json = json_wanted(ctx)
        self.color = ctx.color  # the context, and --no-color with it, is gone when this is shown

    def show(self, file: IO[Any] | None = None) -> None:
        if self.as_json:
            answer({"error": self.error.as_json(), "exit": self.exit_code}, as_json=True)
        else:
            text = click.style("Error: ", fg="red") + printable(str(self.error))
            click.echo(text, err=True, color=self.color)


@contextmanager
def boundary(ctx: click.Context) -> Iterator[None]:
    """The one place where errors become messages and exit codes: ours, files that cannot be read
    or written, and with --json those of the command line itself. Bugs keep their traceback."""
    try:
        yield
    except NewsletterError as error:
        raise Failure(error, ctx) from error
    except OSError as error:
        if error.filename is None or error.strerror is None:
            raise
        where = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename
        raise Failure(NewsletterError(error.strerror, path=str(where), code="file"), ctx) from error
    except click.UsageError as error:
        if not json_wanted(ctx):
            raise
        raise Failure(UsageError(error.format_message()), ctx) from error


def printable(text: str) -> str:
    """`text` without control characters but line ends: articles, replies and CSV cells are
    hostile to a terminal (deliverability 7.30)."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


@dataclass(slots=False)
class Desk:
    """Where a command works: the folder it was started in, the environment, and on demand the
    configuration, letter, keys and store of the publication. `given` is a configuration that is in
    no file of that folder."""

    folder: Path
    environ: Mapping[str, str]
    state_folder: Path | None = field(default=None)
    given: Config | None = field(default=None)

    @cached_property
    def config(self) -> Config:
        from newsletter.config import load_config  # noqa: PLC0415

        return self.given or load_config(self.folder)

    def anew(self) -> Desk:
        """The same desk before anything was read."""
        return Desk(self.folder, self.environ, self.state_folder, self.given)

    @cached_property
    def letter(self) -> Letter:
        return self.config.letter()

    @property
    def state(self) -> Path:
        return self.state_folder or self.config.state_folder

    @cached_property
    def keys(self) -> Keys:
        from newsletter.audience.tokens import load_keys  # noqa: PLC0415

        return load_keys(self.state, self.environ)

    def shelf(self) -> Shelf:
        """The publication's issues as they are now."""
        from newsletter.shelf import Shelf  # noqa: PLC0415

        return Shelf.of(self.letter, self.now())

    @property
    def database(self) -> Path:
        """The SQLite file of the publication. Raises StoreError when it is to be no file."""
        if self.state_folder is not None:
            return self.state_folder / "newsletter.db"
        scheme, _, path = self.config.database_url.partition(":")
        if scheme != "sqlite":
            raise StoreError(f"no store for {scheme}: use sqlite:PATH")
        return Path(path)

    def open_store(self) -> Store:
        """The publication's store; the database is made when there is none."""
        from newsletter.store import open_store  # noqa: PLC0415

        return open_store(f"sqlite:{self.database}")

    @contextmanager
    def asked_store(self) -> Iterator[Store]:
        """The publication's store for a question. Where there is none yet it is an empty one that
        is gone afterwards: a question writes nothing."""
        from tempfile import TemporaryDirectory  # noqa: PLC0415

        from newsletter.store import open_store  # noqa: PLC0415

        if self.database.exists():
            with self.open_store() as store:
                yield store
            return
        with (
            TemporaryDirectory(prefix="newsletter-") as folder,
            open_store(f"sqlite:{folder}/empty.db") as store,
        ):
            yield store

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC)


def json_option(command: F) -> F:
    """Add `--json` to a command."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        is_eager=True,
        callback=_remember,
        help="Answer as one JSON object.",
    )(command)


def _remember(ctx: click.Context, _option: click.Parameter, wanted: bool) -> bool:
    """Keep the flag where the error boundary finds it, whatever fails after it was parsed."""
    ctx.meta[JSON_WANTED] = wanted
    return wanted


def remember_json(ctx: click.Context, args: list[str]) -> None:
    """Keep whether --json is among the words of the command line, before any of them can fail."""
    options = args[: args.index("--")] if "--" in args else args
    ctx.meta[JSON_WANTED] = "--json" in options


def json_wanted(ctx: click.Context) -> bool:
    """Whether --json stands on the command line of the running command."""
    return bool(ctx.meta.get(JSON_WANTED, False))


def answer(facts: Mapping[str, Any], *, as_json: bool, text: str = "") -> None:
    """Print the command's answer on stdout: `text` for people, `facts` as JSON for programs."""
    if as_json:
        text = json.dumps({"v": JSON_VERSION, **facts}, ensure_ascii=False, default=str)
        click.echo(UNPRINTABLE.sub(_escaped, text))
    elif text:
        click.echo(printable(text))


def _escaped(match: re.Match[str]) -> str:
    r"""The character as JSON's \uXXXX: C1 controls move a cursor, half a surrogate pair cannot be
    written at all."""
    return json.dumps(match[0])[1:-1]


def note(text: str) -> None:
    """Print a remark for people on stderr."""
    click.echo(printable(text), err=True)


def note_at_once(text: str) -> None:
    """As `note`, for a signal handler: what it interrupts may be in the middle of a write to
    stderr, and a buffered stream that is entered twice raises RuntimeError."""
    with suppress(OSError, ValueError):  # nobody is there to read it
        os.write(sys.stderr.fileno(), f"{printable(text)}\n".encode())


def interactive() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty()


def mark(good: bool) -> str:
    """A tick or a cross, in ASCII where the terminal cannot draw it."""
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    if encoding.replace("-", "") in ("utf8", "utf16", "cp65001"):
        return "✓" if good else "✗"
    return "ok" if good else "X"
