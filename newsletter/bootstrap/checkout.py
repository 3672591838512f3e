"""A checkout and the state of its `.venv`.

Enters: a folder and the extras wanted. Leaves: what is asked for, and what is there. Reads files
only: changes nothing, starts nothing.
"""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from newsletter.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Checkout:
    """A source tree with its pyproject.toml, the extras wanted, and the `.venv` they go to."""

    root: Path
    extras: tuple[str, ...] = ()

    @classmethod
    def at(cls, root: str | Path, *extras: str) -> Checkout:
        return cls(Path(root), extras)

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def mark(self) -> Path:
        """There from the first moment of a `.venv` that is ours to clear."""
        return self.venv / ".made-by-send.py"

    @property
    def stamp(self) -> Path:
        """There from the moment everything is installed; what was installed is written in it."""
        return self.venv / ".ready.json"

    @property
    def target(self) -> str:
        """What pip is to install: the checkout, with its extras."""
        return f".[{','.join(self.extras)}]" if self.extras else "."

    def tables(self) -> dict[str, Any]:
        """pyproject.toml as it is now."""
        try:
            return tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(str(error), path="pyproject.toml") from error

    def requirements(self) -> list[str]:
        """What the project asks for, with the wanted extras."""
        project = self.tables()["project"]
        optional = project.get("optional-dependencies", {})
        return [*project["dependencies"], *(r for extra in self.extras for r in optional[extra])]

    def wanted(self) -> dict[str, Any]:
        """What the stamp of a finished `.venv` says.

        `[tool.*]` is left out: whoever edits their letter's configuration needs no pip for it. The
        folder is in it since the installed project points there; the interpreter, since the one
        a `.venv` was made from may be replaced by the system.
        """
        tables = self.tables()
        asked = json.dumps([tables["project"], tables.get("build-system")], sort_keys=True)
        return {
            "pyproject": sha256(asked.encode()).hexdigest(),
            "folder": str(self.root.resolve()),
            "python": str(self.python.resolve()),
            "extras": sorted(self.extras),
        }


def is_same_folder(one: Path, other: Path) -> bool:
    """Whether both names lead to one existing folder."""
    return one.exists() and other.exists() and one.samefile(other)


def is_ours(checkout: Checkout) -> bool:
    """Whether the `.venv` was made here. A link is not: clearing it would reach elsewhere."""
    return checkout.mark.is_file() and not checkout.venv.is_symlink()


def is_free(venv: Path) -> bool:
    """Whether nothing is in the way: no `.venv`, or an empty folder."""
    if venv.is_symlink() or not venv.is_dir():
        return not os.path.lexists(venv)
    return not any(venv.iterdir())


def is_environment(checkout: Checkout) -> bool:
    """Whether a Python can be started in the `.venv`."""
    return checkout.python.exists() and (checkout.venv / "pyvenv.cfg").is_file()


def is_ready(checkout: Checkout) -> bool:
    """Whether the stamp says all that is wanted. More extras than wanted do no harm."""
    there, wanted = stamped(checkout), checkout.wanted()
    enough = frozenset(there.get("extras", ())).issuperset(wanted["extras"])
    same = {**there, "extras": wanted["extras"]} == wanted
    return enough and same and is_environment(checkout)


def is_worth_keeping(checkout: Checkout) -> bool:
    """Whether the `.venv` was finished once and its Python is still the same one."""
    same_python = stamped(checkout).get("python") == checkout.wanted()["python"]
    return same_python and is_environment(checkout)


def stamped(checkout: Checkout) -> dict[str, Any]:
    """What the stamp says; nothing if there is none, or it was cut off in the writing."""
    try:
        there = json.loads(checkout.stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return there if isinstance(there, dict) else {}
