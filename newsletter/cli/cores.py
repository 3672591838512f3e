"""The same work for many issues, on all of the machine's cores.

Enters: a pure function and its arguments. Leaves: its results in the order of the arguments,
whatever finishes first. Knows nothing of what the work is.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

# Neighbours share what is remembered of each other, so they go to one core together.
TOGETHER = 16
_inherited: list[tuple[Callable[[Any], Any], Sequence[Any]]] = []


def on_every_core(work: Callable[[T], R], given: Sequence[T]) -> Iterator[R]:
    """`map(work, given)`, in processes of their own where there is enough to do.

    `work` and `given` are inherited, so a closure will do; results are pickled. What `work` raises
    ends the iteration. Its first call is made here, so what it imports is inherited too."""
    cores = min(_cores(), len(given) // TOGETHER)
    if cores < 2 or not _may_fork():
        yield from map(work, given)
        return
    yield work(given[0])
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(cores, fork, initializer=_inherit, initargs=(work, given)) as pool:
        yield from pool.map(_do, range(1, len(given)), chunksize=TOGETHER)


def _cores() -> int:
    """Those this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _may_fork() -> bool:
    """Not beside other threads, whose locks the child would inherit; nor on macOS, whose own
    libraries do not survive it."""
    forks = "fork" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"
    return forks and threading.active_count() == 1


def _inherit(work: Callable[[Any], Any], given: Sequence[Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to answer
    _inherited.append((work, given))


def _do(place: int) -> Any:
    work, given = _inherited[0]
    return work(given[place])
