"""A small share of what ``make fuzz`` does: genuine archives, changed at random, are read or refused."""

import os
from pathlib import Path

import pytest

from tests.fuzz.cases import make_case
from tests.fuzz.corpus import genuine_archives
from tests.fuzz.running import run_cases

CASES = range(48)


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="memory is measured on Linux only")
def test_every_changed_archive_is_read_or_refused() -> None:
    found = run_cases(CASES)

    assert found.faults == []
    assert sum(sum(counted.values()) for counted in found.outcomes.values()) == len(CASES)
    outcomes = {outcome for counted in found.outcomes.values() for outcome in counted}
    assert outcomes == {"read", "refused"}, "cases that are all refused, or all read, find nothing"


def test_a_case_is_made_of_its_number_alone(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    genuine = genuine_archives(tmp_path / "one")

    for number in range(12):
        one, again = (make_case(number, genuine) for _ in range(2))
        assert one == again
