"""Many ids in little memory: sorted arrays of 64-bit integers in place of sets and dicts."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_RECENT = 4096


class IdSet:
    """A set of ids that is asked for whole columns at once.

    :param ids: any integers, also as arrays; in any order.
    """

    def __init__(self, ids: Iterable[int] | np.ndarray[Any, Any]) -> None:
        import numpy as np

        found = ids if isinstance(ids, np.ndarray) else np.fromiter(ids, np.int64)
        # numpy's own `unique` may build a hash table, which takes many times the memory of the ids.
        ordered = np.sort(found.astype(np.int64, copy=False))
        is_new = np.ones(len(ordered), np.bool_)
        is_new[1:] = ordered[1:] != ordered[:-1]
        self._ids = ordered[is_new]

    @classmethod
    def of_columns(cls, columns: Iterable[pa.Array | pa.ChunkedArray]) -> IdSet:
        """Collect the ids of integer columns; null is none."""
        import numpy as np

        found = [column.drop_null().to_numpy(zero_copy_only=False) for column in columns]
        return cls(np.concatenate(found) if found else [])

    def mask_of(self, ids: Sequence[int]) -> list[bool]:
        """Say for each id whether it is in the set."""
        import numpy as np

        found: list[bool] = _find(self._ids, np.array(ids, np.int64))[1].tolist()
        return found

    def mask(self, column: pa.Array | pa.ChunkedArray) -> np.ndarray[Any, Any]:
        """Say for each row of an integer column whether its id is in the set; null is not."""
        import pyarrow.compute as pc

        found = _find(self._ids, pc.fill_null(column, 0).to_numpy(zero_copy_only=False))[1]
        return found & pc.is_valid(column).to_numpy(zero_copy_only=False) if column.null_count else found

    def missing(self, column: pa.Array | pa.ChunkedArray) -> list[int]:
        """List the different ids of a column that are not in the set; null is not asked for."""
        import numpy as np

        ids = column.drop_null().to_numpy(zero_copy_only=False)
        return [int(found) for found in np.unique(ids[~_find(self._ids, ids)[1]])]


class IdMap(MutableMapping[int, int]):
    """A map of ids to integers, each set once; threads may write and read it at once.

    What came lately is in a small dict; it moves to sorted arrays as it grows.
    """

    def __init__(self) -> None:
        import numpy as np

        self._lock = threading.Lock()
        self._recent: dict[int, int] = {}
        self._sorted = (np.empty(0, np.int64), np.empty(0, np.int64))

    def __getitem__(self, key: int) -> int:
        if not isinstance(key, int):
            raise KeyError(key)
        # In this order: what leaves the one has already arrived in the other.
        recent = self._recent
        if key in recent:
            return recent[key]
        keys, found = self._sorted
        position = int(keys.searchsorted(key))
        if position == len(keys) or keys[position] != key:
            raise KeyError(key)
        return int(found[position])

    def __setitem__(self, key: int, value: int) -> None:
        with self._lock:
            self._recent[key] = value
            if len(self._recent) > max(_RECENT, len(self._sorted[0]) // 8):
                self._settle()

    def __delitem__(self, key: int) -> None:
        raise TypeError("an id stays in its map")

    def __iter__(self) -> Iterator[int]:
        with self._lock:
            self._settle()
            keys = self._sorted[0]
        return iter(keys.tolist())

    def __len__(self) -> int:
        with self._lock:
            return len(self._sorted[0]) + len(self._recent)

    def take(self, keys: Sequence[int]) -> list[int]:
        """Look up many keys at once.

        :raises KeyError: one is not there.
        """
        import numpy as np

        with self._lock:
            self._settle()
            known, found = self._sorted
        positions, present = _find(known, np.asarray(keys, np.int64))
        if not present.all():
            raise KeyError(keys[int(np.argmin(present))])
        listed: list[int] = found[positions].tolist()
        return listed

    def _settle(self) -> None:
        import numpy as np

        if not self._recent:
            return
        old_keys, old_values = self._sorted
        keys = np.concatenate([np.fromiter(self._recent, np.int64), old_keys])
        merged = np.concatenate([np.fromiter(self._recent.values(), np.int64), old_values])
        order = keys.argsort(kind="stable")
        self._sorted = (keys[order], merged[order])
        self._recent = {}


def _find(
    known: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Tell where in a sorted array ids stand, and which of them do."""
    import numpy as np

    if not len(known):
        return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), np.bool_)
    positions = known.searchsorted(wanted)
    positions[positions == len(known)] = 0
    return positions, known[positions] == wanted
