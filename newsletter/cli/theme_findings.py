"""What is wrong with a publication's looks, with the line of the configuration or the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from newsletter.compose.palette import READABLE, Faint, too_faint
from newsletter.compose.template_files import unread
from newsletter.config import Config, line_of
from newsletter.defaults import default_folder
from newsletter.model import Problem, Severity
from newsletter.shelf import Shelf

PALETTE = "palette.jinja"


def theme_findings(config: Config, shelf: Shelf) -> tuple[Problem, ...]:
    """Colours that cannot be read on each other, and templates that nothing uses. Raises
    TemplateError and ComposeError for a theme that cannot be used at all."""
    return (*_faint(config, shelf), *_unread(config, shelf))


def _faint(config: Config, shelf: Shelf) -> Iterator[Problem]:
    light, dark = shelf.theme.colours()
    for faint in too_faint(light, dark):
        paint = light if faint.mode == "light" else dark
        path, line = _where(config, shelf, faint)
        yield Problem(
            path=path,
            line=line,
            severity=Severity.ERROR,
            code="theme-contrast",
            message=f"{faint.ink} {paint[faint.ink]} on {faint.ground} {paint[faint.ground]}"
            f"{' in the dark' if faint.mode == 'dark' else ''}: contrast {faint.ratio:.2f}",
            hint=f"text needs {READABLE:g}: move one of the two away from the other",
        )


def _where(config: Config, shelf: Shelf, faint: Faint) -> tuple[Path, int | None]:
    """The token's line; the palette of one's own, or one's own look, where no token says it."""
    letter = shelf.letter
    if (own := letter.templates / PALETTE).is_file() and _is_own(letter.templates):
        return _relative(own, config), None
    text = config.path.read_text("utf-8-sig")
    prefix = ("tool", "newsletter") if config.path.name == "pyproject.toml" else ()
    tokens = [name for name in (faint.ink, faint.ground) if name in letter.theme.tones]
    if tokens or letter.theme.tones:
        name = (tokens or list(letter.theme.tones))[0]
        return Path(config.path.name), line_of(text, (*prefix, "theme", name))
    return _relative(letter.templates / f"looks/{letter.theme.look}.jinja", config), None


def _unread(config: Config, shelf: Shelf) -> Iterator[Problem]:
    folder = shelf.letter.templates
    if not _is_own(folder):
        return
    built_in = default_folder("templates")
    for name, guess in unread(folder, built_in, shelf.theme.environment):
        yield Problem(
            path=_relative(folder / name, config),
            line=None,
            severity=Severity.WARNING,
            code="template-unused",
            message="replaces no built-in template, and no template uses it"
            + (f". Did you mean `{guess}`?" if guess else ""),
            hint="the names there are: newsletter theme eject",
        )


def _is_own(folder: Path) -> bool:
    return folder.resolve() != default_folder("templates").resolve()


def _relative(path: Path, config: Config) -> Path:
    return path.relative_to(config.root) if path.is_relative_to(config.root) else path
