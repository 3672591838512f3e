"""One address -> a Verdict, along its redirects; each step is looked at as the first one was."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from urllib.parse import urljoin

from newsletter.linkcheck.line import Answer, ask, words_for
from newsletter.linkcheck.outside import Outside
from newsletter.linkcheck.target import Refused, Target, target_of
from newsletter.linkcheck.verdict import Verdict, of_status

FOR_GOOD, FOR_NOW = frozenset((301, 308)), frozenset((302, 303, 307))
Wait = Callable[[str], None]


def visit(url: str, outside: Outside, wait: Wait) -> Verdict:
    """What a reader finds there; `wait(host)` returns when the host may be asked again."""
    try:
        return _follow(target_of(url, outside.ports), outside, wait)
    except Refused as refused:
        return refused.verdict


def _follow(target: Target, outside: Outside, wait: Wait) -> Verdict:
    start, moved = target, True
    for _ in range(outside.redirects + 1):
        answer = _answer(target, outside, wait)
        if isinstance(answer, Verdict):
            return answer
        if answer.status not in FOR_GOOD | FOR_NOW or not answer.location:
            verdict = of_status(answer.status, answer.reason)
            return _told(verdict, start, target, moved=moved)
        moved = moved and answer.status in FOR_GOOD
        target = target_of(urljoin(target.url, answer.location), outside.ports)
    return Verdict("links.redirects", f"more than {outside.redirects} redirects")


def _told(verdict: Verdict, start: Target, end: Target, *, moved: bool) -> Verdict:
    """The verdict with where the redirects have led."""
    if end == start:
        return verdict
    if verdict.code == "":
        seen = f"to {end.url}"
        return Verdict("links.moved", seen) if moved else Verdict("", seen)
    return Verdict(verdict.code, f"{verdict.seen}, redirected to {end.url}")


def _answer(target: Target, outside: Outside, wait: Wait) -> Answer | Verdict:
    """The answer to HEAD; where that is no good one, to a GET for the first bytes: servers answer
    HEAD with anything from 403 to silence. The name is resolved once for each request, and that
    request goes to the address that was looked at."""
    answer: Answer | Verdict = Verdict("links.failing", "no answer")
    for method in ("HEAD", "GET"):
        wait(target.host)
        address = outside.address_of(target)
        try:
            answer = ask(method, target, address, outside)
        except (OSError, http.client.HTTPException) as error:
            answer = Verdict(*words_for(error))
            if answer.code == "links.tls":
                return answer
        else:
            if answer.status < 400 or answer.status == 429:
                return answer
    return answer
