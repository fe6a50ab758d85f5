"""Processes are killed at what they do to a vault; a manifest never lies, and the next run completes it."""

import pytest

from tests.support.kills import new_ground, spread
from tests.support.types import TempFolders
from tests.support.vault_kills import ACTIONS, Tally, VaultGround


@pytest.fixture(scope="module")
def ground(tmp_path_factory: TempFolders):
    with new_ground(tmp_path_factory.mktemp("kills"), VaultGround) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("action", ACTIONS)
def test_a_manifest_never_lies_whoever_is_killed(ground: VaultGround, action: str):
    tally = Tally()

    for at, moment in spread(ground.length(action, "images"), 4, seed=3):
        ground.check(action, "images", at, moment, tally)

    assert tally.wrong == []
