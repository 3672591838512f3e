"""The spellings of dates that people bring -> an aware datetime.

Seen in public archives (ecosystem 5): `2025-01-29 18:15:32 +0530`, `2026-08-20 22:00:00 -0000`,
`2017-02-28T08:00:00.000Z`, `2024-4-09`, `2019-07-09 18::48::00`, `2012-09-15 19:52:05 UTC-03:00`,
`Tue, 20 Aug 2019 10:00:00 GMT`, `20 August 2019`. A naive time is in the letter's zone, a date
alone is midnight there. `04/09/2024` is refused: it is two different days.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

LONGEST = 80
EXAMPLE = "2026-11-22 08:00"

DAY = (
    r"(?P<year>\d{4})(?:(?P<dash>[-/.])(?P<month>\d{1,2})(?P=dash)(?P<day>\d{1,2})"
    r"|(?P<mm>\d\d)(?P<dd>\d\d))"
)
WORDY = (
    r"(?:[A-Za-z]{3,9}\.?,?\s+)?(?:"
    r"(?P<day1>\d{1,2})(?:st|nd|rd|th)?\s+(?P<name1>[A-Za-z]{3,9})\.?,?"
    r"|(?P<name2>[A-Za-z]{3,9})\.?\s+(?P<day2>\d{1,2})(?:st|nd|rd|th)?,?"
    r")\s+(?P<year>\d{4})"
)
TIME = (
    r"(?:(?:\s*[Tt]\s*|,?\s+(?:at\s+)?)(?P<hour>\d{1,2}):+(?P<minute>\d{2})"
    r"(?::+(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\b\.?)?"
    r"(?:\s+(?P=year))?(?:\s*(?P<zone>\S.*))?)?"
)
# What `date` and `git log` print: Sun Jan 29 18:30:22 2023 -0800.
PRINTED_DATE = re.compile(
    r"(?:[A-Za-z]{3}\s+)(?P<month>[A-Za-z]{3})\s+(?P<day>\d{1,2})\s+"
    r"(?P<time>\d{1,2}:\d{2}:\d{2})\s+(?P<zone1>[A-Z]{2,4}\s+)?(?P<year>\d{4})(?P<zone>\s.*)?"
)
NUMERIC_DATE = re.compile(rf"{DAY}{TIME}", re.DOTALL)
WORDY_DATE = re.compile(rf"{WORDY}{TIME}", re.DOTALL)
OFFSET = re.compile(r"(?:(?:UTC|GMT|Z)\s*)?([+-])(\d{1,2}):?(\d{2})?(?:\s*\([\w ]*\))?", re.I)
PLACEHOLDER = re.compile(r"TODO|TBD|TBA|FIXME|XX|MM|DD|YY|\?\?", re.I)

HALF_DAY = (12, *range(1, 12))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# RFC 5322 4.3 names the North American ones; the European ones are as unambiguous in mail.
ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7,
    "mdt": -6, "pst": -8, "pdt": -7, "wet": 0, "west": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3,
}  # fmt: skip


def parse_date(text: str, zone: tzinfo) -> datetime | None:
    """The moment `text` names, aware; None when it names none."""
    text = PRINTED_DATE.sub(
        r"\g<day> \g<month> \g<year> \g<time> \g<zone1>\g<zone>", text.strip().strip("\"'"), count=1
    ).strip()
    found = NUMERIC_DATE.fullmatch(text) or WORDY_DATE.fullmatch(text)
    if found is None or len(text) > LONGEST:
        return None
    where = _zone(found["zone"], zone)
    if where is None:
        return None
    try:
        moment = datetime(*_day(found), *_time(found), tzinfo=where)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment


def is_zero(moment: datetime) -> bool:
    """Whether this is Go's zero time, which Hugo writes for "no date"."""
    return moment.year == 1


def is_placeholder(text: str) -> bool:
    """Whether the author meant to fill the date in later: `2021-(TODO: MM-DD)`."""
    return bool(PLACEHOLDER.search(text))


def _day(found: re.Match[str]) -> tuple[int, int, int]:
    parts = found.groupdict()
    if "month" in parts:
        month, day = parts["month"] or parts["mm"], parts["day"] or parts["dd"]
        return int(parts["year"]), int(month), int(day)
    name = (parts["name1"] or parts["name2"])[:3].lower()
    return int(parts["year"]), MONTHS.index(name) + 1, int(parts["day1"] or parts["day2"])


def _time(found: re.Match[str]) -> tuple[int, int, int, int]:
    hour, half = int(found["hour"] or 0), (found["half"] or "").lower()
    if half:
        hour = HALF_DAY.index(hour) + (len(HALF_DAY) if half == "p" else 0)
    fraction = (found["fraction"] or "")[:6].ljust(6, "0")
    return hour, int(found["minute"] or 0), int(found["second"] or 0), int(fraction)


def _zone(text: str | None, default: tzinfo) -> tzinfo | None:
    """The zone or offset; None when there is no such thing."""
    if not text:
        return default
    text = text.strip()
    if text.lower() in ZONES:
        hours = ZONES[text.lower()]
        return timezone(timedelta(hours=hours)) if hours else UTC
    offset = OFFSET.fullmatch(text)
    if offset:
        return _offset(offset)
    if not re.fullmatch(r"[A-Za-z]+(?:/[A-Za-z_+-]+)+", text):
        return None
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        return None


def _offset(found: re.Match[str]) -> timezone | None:
    hours, minutes = int(found[2]), int(found[3] or 0)
    if hours not in range(24) or minutes not in range(60):
        return None
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if found[1] == "-" else delta) if delta else UTC
