"""What a file's place and name say of the article in it.

Jekyll's `_posts/2026-11-22-sleep.md`, Hugo's `sleep/index.md`, `043-sleep.md`, `issue-43.md`,
dated folders `2026/11/22/sleep.md`. Enters: a path below the issues folder. Knows no content.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath

DATED = re.compile(
    r"(?P<y>\d{4})(?:([-_.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})|(?P<mm>\d\d)(?P<dd>\d\d))"
    r"(?:[-_. ]+(?P<rest>.*))?",
    re.DOTALL,
)
NUMBERED = re.compile(r"#?(\d{1,5})(?:[-_. ]+(.*))?", re.DOTALL)
ISSUE_NUMBER = re.compile(r"(?:issue|number|nr|no|edition|newsletter)[-_. ]?#?(\d{1,5})(?!\d).*",
                          re.IGNORECASE | re.DOTALL)  # fmt: skip
FOLDERS = re.compile(r"(?:^|/)(\d{4})/(\d{1,2})/(\d{1,2})(?=[-/_]|$)")
BUNDLE = re.compile(r"index(?:\.([a-z]{2,3}(?:-[a-z]{2,4})?))?", re.IGNORECASE)
NOT_IN_SLUG = re.compile(r"[^\w.-]+")
YEARS = range(1900, 2100)
MAX_SLUG = 200  # bytes: a file system's 255 less a suffix


@dataclass(frozen=True, slots=True)
class FileName:
    """What the name says. `stem` is the whole name without suffix, clean enough to be a slug."""

    stem: str
    slug: str
    day: date | None = None
    number: int | None = None
    language: str | None = None
    draft: bool = False


def read_name(path: PurePath) -> FileName:
    """What `path`, relative to the issues folder, says of its article."""
    parents = path.parts[:-1]
    stem, language = path.stem, None
    bundle = BUNDLE.fullmatch(stem)
    if bundle and parents:
        stem, parents, language = parents[-1], parents[:-1], bundle[1]
    folder_day = _folder_day((*parents, stem))
    day, number, rest = _read_stem(stem)
    if folder_day and number == folder_day.day:
        number = None
        rest = rest if rest != stem else folder_day.isoformat()
    return FileName(
        stem=clean_slug(stem) or "article",
        slug=clean_slug(rest) or clean_slug(stem) or "article",
        day=day or folder_day,
        number=number,
        language=language,
        draft="_drafts" in parents,
    )


def _read_stem(stem: str) -> tuple[date | None, int | None, str]:
    day, rest = _dated(stem)
    if day:
        return day, None, rest or stem
    numbered = NUMBERED.fullmatch(stem)
    if numbered and not _is_year(numbered[1]):
        return None, int(numbered[1]), numbered[2] or stem
    issue = ISSUE_NUMBER.fullmatch(stem)
    if issue and not _is_year(issue[1]):
        return None, int(issue[1]), stem
    return None, None, stem


def _is_year(digits: str) -> bool:
    return int(digits) in YEARS


def _folder_day(parts: Sequence[str]) -> date | None:
    found = FOLDERS.search("/".join(parts))
    if found:
        return _date(*found.groups())
    for part in reversed(parts[:-1]):
        if day := _dated(part)[0]:
            return day
    return None


def _dated(name: str) -> tuple[date | None, str]:
    """The day a name begins with, and what follows."""
    found = DATED.fullmatch(name)
    if found is None:
        return None, name
    return _date(found["y"], found["m"] or found["mm"], found["d"] or found["dd"]), found[
        "rest"
    ] or ""


def day_in(path: str) -> date | None:
    """The day in Zola's `path = "2026/11/22/sleep"`."""
    found = FOLDERS.search(path)
    return _date(*found.groups()) if found else None


def _date(year: str, month: str, day: str) -> date | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found if found.year in YEARS else None


def clean_slug(text: str) -> str:
    """The text with only letters (of any script), digits, `-`, `_` and `.`, in NFC; empty when
    nothing is left.

    Letters stay as they are: they name files and rows of the ledger, and `addresses.issue_url`
    percent-encodes them as UTF-8 (RFC 3987 3.1).
    """
    text = unicodedata.normalize("NFC", text)
    slug = NOT_IN_SLUG.sub(
        "-", text.replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    )
    slug = re.sub(r"\.{2,}", ".", slug).strip("-.")
    while len(slug.encode("utf-8", "replace")) > MAX_SLUG:
        slug = slug[:-1]
    return slug


def title_of(slug: str) -> str:
    """The slug as a title of last resort: `sleep-well` is `Sleep well`."""
    words = re.sub(r"[-_]+", " ", slug).strip()
    return words[:1].upper() + words[1:]


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which `issue-9` stands before `issue-10`."""
    return tuple(
        (0, int(part), part) if part.isdecimal() else (1, 0, part.casefold())
        for part in re.split(r"(\d+)", text)
        if part
    )
