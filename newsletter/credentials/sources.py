"""Where one secret is to be found, and the secret itself.

Names and the environment enter, text leaves. Neither an error nor a repr repeats it.
"""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import ConfigError

COMMAND_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """At most one of three places that hold a secret: a variable of the environment, a file, a
    command that prints it. `owner` is who wants it, `what` what it is, both for messages;
    `own_file` refuses a file that others can read."""

    owner: str
    what: str
    variable: str | None = None
    path: Path | None = None
    command: str | None = None
    own_file: bool = False

    def read(self, environ: Mapping[str, str]) -> str | None:
        """The secret without blanks around it, None when no place is named. Raises ConfigError."""
        if self.variable is not None:
            return self._from_environ(self.variable, environ)
        if self.path is not None:
            return self._from_file(self.path)
        return self._from_command(self.command) if self.command is not None else None

    def _from_environ(self, name: str, environ: Mapping[str, str]) -> str:
        try:
            return environ[name]
        except KeyError:
            raise ConfigError(
                f"{self.owner} wants the environment variable {name}, which is not set",
                hint=f"export {name}=...",
                code="config.secret",
            ) from None

    def _from_file(self, path: Path) -> str:
        try:
            if self.own_file:
                self._refuse_if_shared(path)
            return path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{self.owner} wants {self.what} in {path}: {error}", code="config.secret"
            ) from error

    def _refuse_if_shared(self, path: Path) -> None:
        # Windows has no such bits: st_mode there is made up.
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(
                f"{path} is readable by other users of this machine: {self.what} of {self.owner}",
                hint=f"chmod 600 {path}  (and make a new one if somebody may have read it)",
                code="config.secret",
            )

    def _from_command(self, command: str) -> str:
        try:
            done = subprocess.run(
                shlex.split(command),
                capture_output=True,
                text=True,
                timeout=COMMAND_TIMEOUT_S,
                check=True,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise ConfigError(
                f"the command for {self.what} of {self.owner} failed ({type(error).__name__})",
                hint=f"try it: {command}",
                code="config.secret",
            ) from error
        return done.stdout.strip()
