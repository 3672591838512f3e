"""Rules on what mail clients lack, one for each feature of caniemail that can do harm.

How bad a finding is depends on how many readers have the clients (`[check] clients`); a fallback
beside it makes it none. The facts, and how each is judged, are in `lint.caniemail`.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.lint.caniemail.affected import Affected, affected
from newsletter.lint.caniemail.facts import facts, link
from newsletter.lint.caniemail.harms import HARMS, Harm
from newsletter.lint.caniemail.spares import is_spared
from newsletter.lint.caniemail.uses import Use, Where
from newsletter.lint.galley import Galley
from newsletter.lint.rule import Finding, Findings, Look, Rule
from newsletter.model import Readership, Severity

FAMILY = "compat."
ESTIMATED = Readership()
# From bad to untold. What stands in <style> or a media query is an extra, so a step less bad.
LADDER = (Severity.ERROR, Severity.WARNING, Severity.INFO, None)
STEPS = {Where.BODY: 0, Where.KEPT: 1, Where.MSO: 1, Where.MEDIA: 2}


def severity_of(use: Use, share: float, readership: Readership) -> Severity | None:
    """How bad the use is when it fails `share` percent of the readers; None when not worth a
    word."""
    if share < readership.few or not share:
        return None
    # A selector can stand nowhere else, so it is judged as it is.
    is_extra = bool(use.beside) or use.where is Where.MEDIA
    steps = (STEPS[use.where] if is_extra else 0) + (share < readership.many)
    return LADDER[min(LADDER.index(HARMS[use.slug].severity) + steps, len(LADDER) - 1)]


def _different(uses: tuple[Use, ...]) -> Iterator[Use]:
    """The uses that hurt, each once: a template does the same in every row."""
    told: set[tuple[str, str, Where]] = set()
    for use in uses:
        named = (use.said, use.place, use.where)
        if named not in told and not is_spared(use):
            told.add(named)
            yield use


def _look(slug: str) -> Look:
    def look(galley: Galley) -> Findings:
        readership = galley.letter.readership if galley.letter else ESTIMATED
        for use in _different(galley.uses.get(slug, ())):
            who = affected(use, readership)
            severity = severity_of(use, who.share, readership)
            if severity is not None:
                message = _message(use, who)
                yield Finding(message, use.about, severity=severity, clients=who.names)

    look.__doc__ = f"{slug}, which not all mail clients have."
    return look


def _message(use: Use, who: Affected) -> str:
    tested = facts().tested(use.slug)
    place = f" in {_cut(use.place, 40)}" if use.place else ""
    only = ", which only Word reads" if use.where is Where.MSO else ""
    share = f"{who.share:.0f} %" if who.share >= 1 else "under 1 %"
    what = f"{_cut(use.said, 60)}{place}{only}"
    return f"{what}: not in {who.said} ({share} of readers; tested {tested})"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _rule(slug: str, harm: Harm) -> Rule:
    return Rule(
        code=f"{FAMILY}{slug}",
        severity=harm.severity,
        source=f"caniemail, tested {facts().tested(slug)}",
        remedy=f"{harm.remedy}; {link(slug)}",
        look=_look(slug),
    )


# An updated table may have lost a feature, or given it another name.
RULES: tuple[Rule, ...] = tuple(
    _rule(slug, harm) for slug, harm in sorted(HARMS.items()) if slug in facts().rows
)
