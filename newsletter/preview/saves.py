"""The stream that tells open pages of saved files: what kind of file it was, and of which issue.

Enters: the folders and files to watch, which may not be there yet. Leaves: server-sent events.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from newsletter.errors import NewsletterError
from newsletter.preview.footprint import Facts, files_at
from newsletter.preview.studio import Studio

DEBOUNCE_MS, STEP_MS = 60, 15
# How often a stream looks up: for places that were not there when the watch began, and for the
# end of the desk.
LOOKED_UP_MS = 400
RETRY_MS = 500


@dataclass(frozen=True, slots=True)
class Saves:
    """The saved files of one publication."""

    studio: Studio
    watched: tuple[Path, ...]

    async def events(self, request: Request) -> Response:
        return StreamingResponse(self._told(request.app), media_type="text/event-stream")

    async def _told(self, app: Starlette) -> AsyncIterator[str]:
        before = files_at(self.watched)
        yield f"retry: {RETRY_MS}\n\n"
        async for changed in self._changed(before):
            if app.state.is_closing():
                return
            if not changed:
                yield ": waiting\n\n"
                continue
            yield f"event: saved\ndata: {json.dumps(self.saved(changed))}\n\n"

    async def _changed(self, before: frozenset[Facts]) -> AsyncIterator[Sequence[Path]]:
        """The files of each save since `before`; nothing now and then. Watching begins anew when a
        place to watch has come or gone."""
        from watchfiles import awatch  # noqa: PLC0415

        while True:
            places = self._places()
            waiting = awatch(
                *places,
                debounce=DEBOUNCE_MS,
                step=STEP_MS,
                rust_timeout=LOOKED_UP_MS,
                yield_on_timeout=True,
            )
            async for changes in waiting:
                # What was saved before the watch had begun is told by nobody else.
                missed, before = (before ^ files_at(self.watched) if before else ()), frozenset()
                saved = {Path(path) for path, *_ in missed} | {Path(path) for _, path in changes}
                yield sorted(saved)
                if self._places() != places:
                    before = files_at(self.watched)
                    yield [self.watched[0]]
                    break

    def _places(self) -> list[Path]:
        return [place for place in self.watched if place.exists()]

    def saved(self, changed: Iterable[Path]) -> dict[str, object]:
        """What a page wants to know: whether only the inbox changed, and the issue that did."""
        files = list(changed)
        mails = [file for file in files if file.is_relative_to(self.studio.inbox)]
        return {"inbox_only": len(mails) == len(files), "slug": self._slug(files)}

    def _slug(self, files: list[Path]) -> str:
        try:
            shelf = self.studio.shelf()
        except NewsletterError:
            return ""
        root = shelf.letter.root
        by_path = {(root / a.path).resolve(): a.slug for a in shelf.archive.articles}
        return next((by_path[f.resolve()] for f in files if f.resolve() in by_path), "")
