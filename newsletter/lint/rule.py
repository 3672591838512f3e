"""What a rule is: a code, how bad it is, whose rule it is, what to do about it, and a look.

A rule is one small function of a Galley that yields Findings. The decorators `error`, `warning` and
`note` make a Rule of it; `lint.rules` collects them. Knows no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from newsletter.lint.galley import Galley
from newsletter.model import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `about` are words to look for in the article and the templates, the best
    first; `line` is the line in the mail, for a mail that nothing else is known of; `severity` and
    `clients` are the rule's where they are not said."""

    message: str
    about: tuple[str, ...] = ()
    line: int | None = None
    severity: Severity | None = None
    clients: tuple[str, ...] = ()


Findings: TypeAlias = Iterator[Finding]
Look: TypeAlias = Callable[[Galley], Findings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `source` says whose it is: an RFC, a provider, a measurement; `remedy` is one
    line; `clients` are those that suffer, none when all do or nobody's screen does."""

    code: str
    severity: Severity
    source: str
    remedy: str
    look: Look
    clients: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What is found, in words: the first sentence of the function's docstring."""
        return " ".join((self.look.__doc__ or "").split()).partition(". ")[0].rstrip(".")


class _Severe:
    """A decorator for one severity: `@error("img-alt", "WCAG 1.1.1", "say what it shows")`."""

    def __init__(self, severity: Severity) -> None:
        self.severity = severity

    def __call__(
        self, code: str, source: str, remedy: str, clients: str = ""
    ) -> Callable[[Look], Rule]:
        """`clients` is a comma-separated list."""
        suffer = tuple(name.strip() for name in clients.split(",") if name.strip())

        def rule(look: Look) -> Rule:
            return Rule(
                code=code,
                severity=self.severity,
                source=source,
                remedy=remedy,
                look=look,
                clients=suffer,
            )

        return rule


error = _Severe(Severity.ERROR)
warning = _Severe(Severity.WARNING)
note = _Severe(Severity.INFO)
