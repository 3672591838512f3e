"""Which mail clients the readers of a publication use, and how many of them are many."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Readership:
    """`shares` are percent by client (`gmail.ios`) or by family (`gmail`), none for our estimate.

    A fault that `many` percent of the readers meet is as bad as such faults are; one that fewer
    meet is a step less bad; one that fewer than `few` percent meet is not told.
    """

    shares: tuple[tuple[str, float], ...] = ()
    many: float = 5.0
    few: float = 1.0
