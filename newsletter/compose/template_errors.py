"""What went wrong in a template, said to its designer.

Enters: an exception that Jinja2 raised, and the names in scope. Leaves: a TemplateError with
template:line and, for a name that is nowhere, the likeliest one. An exception that no template
caused is not ours to translate and gives None.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2.environment import TemplateModule
from jinja2.exceptions import (
    SecurityError,
    TemplateAssertionError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.utils import missing

from newsletter.compose.sandbox import UnknownNameError
from newsletter.errors import TemplateError
from newsletter.slots import SLOT


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a rendering looks things up: the folders of templates, the publication's root, the
    names at the top level and the names of slots."""

    folders: tuple[Path, ...]
    root: Path
    names: tuple[str, ...]
    fields: tuple[str, ...]

    def where(self, file: Path) -> str | None:
        """The template as people name it, relative to the publication or to its own folder; None
        for a file that is no template."""
        for folder in self.folders:
            if file.is_relative_to(folder):
                if folder.is_relative_to(self.root):
                    return str(file.relative_to(self.root))
                return f"{folder.name}/{file.relative_to(folder)}"
        return None

    def templates(self) -> list[str]:
        """Every template there is, by the name an include uses."""
        files = (file for folder in self.folders for file in sorted(folder.rglob("*")))
        return sorted(
            {
                file.relative_to(folder).as_posix()
                for file in files
                for folder in self.folders
                if file.is_file() and file.is_relative_to(folder)
            }
        )


@dataclass(frozen=True, slots=True)
class Place:
    """One line of one template."""

    file: Path | None
    where: str | None
    line: int | None

    @property
    def source(self) -> str:
        if self.file is None or self.line is None:
            return ""
        lines = self.file.read_text("utf-8").splitlines()
        return lines[self.line - 1] if self.line <= len(lines) else ""


def explain(error: Exception, scope: Scope) -> TemplateError | None:
    """The error as the designer reads it, or None when no template is to blame."""
    place = _place(error, scope)
    if isinstance(error, TemplateNotFound):
        return _missing_file(error, place, scope)
    if place is None:
        return None
    if isinstance(error, UnknownNameError):
        return _unknown_name(error, place, scope)
    if isinstance(error, TemplateAssertionError):
        return _unknown_filter(error, place, scope)
    if isinstance(error, SecurityError):
        message = f"not allowed in a template: {error}"
    elif isinstance(error, TemplateSyntaxError):
        message = f"{error.message}"
    elif isinstance(error, RecursionError):
        message = "templates or macros that include themselves without end"
    else:
        message = f"{type(error).__name__}: {error}"
    return TemplateError(message, path=place.where, line=place.line)


def _place(error: Exception, scope: Scope) -> Place | None:
    if isinstance(error, TemplateSyntaxError) and error.filename:
        file = Path(error.filename)
        return Place(file, scope.where(file), error.lineno)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        where = scope.where(file)
        if where is not None:
            return Place(file, where, frame.lineno)
    return None


def _missing_file(error: TemplateNotFound, place: Place | None, scope: Scope) -> TemplateError:
    name = str(error.name or "")
    message = str(error) if error.message and error.message != name else f"no template `{name}`"
    return TemplateError(
        f"{message}.{_did_you_mean(name, scope.templates())}",
        path=place.where if place else None,
        line=place.line if place else None,
        code="template.missing",
    )


def _unknown_name(error: UnknownNameError, place: Place, scope: Scope) -> TemplateError:
    typed = re.search(rf"[\w.]*\b{re.escape(error.name)}\b", place.source)
    expression = typed.group(0) if typed else error.name
    owner = expression.removesuffix(error.name)
    known = (
        [*scope.names, *scope.fields]
        if error.owner is missing
        else [owner + name for name in _names_of(error.owner)]
    )
    return TemplateError(
        f"`{expression}` is undefined.{_did_you_mean(expression, known)}",
        path=place.where,
        line=place.line,
        hint=f"known here: {', '.join(known)}" if known else None,
        code="template.undefined",
    )


def _unknown_filter(error: TemplateAssertionError, place: Place, scope: Scope) -> TemplateError:
    slot = SLOT.search(place.source)
    if slot is None or "filter" not in str(error.message):
        return TemplateError(str(error.message), path=place.where, line=place.line)
    return TemplateError(
        f"{error.message} And `{slot[1]}` is no declared field of a subscriber."
        f"{_did_you_mean(slot[1], scope.fields)}",
        path=place.where,
        line=place.line,
        hint="a fallback after | needs a declared field: fields = [...] in [letter]",
        code="template.undefined",
    )


def _names_of(owner: Any) -> list[str]:
    if isinstance(owner, Mapping):
        return [str(key) for key in owner]
    if isinstance(owner, TemplateModule):
        return [name for name in vars(owner) if not name.startswith("_")]
    if dataclasses.is_dataclass(owner):
        return [field.name for field in dataclasses.fields(owner)]
    return []


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean `{close[0]}`?" if close else ""
