"""Whether anything that an issue is made of has changed: names, times and sizes of the files.

Enters: a Letter. Leaves: a value that is equal as long as nothing was saved. Opens no file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from newsletter.model import Letter

Footprint: TypeAlias = tuple[Letter, frozenset[tuple[str, int, int]]]
MOST_FOLDERS = 2000


def footprint_of(letter: Letter) -> Footprint:
    """The letter and every file below its issues and templates."""
    return letter, frozenset((*_files(letter.issues), *_files(letter.templates)))


def _files(top: Path) -> Iterator[tuple[str, int, int]]:
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
