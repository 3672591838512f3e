"""Forty kills, at every labelled point and at any moment; two hundred by tests.bench.kills."""

from __future__ import annotations

import random
import shutil
from itertools import islice
from pathlib import Path

import pytest

from tests.bench.kills import ANY_MOMENT, PIPELINED, SHAPES, Kill, Shape, Tally, kills, told, trial
from tests.killing import SEAMS, frozen

PEOPLE = 1000


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A send to PEOPLE, frozen; to be copied."""
    return frozen(tmp_path_factory.mktemp("frozen"), PEOPLE)


@pytest.fixture
def folder(ready: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ready, tmp_path / "send"))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_promise_1_killed_anywhere_nobody_is_lost_and_nobody_gets_it_twice(
    folder: Path, shape: Shape
) -> None:
    number = SHAPES.index(shape)
    points = (*SEAMS, ANY_MOMENT)
    turned = points[number * 4 % len(points) :] + points[: number * 4 % len(points)]
    endless = kills(turned, random.Random(number))
    tally = Tally()
    trial(folder, shape, islice(endless, 6), tally)
    assert tally.clean, told(tally, 0.0)
    assert tally.killed


@pytest.mark.parametrize("point", SEAMS)
def test_every_labelled_point_is_come_to(folder: Path, point: str) -> None:
    lock_step = point in ("MAIL", "RCPT")
    shape = Shape(4, 1, () if lock_step else PIPELINED)
    before = [Kill("dot", 150)] if point.startswith("recover") else []
    tally = Tally()
    trial(folder, shape, iter([*before, Kill(point, 1)]), tally)
    assert tally.killed[point] == 1
    assert tally.clean, told(tally, 0.0)
