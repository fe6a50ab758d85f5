"""How many items of a base are read again before it is trusted."""

import pytest

from airflow_sv_versioning.capture.incremental import sample_size


@pytest.mark.parametrize(("items", "sampled"), [(0, 0), (3, 3), (100, 10), (2000, 20), (1_000_000, 50)])
def test_the_sample_follows_the_size_of_the_project_within_bounds(items, sampled) -> None:
    assert sample_size(items) == sampled
