"""The files behind the pictures of a letter: how heavy and how wide they are.

Enters: addresses, and the letter whose folders they may lead into. Leaves: what the files' headers
say. Reads no file outside of the publication and opens no connection.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.compose.images import media_path
from newsletter.compose.picture_header import measure
from newsletter.errors import ComposeError
from newsletter.model import InlinePicture, Letter


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture's file: its bytes, its width in pixels, and its address on the web."""

    weight: int
    width: int
    url: str


def files_behind(
    sources: Iterable[str], letter: Letter, inside: Iterable[InlinePicture] = ()
) -> dict[str, PictureFile]:
    """The files of those pictures that the publication itself holds, or the mail, `inside`."""
    home = f"{letter.base_url}/"
    on_the_web = {f"cid:{picture.cid}": picture.url for picture in inside}
    found: dict[str, PictureFile] = {}
    for source in dict.fromkeys(sources):
        url = on_the_web.get(source, source)
        if not url.startswith(f"{home}media/"):
            continue
        file = media_path(letter, url.removeprefix(home))
        if file is None:
            continue
        try:
            width, _ = measure(file)
            found[source] = PictureFile(file.stat().st_size, width, url)
        except (ComposeError, OSError):
            continue
    return found
