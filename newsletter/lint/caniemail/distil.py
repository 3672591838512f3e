"""caniemail's published JSON -> the compact table of facts that ships with the program.

Enters: `caniemail.json` as npm's package `caniemail` has it, or the package itself (.tgz). Leaves:
the text of table.txt: of each feature its slug, the day of its test, and per client one letter with
the numbers of its notes. Sentences stay out. Touches no network.

The support of a client is that of the last version in the file's order: keys mix years and
versions ("2019" stands before "16.80"), and sorting them gets 86 cells wrong (composition 0.12).
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

from newsletter.errors import UsageError

LARGEST = 8 * 1024 * 1024
JSON_MEMBER = "package/data/caniemail.json"
PACKAGE_MEMBER = "package/package.json"
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
CELL = re.compile(r"([yanu])((?:\s*#\d{1,2})*)")
# What two kinds of notes say, which decide for how many people a cell is true.
GUESTS = re.compile(
    r"with (?:non.)?(?:google|outlook|hotmail/outlook|microsoft) accounts", re.IGNORECASE
)
GUESTS_ONLY = re.compile(
    r"only [\w ]{0,20}with non.google|with non.google accounts only", re.IGNORECASE
)
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

HEADER = """\
# Which mail client supports which feature of HTML and CSS: facts from https://www.caniemail.com
#
# Source:  {source}
# Date:    {date}
# Made by: newsletter clients --update    (newsletter/lint/caniemail/distil.py; edit nothing here)
#
# `client` lines: a family, its name, its platforms. Then a line for each feature: its name, the day
# of its last test, and a group of cells for each family in that order, a cell for each platform.
# A cell is y (yes), a (almost), n (no), u (unknown) or - (never tested), then the numbers of its
# notes, each one digit of 0-9A-Z. Last, where there are such: after ~ the notes that only concern
# mailboxes of other providers in a client's app (a Yahoo mailbox in Gmail's), after ! the notes by
# which only those have it. Notes and tests: https://www.caniemail.com/features/NAME/
#
# MIT License
#
# Copyright (c) 2019 HTeuMeuLeu
#
# Permission is hereby granted, free of charge, to any person obtaining a copy
# of this software and associated documentation files (the "Software"), to deal
# in the Software without restriction, including without limitation the rights
# to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
# copies of the Software, and to permit persons to whom the Software is
# furnished to do so, subject to the following conditions:
#
# The above copyright notice and this permission notice shall be included in all
# copies or substantial portions of the Software.
#
# THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
# IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
# FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
# AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
# LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
# OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
# SOFTWARE.
"""


def distilled(content: bytes, name: str) -> str:
    """The table, from the bytes of a .tgz or .json file called `name`.

    Raises UsageError for anything that is no publication of caniemail.
    """
    try:
        published, source = _published(content)
        return _table(published, source)
    except (ValueError, KeyError, TypeError, AttributeError, tarfile.TarError, EOFError) as error:
        raise UsageError(
            f"{name} is no caniemail data: {error}",
            hint="give data/caniemail.json or the .tgz of npm's package caniemail",
            code="clients.file",
        ) from error


def _published(content: bytes) -> tuple[dict[str, Any], str]:
    """What caniemail published, and where it was found."""
    if not content.startswith(b"\x1f\x8b"):
        return json.loads(content), "caniemail.json"
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as package:
        version = json.loads(_member(package, PACKAGE_MEMBER))["version"]
        if not re.fullmatch(r"[0-9A-Za-z.+-]{1,40}", version):
            raise ValueError("a strange version")
        published = json.loads(_member(package, JSON_MEMBER))
    return published, f"npm package caniemail {version}, data/caniemail.json"


def _member(package: tarfile.TarFile, name: str) -> bytes:
    """One file of the package, never written anywhere, never more than LARGEST."""
    file = package.extractfile(name)
    content = file.read(LARGEST + 1) if file else b""
    if not content or len(content) > LARGEST:
        raise ValueError(f"{name} is empty or too large")
    return content


def _table(published: Mapping[str, Any], source: str) -> str:
    families, platforms = published["nicenames"]["family"], published["nicenames"]["platform"]
    columns = _columns(published["data"])
    date = _day(published["last_update_date"])
    lines = [HEADER.format(source=source, date=date).rstrip("\n")]
    for family, names in columns.items():
        shown = ", ".join(f"{name} {_plain(platforms[name])}" for name in names)
        lines.append(f"client {family} {_plain(families[family])}: {shown}")
    lines.append("")
    rows = sorted(published["data"], key=lambda feature: str(feature["slug"]))
    lines += [_row(feature, columns) for feature in rows]
    return "\n".join([*lines, ""])


def _columns(features: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The families and their platforms, in the order in which the file first names them."""
    columns: dict[str, list[str]] = {}
    for feature in features:
        for family, platforms in feature["stats"].items():
            named = columns.setdefault(_slug(family), [])
            named += [_slug(name) for name in platforms if name not in named]
    return columns


def _row(feature: Mapping[str, Any], columns: Mapping[str, list[str]]) -> str:
    groups = (
        "".join(_cell(feature["stats"].get(family, {}).get(name)) for name in names)
        for family, names in columns.items()
    )
    return " ".join(
        (_slug(feature["slug"]), _day(feature["last_test_date"]), *groups, *_kinds(feature))
    )


def _kinds(feature: Mapping[str, Any]) -> Iterator[str]:
    """`~12` and `!3`: the notes about mailboxes of other providers."""
    notes = {int(number): str(text) for number, text in (feature["notes_by_num"] or {}).items()}
    only = [number for number, text in notes.items() if GUESTS_ONLY.search(text)]
    guests = [n for n, text in notes.items() if GUESTS.search(text) and n not in only]
    for sign, numbers in (("~", guests), ("!", only)):
        if numbers:
            yield sign + "".join(DIGITS[number] for number in sorted(numbers))


def _cell(versions: Mapping[str, str] | None) -> str:
    """`a12` for the last version's "a #1 #2"."""
    if not versions:
        return "-"
    last = list(versions.values())[-1].strip()
    match = CELL.fullmatch(last)
    if match is None:
        raise ValueError(f"no letter of support: {last[:20]!r}")
    return match[1] + "".join(_digits(match[2]))


def _digits(notes: str) -> Iterator[str]:
    for number in map(int, re.findall(r"\d+", notes)):
        if number >= len(DIGITS):
            raise ValueError(f"note {number} of at most {len(DIGITS) - 1}")
        yield DIGITS[number]


def _day(text: str) -> str:
    """The day in `2026-05-13 14:45:41 +0000` and in `2024-05-1`."""
    match = DAY.match(text)
    if match is None:
        raise ValueError(f"no day: {text[:20]!r}")
    return f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}"


def _slug(text: str) -> str:
    if not SLUG.fullmatch(text):
        raise ValueError(f"no slug: {text[:40]!r}")
    return text


def _plain(text: str) -> str:
    """A name as it may stand in a line of the table."""
    if not text.strip() or re.search(r"[,:\x00-\x1f\x7f]", text) or len(text) > 60:
        raise ValueError(f"no name of a client: {text[:40]!r}")
    return text.strip()
