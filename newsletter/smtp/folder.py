"""A folder of .eml files, one mail each.

Bytes and a label enter, a key leaves: "000042-ada-example.org", which is the file's name without
".eml" and sorts by arrival. Several writers may share a folder. What is in a mail is not known
here. Files are 0600 and a folder made here is 0700: they hold addresses and unsubscribe links.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_KEY = re.compile(r"([0-9]{6,12})-[a-z0-9][a-z0-9._-]{0,63}")
_EXCLUSIVE = os.O_CREAT | os.O_EXCL | os.O_WRONLY
_UNSAFE = re.compile(r"[^a-z0-9]+")
_LABEL_LIMIT = 60


def private_folder(folder: Path) -> Path:
    """`folder`, made with its missing parents, each closed to others; an existing one is left
    as it is."""
    if not folder.is_dir():
        private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def is_key(key: str) -> bool:
    """`key` can only name a mail of a folder: no separator, no dot in front, nothing above."""
    return _KEY.fullmatch(key) is not None and ".." not in key


def keys(folder: Path) -> list[str]:
    """The keys of all mails in `folder`, the newest last; a missing folder holds none."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names only; iterdir makes a Path of each
    except FileNotFoundError:
        return []
    found = (name.removesuffix(".eml") for name in names if name.endswith(".eml"))
    return sorted((key for key in found if is_key(key)), key=lambda key: (_number(key), key))


class MailFolder:
    """A folder that mails are put into, numbered on from what is there already."""

    __slots__ = ("_last", "path")

    def __init__(self, path: Path) -> None:
        self.path = private_folder(path)
        present = keys(path)
        self._last = _number(present[-1]) if present else 0

    def add(self, content: bytes, label: str) -> str:
        """The key of `content`, now a file: whole or not there. Raises OSError."""
        key = self._reserved(_UNSAFE.sub("-", label.lower()).strip("-")[:_LABEL_LIMIT] or "mail")
        part = self.path / f".{key}.part"
        try:
            with open(os.open(part, _EXCLUSIVE, 0o600), "wb") as file:  # noqa: PTH123
                file.write(content)
            part.replace(self.path / f"{key}.eml")
        except OSError:
            part.unlink(missing_ok=True)
            (self.path / f"{key}.eml").unlink(missing_ok=True)
            raise
        return key

    def _reserved(self, label: str) -> str:
        """A key nobody else has: an empty file holds its place until the content is whole."""
        while True:
            self._last += 1
            key = f"{self._last:06d}-{label}"
            try:
                os.close(os.open(self.path / f"{key}.eml", _EXCLUSIVE, 0o600))
            except FileExistsError:
                continue
            return key


def _number(key: str) -> int:
    return int(key.partition("-")[0])
