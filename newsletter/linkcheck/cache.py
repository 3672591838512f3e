"""What was seen at an address lately, in one file of the state folder.

Enters and leaves: Verdicts with the time they were seen. A file that cannot be read is an empty
one: nothing is lost but requests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from newsletter.linkcheck.verdict import KINDS, Verdict

# Whoever mends a link asks again at once; what works goes on working for a day.
KEPT_GOOD, KEPT_BAD = timedelta(hours=24), timedelta(minutes=10)
VERSION = 1


@dataclass(frozen=True, slots=True)
class Seen:
    verdict: Verdict
    at: datetime

    def fresh(self, now: datetime) -> bool:
        kept = KEPT_GOOD if self.verdict.good else KEPT_BAD
        return timedelta() <= now - self.at < kept

    def told(self, now: datetime) -> Verdict:
        return replace(self.verdict, age_s=int((now - self.at).total_seconds()))


def read_cache(file: Path, now: datetime) -> dict[str, Seen]:
    """What is still worth something, by address."""
    try:
        rows = json.loads(file.read_text("utf-8"))["links"]
        found = {url: _seen(row) for url, row in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {url: seen for url, seen in found.items() if seen.fresh(now)}


def _seen(row: Mapping[str, str]) -> Seen:
    code, at = row["code"], datetime.fromisoformat(row["at"])
    if at.tzinfo is None or (code and code not in KINDS):
        raise ValueError(row)
    return Seen(Verdict(code, str(row["seen"])), at)


def write_cache(file: Path, seen: Mapping[str, Seen]) -> None:
    """Replace the file, readable by its owner only, in one step."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    rows = {
        url: {"code": each.verdict.code, "seen": each.verdict.seen, "at": each.at.isoformat()}
        for url, each in sorted(seen.items())
    }
    draft = file.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump({"v": VERSION, "links": rows}, stream, ensure_ascii=True, indent=1)
    draft.replace(file)
