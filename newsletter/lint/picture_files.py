"""The files behind the pictures of a letter: how heavy and how wide they are.

Enters: addresses, and the letter whose folders they may lead into. Leaves: what the files' headers
say. Reads no file outside of the publication and opens no connection.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.compose.images import measure, media_path
from newsletter.errors import ComposeError
from newsletter.model import Letter


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture's file: its bytes, and its width in pixels."""

    weight: int
    width: int


def files_behind(sources: Iterable[str], letter: Letter) -> dict[str, PictureFile]:
    """The files of those pictures that the publication itself holds."""
    home = f"{letter.base_url}/"
    found: dict[str, PictureFile] = {}
    for source in dict.fromkeys(sources):
        if not source.startswith(f"{home}media/"):
            continue
        file = media_path(letter, source.removeprefix(home))
        if file is None:
            continue
        try:
            width, _ = measure(file)
            found[source] = PictureFile(file.stat().st_size, width)
        except (ComposeError, OSError):
            continue
    return found
