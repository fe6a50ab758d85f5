"""Projects that are edited by scripts: a comparison tells of what was edited, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.versioning.compare.trials import try_seed

# A few of those of `make truth`: each type, with and without ids of the same project, in all formats.
SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_comparison_tells_what_was_edited_and_nothing_else(seed, tmp_path: Path) -> None:
    outcome = try_seed(seed, tmp_path)

    assert outcome.is_right, "\n  ".join([outcome.name, *outcome.faults])
