"""What a filter says of a mail."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpamRule:
    """One rule that spoke: its name there, what it costs (below 0: what it earns), its words."""

    name: str
    points: float
    words: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """The sum, the sum from which a mail is spam, and the rules, the dearest first."""

    points: float
    limit: float
    rules: tuple[SpamRule, ...]

    @property
    def costly(self) -> tuple[SpamRule, ...]:
        """The rules that make it worse."""
        return tuple(rule for rule in self.rules if rule.points > 0)


def by_cost(rules: list[SpamRule]) -> tuple[SpamRule, ...]:
    """The rules, the dearest first."""
    return tuple(sorted(rules, key=lambda rule: (-rule.points, rule.name)))
