"""Whether the running environment has what pyproject.toml asks for.

Enters: requirements. Leaves: those that are not met. pyproject.toml asks in two ways only, `name`
and `name>=1.2`, and a test holds it to that: parsing more takes a library that is not there yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version


def missing(requirements: Sequence[str]) -> list[str]:
    """Those of the requirements that this environment does not meet."""
    return [requirement for requirement in requirements if not is_met(requirement)]


def is_met(requirement: str) -> bool:
    """Whether a distribution of that name is installed, at the lower bound or above."""
    name, _, bound = requirement.partition(">=")
    try:
        return release(version(name)) >= release(bound)
    except PackageNotFoundError:
        return False


def release(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, zeros at the end left out: `2.4.0.post1` is (2, 4)."""
    numbers: list[int] = []
    for part in version.strip().split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
