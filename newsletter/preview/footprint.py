"""Whether anything that an issue is made of has changed: names, times and sizes of the files.

Enters: a Letter. Leaves: a value that is equal as long as nothing was saved. Opens no file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from newsletter.model import Letter

# Path, time of the last change in nanoseconds, size.
Facts: TypeAlias = tuple[str, int, int]
Footprint: TypeAlias = tuple[Letter, frozenset[Facts]]
MOST_FOLDERS = 2000


def footprint_of(letter: Letter) -> Footprint:
    """The letter and every file below its issues and templates."""
    return letter, files_at((letter.issues, letter.templates))


def files_at(places: Iterable[Path]) -> frozenset[Facts]:
    """Every file at or below the places; one that is not there is nothing."""
    return frozenset(facts for place in places for facts in (*_file(place), *_files(place)))


def _file(place: Path) -> Iterator[Facts]:
    if place.is_file():
        facts = place.stat()
        yield str(place), facts.st_mtime_ns, facts.st_size


def _files(top: Path) -> Iterator[Facts]:
    waiting = [str(top)]
    seen = 0
    while waiting and seen < MOST_FOLDERS:
        seen += 1
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:  # no such folder: nothing in it
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
                continue
            try:
                facts = entry.stat()
            except OSError:  # gone since, or a link that leads nowhere
                continue
            yield entry.path, facts.st_mtime_ns, facts.st_size
