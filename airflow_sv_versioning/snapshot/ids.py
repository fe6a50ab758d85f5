"""Many ids in little memory: sorted arrays of 64-bit integers in place of sets and dicts."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

FIRST_GIVEN_ID = 1 << 40
"""Where an archive tells no ids, its reader gives these, far from those of servers: they mean nothing beyond
what was read."""

# No platform has such an id.
_NOT_YET = -(2**63)
_FIRST_PLACES = 2**14


def told_id(number: int | None) -> int | None:
    """Take an id that an archive told; ``None`` for one that its reader gave."""
    return None if number is None or number >= FIRST_GIVEN_ID else number


class IdSet:
    """A set of ids that is asked for whole columns at once.

    :param ids: any integers, also as arrays; in any order.
    """

    def __init__(self, ids: Iterable[int] | np.ndarray[Any, Any]) -> None:
        import numpy as np

        array = ids if isinstance(ids, np.ndarray) else np.fromiter(ids, np.int64)
        self._ids = _sorted_once(array.astype(np.int64, copy=False))

    @classmethod
    def of_columns(cls, columns: Iterable[pa.Array | pa.ChunkedArray]) -> IdSet:
        """Collect the ids of integer columns; null is none."""
        return cls(joined(column.drop_null().to_numpy(zero_copy_only=False) for column in columns))

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, key: Any) -> int | None:
        """Tell the place of an id in the order of their size; ``None`` where it is not in the set."""
        if not isinstance(key, int):
            return None
        place = int(self._ids.searchsorted(key))
        return place if place < len(self._ids) and self._ids[place] == key else None

    def places(self, ids: Sequence[int]) -> np.ndarray[Any, Any]:
        """Tell the places of many ids in the order of their size.

        :raises KeyError: one is not in the set.
        """
        import numpy as np

        places, is_present = _find(self._ids, np.asarray(ids, np.int64))
        if not is_present.all():
            raise KeyError(ids[int(np.argmin(is_present))])
        return places

    def common_with(self, other: IdSet) -> IdSet:
        """Take the ids that both hold."""
        return IdSet(self._ids[_find(other._ids, self._ids)[1]])

    def where(self, mask: np.ndarray[Any, Any]) -> list[int]:
        """List the ids, smallest first, that a mask selects."""
        chosen_ids: list[int] = self._ids[mask].tolist()
        return chosen_ids

    def mask_of(self, ids: Sequence[int] | np.ndarray[Any, Any]) -> list[bool]:
        """Say for each id whether it is in the set."""
        import numpy as np

        mask: list[bool] = _find(self._ids, np.array(ids, np.int64))[1].tolist()
        return mask

    def mask(self, column: pa.Array | pa.ChunkedArray) -> np.ndarray[Any, Any]:
        """Say for each row of an integer column whether its id is in the set; null is not."""
        import pyarrow.compute as pc

        mask = _find(self._ids, pc.fill_null(column, 0).to_numpy(zero_copy_only=False))[1]
        return mask & pc.is_valid(column).to_numpy(zero_copy_only=False) if column.null_count else mask

    def missing(self, column: pa.Array | pa.ChunkedArray) -> list[int]:
        """List the different ids of a column that are not in the set; null is not asked for."""
        ids = column.drop_null().to_numpy(zero_copy_only=False)
        unknown: list[int] = _sorted_once(ids[~_find(self._ids, ids)[1]]).tolist()
        return unknown


class IdMap(Mapping[int, int]):
    """A map of ids that are known beforehand to integers that come later, each once.

    Threads may write and read it at once.

    :param known_ids: all ids that it will ever hold.
    """

    def __init__(self, known_ids: IdSet) -> None:
        import numpy as np

        self.known_ids = known_ids
        self._values = np.full(len(known_ids), _NOT_YET)
        self._lock = threading.Lock()
        self._count = 0

    def __getitem__(self, key: int) -> int:
        position = self.known_ids.find(key)
        if position is None or self._values[position] == _NOT_YET:
            raise KeyError(key)
        return int(self._values[position])

    def __iter__(self) -> Iterator[int]:
        return iter(self.known_ids.where(self._values != _NOT_YET))

    def __len__(self) -> int:
        return self._count

    def put(self, keys: Sequence[int], values: Sequence[int]) -> None:
        """Set many values at once.

        :raises KeyError: an id is none of those that were known.
        """
        self._values[self.known_ids.places(keys)] = values
        with self._lock:
            self._count += len(keys)

    def take(self, keys: Sequence[int]) -> list[int]:
        """Look up many keys at once.

        :raises KeyError: one is not there.
        """
        import numpy as np

        values = self._values[self.known_ids.places(keys)]
        if (values == _NOT_YET).any():
            raise KeyError(keys[int(np.argmax(values == _NOT_YET))])
        value_list: list[int] = values.tolist()
        return value_list


def repeated(ids: np.ndarray[Any, Any]) -> IdSet:
    """Collect the ids, or digests, that occur more than once."""
    import numpy as np

    sorted_ids = np.sort(ids)
    return IdSet(sorted_ids[1:][sorted_ids[1:] == sorted_ids[:-1]])


def joined(parts: Iterable[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """Put columns of ids together while they come: to keep many small ones would leave holes in memory."""
    import numpy as np

    all_ids, count = np.empty(_FIRST_PLACES, np.int64), 0
    for part in parts:
        if count + len(part) > len(all_ids):
            all_ids.resize(max(2 * len(all_ids), count + len(part)), refcheck=False)
        all_ids[count : count + len(part)] = part
        count += len(part)
    return all_ids[:count]


def digests(values: Iterable[Hashable]) -> np.ndarray[Any, Any]:
    """Make 64-bit digests: equal of equal values, seldom of others, and good in this process only."""
    import numpy as np

    return np.fromiter(map(hash, values), np.int64)


def _sorted_once(ids: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Sort ids, each once; ``numpy.unique`` would make a hash table of them first, many times their size."""
    import numpy as np

    sorted_ids: np.ndarray[Any, Any] = np.sort(ids)
    if (is_again := sorted_ids[1:] == sorted_ids[:-1]).any():
        sorted_ids = sorted_ids[np.concatenate([[True], ~is_again])]
    return sorted_ids


def _find(
    sorted_ids: np.ndarray[Any, Any], ids: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Tell where in a sorted array ids stand, and which of them do."""
    import numpy as np

    if not len(sorted_ids):
        return np.zeros(len(ids), np.intp), np.zeros(len(ids), np.bool_)
    positions = sorted_ids.searchsorted(ids)
    positions[positions == len(sorted_ids)] = 0
    return positions, sorted_ids[positions] == ids
