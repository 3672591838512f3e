"""The pictures on the web that mails which have left are showing.

Enters: the HTML that is about to be frozen. Leaves: a copy of each picture it loads from the
publication, in .newsletter/pictures/sent under its public path, kept for good. The author may then
change or remove the file: `build` goes on writing the old one, and the desk goes on showing it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from newsletter.compose.images import HASHED, media_path, sent_folder
from newsletter.compose.published import write_whole
from newsletter.model import Letter


def media_in(html: str, letter: Letter) -> dict[str, Path]:
    """Each file of the publication that the page shows or links to, by its path below /media/,
    not encoded; none whose path would lead out of that folder."""
    media = re.escape(f"{letter.base_url}/media/")
    found: dict[str, Path] = {}
    for encoded in sorted(set(re.findall(rf"{media}([^\"\s<>]+)", html))):
        path = unquote(encoded)
        file = media_path(letter, encoded)
        if file is not None and not path.startswith("/") and ".." not in path.split("/"):
            found[path] = file
    return found


def keep(html: str, letter: Letter) -> None:
    """Keep what the page shows under a name with a hash. Idempotent. Raises ComposeError when it
    cannot be written."""
    for path, file in media_in(html, letter).items():
        copy = sent_folder(letter) / path
        if HASHED.fullmatch(copy.name) and not copy.exists():
            write_whole(copy, file.read_bytes())


def kept(letter: Letter) -> Iterator[tuple[str, Path]]:
    """The public path below /media/ of each picture that was kept, not encoded, and its copy."""
    top = sent_folder(letter)
    for folder, _, names in os.walk(top):
        for name in sorted(names):
            file = Path(folder, name)
            if not name.startswith(".") and file.is_file():
                yield file.relative_to(top).as_posix(), file
