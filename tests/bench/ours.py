"""What `tests.bench.compose` times of this project: `python -m tests.bench.ours FOLDER`.

Prints one line of JSON: milliseconds per issue in a warm process, per page of the desk after a
save, per stage; bytes per mail. Each issue is composed once, so nothing that is remembered of an
issue counts but what its neighbours share.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial, wraps
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from newsletter import pipeline
from newsletter.compose import dialect, inline, markup, plaintext
from newsletter.compose.theme import Theme
from newsletter.config import load_config
from newsletter.delivery.specimen import specimen
from newsletter.lint import Written, check_issue
from newsletter.model import Article
from newsletter.preview.app import desk_app
from newsletter.preview.studio import Studio
from newsletter.shelf import Shelf
from tests.bench.archive import touch

NOW = datetime(2030, 1, 1, tzinfo=UTC)
WARM_UP, TOUCHED, MEASURED = 5, 5, 100

# Each stage's own time, without that of the stages it calls.
STAGES: dict[str, tuple[Any, str]] = {
    "Markdown": (dialect, "to_html"),
    "fragment: slots, links, pictures": (markup, "to_fragment"),
    "teasers of the neighbours": (pipeline, "place"),
    "preheader": (pipeline, "summary"),
    "theme, HTML": (Theme, "fill_html"),
    "rules that match": (inline, "_prune"),
    "premailer": (inline, "_inline"),
    "tidy": (inline, "tidy"),
    "inlining: parse, write, look over": (pipeline, "inline_css"),
    "plain text": (plaintext, "to_text"),
    "theme, text": (Theme, "fill_text"),
}


class Stages:
    """Seconds by stage, while `watching`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inner = [0.0]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._inner.append(0.0)
        start = time.perf_counter()
        try:
            yield
        finally:
            whole = time.perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + whole - self._inner.pop()
            self._inner[-1] += whole

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            with self.stage(name):
                return function(*arguments, **named)

        return call

    @contextmanager
    def watching(self) -> Iterator[None]:
        kept = {name: getattr(owner, attribute) for name, (owner, attribute) in STAGES.items()}
        for name, (owner, attribute) in STAGES.items():
            setattr(owner, attribute, self.timed(name, kept[name]))
        try:
            yield
        finally:
            for name, (owner, attribute) in STAGES.items():
                setattr(owner, attribute, kept[name])


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def warm(shelf: Shelf, articles: tuple[Article, ...]) -> list[float]:
    """Every other issue, so that no two share a neighbour's words ready made."""
    for article in articles[:WARM_UP]:
        shelf.compose(article)
    chosen = articles[WARM_UP + 2 :: 4][:MEASURED] or articles
    return [milliseconds(partial(shelf.compose, article)) for article in chosen]


def stages(shelf: Shelf, articles: tuple[Article, ...]) -> dict[str, float]:
    """Milliseconds per issue of each stage, for issues in a row as `build` has them."""
    watch = Stages()
    with watch.watching():
        for article in articles:
            composed = shelf.compose(article)
            with watch.stage("MIME"):
                content = specimen(composed.email, article, shelf.letter).content
            written = Written(issue=shelf.issue(article), letter=shelf.letter, email=composed.email)
            with watch.stage("lint"):
                check_issue(written, content)
    return {name: taken * 1e3 / len(articles) for name, taken in watch.seconds.items()}


def touched(root: Path, article: Article) -> list[float]:
    """A save, then the desk's page of the issue and the frame in it: what the browser asks for."""
    studio = Studio(load=lambda: load_config(root).letter(), inbox=root / "inbox", now=lambda: NOW)
    desk = TestClient(desk_app(studio), base_url="http://127.0.0.1:8025")

    def look() -> None:
        for page in ("", "/mail.html"):
            desk.get(f"/preview/{article.slug}{page}").raise_for_status()

    look()
    taken = []
    for turn in range(TOUCHED):
        touch(root / article.path, turn)
        taken.append(milliseconds(look))
    return taken


def main(root: Path) -> None:
    shelf = Shelf.of(load_config(root).letter(), NOW)
    articles = shelf.archive.articles
    half = len(articles) // 2
    answer = {
        "warm_ms": warm(shelf, articles[:half]),
        "stages_ms": stages(shelf, articles[half:][:MEASURED]),
        "html_bytes": [
            len(shelf.compose(one).email.html.encode()) for one in articles[:: half // 10 or 1]
        ],
        "touched_ms": touched(root, articles[half]),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
