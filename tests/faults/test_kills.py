"""Processes are killed in the middle of their work; the next run of the same puts everything right."""

from itertools import product

import pytest

from tests.support.kills import ACTIONS, TYPES, Ground, Tally, Work, new_ground, spread
from tests.support.types import TempFolders


@pytest.fixture(scope="module")
def ground(tmp_path_factory: TempFolders):
    with new_ground(tmp_path_factory.mktemp("kills"), Ground) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("work", [Work("command", *each) for each in product(ACTIONS, TYPES)], ids=str)
def test_a_killed_command_leaves_nothing_that_the_next_does_not_put_right(ground: Ground, work: Work):
    tally = Tally()

    for at, moment in spread(ground.length(work), 2, seed=7):
        ground.check(work, at, moment, tally)

    assert tally.wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("action", ACTIONS)
def test_a_killed_task_leaves_nothing_that_its_next_try_does_not_put_right(ground: Ground, action: str):
    work, tally = Work("task", action, "images"), Tally()

    for at, moment in spread(ground.length(work), 2, seed=8):
        ground.check(work, at, moment, tally)

    assert tally.wrong == []
