"""Ids in sorted arrays behave as sets and dicts of them do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from airflow_sv_versioning.snapshot.id_sets import IdMap, IdSet


def test_a_column_is_asked_at_once():
    ids = IdSet([5, 3, 5, 2**62])

    assert ids.mask(pa.array([3, 4, None, 2**62])).tolist() == [True, False, False, True]
    assert ids.mask(pa.chunked_array([[5], [6]])).tolist() == [True, False]
    assert ids.missing(pa.array([9, 3, 9, None, 1])) == [1, 9]


def test_null_is_not_taken_for_zero():
    assert IdSet([0]).mask(pa.array([None, 0], pa.int64())).tolist() == [False, True]


def test_an_empty_set_holds_nothing():
    assert IdSet([]).mask(pa.array([0, 1])).tolist() == [False, False]
    assert IdSet.of_columns([]).mask_of([0]) == [False]


def test_a_map_finds_what_came_lately_and_long_ago():
    found = IdMap()
    for number in range(20_000):
        found[number * 7] = number

    assert len(found) == 20_000
    assert (found[0], found[7 * 19_999]) == (0, 19_999)
    assert found.take([70, 7, 70]) == [10, 1, 10]
    assert 7 in found
    assert 8 not in found
    assert None not in found
    assert sorted(found) == [number * 7 for number in range(20_000)]


def test_a_map_says_which_id_it_lacks():
    found = IdMap()
    found[1] = 2

    with pytest.raises(KeyError, match="5"):
        found.take([1, 5])
    with pytest.raises(KeyError, match="5"):
        found[5]


def test_threads_fill_a_map_that_is_read_meanwhile():
    found = IdMap()

    def fill(start: int) -> bool:
        for number in range(start, start + 6000):
            found[number] = -number
            assert found[number] == -number
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(fill, range(0, 24_000, 6000)))
    assert found.take(range(24_000)) == [-number for number in range(24_000)]
