"""Ids in sorted arrays behave as sets and dicts of them do."""

from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import pyarrow as pa
import pytest

from airflow_sv_versioning.snapshot.ids import IdMap, IdSet, digests, joined, repeated


def test_a_column_is_asked_at_once() -> None:
    ids = IdSet([5, 3, 5, 2**62])

    assert ids.mask(pa.array([3, 4, None, 2**62])).tolist() == [True, False, False, True]
    assert ids.mask(pa.chunked_array([[5], [6]])).tolist() == [True, False]
    assert ids.missing(pa.array([9, 3, 9, None, 1])) == [1, 9]


def test_null_is_not_taken_for_zero() -> None:
    assert IdSet([0]).mask(pa.array([None, 0], pa.int64())).tolist() == [False, True]


def test_an_empty_set_holds_nothing() -> None:
    assert IdSet([]).mask(pa.array([0, 1])).tolist() == [False, False]
    assert IdSet.of_columns([]).mask_of([0]) == [False]


def test_a_set_tells_where_its_ids_stand() -> None:
    ids = IdSet([70, 7, 7])

    assert len(ids) == 2
    assert ids.places([70, 7, 70]).tolist() == [1, 0, 1]
    assert (ids.find(70), ids.find(71), ids.find(None)) == (1, None, None)
    with pytest.raises(KeyError, match="5"):
        ids.places([7, 5])


def test_a_map_holds_what_was_put_into_it() -> None:
    found = IdMap(IdSet(number * 7 for number in range(20_000)))
    found.put([7 * number for number in range(19_999, 9, -1)], range(19_999, 9, -1))
    found.put([7, 0], [1, 0])

    assert (found[0], found[7 * 19_999]) == (0, 19_999)
    assert found.take([70, 7, 70]) == [10, 1, 10]
    assert 7 in found
    assert 8 not in found
    assert None not in found
    assert len(found) == 20_000 - 8
    assert list(found) == [number * 7 for number in range(20_000) if not 1 < number < 10]


def test_a_map_says_which_id_it_lacks() -> None:
    found = IdMap(IdSet([1, 2]))
    found.put([1], [2])

    for lacking in (2, 5):
        with pytest.raises(KeyError, match=str(lacking)):
            found.take([1, lacking])
        with pytest.raises(KeyError, match=str(lacking)):
            found[lacking]
    with pytest.raises(KeyError, match="5"):
        found.put([1, 5], [1, 5])


def test_a_map_of_nothing_is_empty() -> None:
    found = IdMap(IdSet([]))
    found.put([], [])

    assert (len(found), list(found), found.take([])) == (0, [], [])
    assert 0 not in found


def test_threads_fill_a_map_that_is_read_meanwhile():
    found = IdMap(IdSet(range(24_000)))

    def fill(start: int) -> bool:
        for number in range(start, start + 6000, 100):
            found.put(range(number, number + 100), range(-number, -number - 100, -1))
            assert found[number] == -number
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(fill, range(0, 24_000, 6000)))
    assert found.take(range(24_000)) == [-number for number in range(24_000)]


def test_a_set_of_columns_leaves_nulls_out() -> None:
    ids = IdSet.of_columns([pa.array([3, None]), pa.chunked_array([[1], [3]])])

    assert list(ids.where(np.array([True, True]))) == [1, 3]


def test_columns_are_joined_however_many_and_long_they_are() -> None:
    lengths = [0, 1, 20_000, 5, 100_000, 0]
    numbers = iter(range(sum(lengths)))

    found = joined(np.fromiter(islice(numbers, length), np.int64) for length in lengths)

    assert found.tolist() == list(range(sum(lengths)))


def test_what_comes_twice_is_found_in_whichever_parts_it_is() -> None:
    parts = [np.array([5, 1, 9]), np.array([7, 7]), np.array([9, 9, 2**62])]

    found = repeated(joined(parts))

    assert found.mask_of([1, 5, 7, 9, 2**62]) == [False, False, True, True, False]
    assert not repeated(joined([]))


def test_equal_values_have_equal_digests() -> None:
    first, second = digests([(1, "a"), (2, "a"), (1, "b"), (1, "a")]), digests([(1, "a")])

    assert first.tolist() == [second[0], first[1], first[2], second[0]]
    assert len(set(first.tolist())) == 3
