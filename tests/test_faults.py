"""docs/faults.md is what a misbehaving relay brings about, and none of it breaks a promise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from newsletter.smtp.chaos import Chaos
from tests.bench.chaos import bad_day
from tests.faults import (
    BEN,
    PAGE,
    SESSION,
    Cell,
    Effect,
    Said,
    matrix,
    providers,
    written,
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Cell, Effect]:
    return matrix(tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Said, Effect]:
    return providers(tmp_path_factory.mktemp("said"))


def test_the_page_of_faults_is_up_to_date(
    found: Mapping[Cell, Effect], said: Mapping[Said, Effect]
) -> None:
    assert PAGE.read_text("utf-8") == written(found, said), "run python -m tests.faults"


def test_promise_1_nobody_gets_two_copies_and_who_is_accepted_has_one(
    found: Mapping[Cell, Effect], said: Mapping[Said, Effect]
) -> None:
    for what, effect in [*found.items(), *said.items()]:
        for person, state in effect.states.items():
            has = effect.copies[person]
            assert has == 1 if state == "accepted" else has <= (state == "unknown"), (what, person)


def test_promise_6_only_a_mailbox_that_is_gone_suppresses_anybody(
    found: Mapping[Cell, Effect], said: Mapping[Said, Effect]
) -> None:
    assert [what for what, effect in found.items() if effect.suppressed] == []
    assert {reply for (reply, _, _), e in said.items() if e.suppressed} == {
        "550 5.1.1 no such user"
    }


def test_what_goes_wrong_before_anybodys_address_was_spoken_is_held_against_nobody(
    found: Mapping[Cell, Effect],
) -> None:
    for (point, name, _), effect in found.items():
        if point in SESSION:
            assert set(effect.states.values()) <= {"accepted", "pending"}, (point, name)


def test_a_fault_that_happens_once_costs_nobody_else_anything(
    found: Mapping[Cell, Effect],
) -> None:
    for (point, name, once), effect in found.items():
        if once and name != "no (554)":
            others = {state for who, state in effect.states.items() if who != BEN}
            assert others == {"accepted"}, (point, name)


@pytest.mark.parametrize("seed", [0, 1])
def test_promise_1_after_a_bad_day_every_row_is_final_and_what_the_dice_say(
    tmp_path: Path, seed: int
) -> None:
    ended = bad_day(tmp_path, 1000, Chaos(defer=0.05, reject=0.01, drop=0.01, seed=seed))
    assert ended.wrong == []
    assert ended.states.total() == 1000
    assert ended.states["accepted"] > 900
