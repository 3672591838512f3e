"""The templates of a publication, file by file: which there are, whose wins, which nobody reads.

Enters: folders, the first of which wins. Leaves: names with slashes, as an include writes them.
Renders nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import meta
from jinja2.environment import Environment
from jinja2.exceptions import TemplateSyntaxError

# What people keep beside templates, and what editors leave behind.
NO_TEMPLATES = (".md", ".orig", ".bak", ".rej", ".swp")
# A look is chosen by name, so no template mentions its files.
LOOKS = "looks/"


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A template that comes with the program; `own` is the publication's file that replaces it."""

    name: str
    built_in: Path
    own: Path | None


def template_files(own: Path, built_in: Path) -> tuple[TemplateFile, ...]:
    """Every built-in template by name, with the file that replaces it."""
    apart = own.resolve() != built_in.resolve()
    return tuple(
        TemplateFile(
            name, built_in / name, own / name if apart and (own / name).is_file() else None
        )
        for name in _names(built_in)
    )


def unread(own: Path, built_in: Path, environment: Environment) -> Iterator[tuple[str, str]]:
    """The own files that replace no built-in one and that no template mentions, each with the name
    that may have been meant, or ""."""
    known = _names(built_in)
    names = [name for name in _names(own) if name not in known] if own.is_dir() else []
    mentioned = _mentioned((own, built_in), environment) if names else set()
    for name in names:
        if name not in mentioned and not name.startswith(LOOKS):
            yield name, nearest(name, known)


def nearest(name: str, known: list[str]) -> str:
    """The known name that may have been meant, by its path or by its last part, or ""."""
    by_last = {each.rpartition("/")[2]: each for each in known}
    [whole] = difflib.get_close_matches(name.lower(), known, 1, 0.75) or [""]
    [last] = difflib.get_close_matches(name.lower().rpartition("/")[2], by_last, 1, 0.75) or [""]
    return whole or by_last.get(last, "")


def _names(folder: Path) -> list[str]:
    files = (file.relative_to(folder) for file in sorted(folder.rglob("*")) if file.is_file())
    return [
        file.as_posix()
        for file in files
        if file.suffix.lower() not in NO_TEMPLATES
        and not file.stem.lower().startswith("readme")
        and not any(part.startswith(".") or part.endswith("~") for part in file.parts)
    ]


def _mentioned(folders: tuple[Path, ...], environment: Environment) -> set[str]:
    """The names that includes, imports and extends of all templates write out."""
    found: set[str] = set()
    for folder in folders:
        for name in _names(folder):
            found.update(_references(folder / name, environment))
    return found


def _references(file: Path, environment: Environment) -> Iterator[str]:
    """None for a file that is no template: saying so is the rendering's business."""
    try:
        tree: Any = environment.parse(file.read_text("utf-8"), file.name)
    except (TemplateSyntaxError, UnicodeDecodeError):
        return
    yield from (name for name in meta.find_referenced_templates(tree) if name)
