"""Lanes side by side, a thread each, their rows in one stream.

Lanes enter, rows leave in the order of their answers. It knows when to break the lanes off, and
nothing of what they do.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from threading import Event, Thread

from newsletter.delivery.lane import Lane
from newsletter.delivery.run import Run
from newsletter.model import Delivery

TICK_S = 0.02
GOODBYE_S = 5.0
BACKLOG = 1000


def abreast(run: Run, lanes: Sequence[Lane]) -> Iterator[Delivery]:
    """The rows of all lanes; those of a single lane one by one, as they are asked for.

    Left early, it lets nothing more leave and cuts the lines: what had begun is in doubt.
    """
    if len(lanes) == 1:
        yield from lanes[0].rows()
        return
    rows: deque[Delivery] = deque()
    ended = Event()
    threads = [Thread(target=_drive, args=(lane, rows, ended), daemon=True) for lane in lanes]
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads) or rows:
            while rows:
                yield rows.popleft()
            ended.wait(TICK_S)  # a reader woken for each row costs more than the row
            ended.clear()
    finally:
        if any(thread.is_alive() for thread in threads):
            _break_off(run, lanes, threads)


def _drive(lane: Lane, rows: deque[Delivery], ended: Event) -> None:
    for row in lane.rows():
        rows.append(row)
        while len(rows) > BACKLOG and not lane.run.over:
            time.sleep(TICK_S)
    ended.set()


def _break_off(run: Run, lanes: Sequence[Lane], threads: Sequence[Thread]) -> None:
    run.abandon()
    for lane in lanes:
        lane.transport.hang_up()
    for thread in threads:
        thread.join(GOODBYE_S)
