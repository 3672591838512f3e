"""Many addresses -> a Verdict each: the hosts beside each other, the pages of one in a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

from newsletter.linkcheck.cache import Seen, read_cache, write_cache
from newsletter.linkcheck.outside import Outside
from newsletter.linkcheck.pace import Pace
from newsletter.linkcheck.verdict import Verdict
from newsletter.linkcheck.visit import visit


@dataclass(frozen=True, slots=True)
class Survey:
    """A run of visits: over which net, and where what was seen is kept."""

    outside: Outside
    cache: Path
    now: Callable[[], datetime]

    def of(self, urls: Iterable[str]) -> dict[str, Verdict]:
        """The verdict on each address, by the address as given. The part after # is not sent, so
        two places on one page are one visit."""
        wanted = {url: urldefrag(url).url for url in urls}
        start = self.now()
        seen = read_cache(self.cache, start)
        missing = [page for page in dict.fromkeys(wanted.values()) if page not in seen]
        if missing:
            seen |= self._visited(missing)
            write_cache(self.cache, seen)
        end = self.now()
        return {url: seen[page].told(end) for url, page in wanted.items()}

    def _visited(self, pages: list[str]) -> dict[str, Seen]:
        pace = Pace(self.outside.pace_s, self.outside.clock, self.outside.sleep)
        by_host: dict[str, list[str]] = defaultdict(list)
        for page in pages:
            by_host[_host(page)].append(page)

        def round_of(group: list[str]) -> list[tuple[str, Seen]]:
            return [
                (page, Seen(visit(page, self.outside, pace.wait), self.now())) for page in group
            ]

        with ThreadPoolExecutor(self.outside.at_once) as pool:
            return {
                page: seen for found in pool.map(round_of, by_host.values()) for page, seen in found
            }


def _host(page: str) -> str:
    try:
        return urlsplit(page).hostname or ""
    except ValueError:
        return ""
