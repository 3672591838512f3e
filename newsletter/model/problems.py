"""What is wrong with an issue, and where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding: where, how bad, what, and the rule's short code; `clients` are the mail clients
    that suffer, none when all do or nobody's screen does."""

    path: Path
    line: int | None
    severity: Severity
    code: str
    message: str
    hint: str = ""
    clients: tuple[str, ...] = ()
