"""Rows of one owner stand together: the property of a snapshot that its readers rely on.

A table that tells of items is *clustered*: all rows of an owner (an image, a video, ...) follow each other,
in their own order, which is the depth of figures. In which order the owners come is free.

:class:`~airflow_sv_versioning.snapshot.writer.SnapshotWriter` puts what is captured into this order,
batch by batch. Of tables that others wrote it is proved, and :mod:`resorting` writes the others anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.ids import joined, repeated
from airflow_sv_versioning.snapshot.schemas import SCHEMAS, Clustering
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

_OWNER_TYPES = ("item", "object", "figure")
# No platform has such an id.
_NOTHING = -(2**63)


def clustered_tables(project_type: str) -> tuple[str, ...]:
    """Name the tables that are clustered."""
    return tuple(name for name, table in SCHEMAS[project_type].items() if table.clustering)


def in_order(project_type: str, table: str, rows: pa.Table) -> pa.Table:
    """Put all rows of some owners into order."""
    clustering = SCHEMAS[project_type][table].clustering
    if clustering is None or not rows.num_rows:
        return rows
    order = _order(_owners(rows, clustering), _places(rows, clustering))
    return rows if (order[1:] > order[:-1]).all() else rows.take(order)


def final_places(snapshot: Snapshot, table: str) -> Numbers:
    """Tell for each row of a table which place it is to have among all of them."""
    import numpy as np

    clustering = SCHEMAS[snapshot.project_type][table].clustering
    if clustering is None:
        raise AssertionError(f"nobody asks in which order the rows of {table} stand")
    owners = joined(_owners(batch, clustering) for batch in snapshot.iter_batches(table, clustering.columns))
    places = joined(_places(batch, clustering) for batch in snapshot.iter_batches(table, clustering.columns))
    order = _order(owners, places)
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def numbers_within(columns: Sequence[pa.Array | pa.ChunkedArray]) -> pa.Array:
    """Number the rows that are equal in some columns of integers or text, from 0, in their order."""
    import numpy as np
    import pyarrow as pa

    keys = [_codes(column) for column in columns]
    if not len(keys[0]):
        return pa.array([], pa.int64())
    order = np.lexsort(keys)
    is_first = np.zeros(len(order), np.bool_)
    is_first[0] = True
    for key in keys:
        arranged = key[order]
        is_first[1:] |= arranged[1:] != arranged[:-1]
    starts = np.flatnonzero(is_first)
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return pa.array(numbers)


def is_clustered(snapshot: Snapshot, table: str) -> bool:
    """Read the integers that decide, and say whether a table is clustered."""
    clustering = SCHEMAS[snapshot.project_type][table].clustering
    if clustering is None or not snapshot.path(table).exists():
        return True
    runs = _Runs()
    run_owners = joined(
        runs.starting(_owners(batch, clustering), _places(batch, clustering))
        for batch in snapshot.iter_batches(table, clustering.columns)
    )
    return runs.ascend and not len(repeated(run_owners))


class _Runs:
    """Neighbours with one owner.

    :ivar ascend: whether places ascend in all of them so far.
    """

    def __init__(self) -> None:
        self.ascend = True
        self._last: tuple[Numbers, Numbers] | None = None

    def starting(self, owners: Numbers, places: Numbers) -> Numbers:
        """Tell the owners of the runs that begin in a batch; one that goes on from the last is none."""
        import numpy as np

        before = (owners[:0], places[:0]) if self._last is None else self._last
        all_owners, all_places = np.concatenate([before[0], owners]), np.concatenate([before[1], places])
        goes_on = all_owners[1:] == all_owners[:-1]
        self.ascend &= not (goes_on & (all_places[1:] < all_places[:-1])).any()
        begun: Numbers = all_owners[1:][~goes_on]
        first = all_owners[:1] if self._last is None else all_owners[:0]
        self._last = owners[-1:], places[-1:]
        return np.concatenate([first, begun])


def _owners(rows: pa.Table | pa.RecordBatch, clustering: Clustering) -> Numbers:
    """Make one number of each row's owner."""
    import pyarrow as pa
    import pyarrow.compute as pc

    owners = _filled(rows[clustering.owner])
    if clustering.owner_type is None:
        return owners
    kinds = pc.index_in(rows[clustering.owner_type], value_set=pa.array(_OWNER_TYPES))
    # Ids do not reach into the bits that tell owners of different types apart.
    owner_keys: Numbers = owners ^ ((_filled(kinds, -1) + 1) << 61)
    return owner_keys


def _places(rows: pa.Table | pa.RecordBatch, clustering: Clustering) -> Numbers:
    import numpy as np

    if clustering.place is None:
        return np.zeros(rows.num_rows, np.int8)
    return _filled(rows[clustering.place])


def _filled(column: pa.Array | pa.ChunkedArray, null_number: int = _NOTHING) -> Numbers:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = pc.fill_null(pc.cast(column, pa.int64()), null_number)
    # Arrays and chunked ones want this said differently.
    filled: Numbers = np.asarray(numbers)
    return filled


def _codes(column: pa.Array | pa.ChunkedArray) -> Numbers:
    """Take a column as integers; texts become the numbers of their words."""
    import pyarrow as pa

    if not pa.types.is_string(column.type):
        return _filled(column)
    joined_up = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return _filled(joined_up.dictionary_encode().indices)


def _order(owners: Numbers, places: Numbers) -> Numbers:
    """List the rows, as numbers, in the order in which they shall stand: owners as they first came."""
    import numpy as np

    by_owner = np.argsort(owners, kind="stable")
    arranged = owners[by_owner]
    is_first = np.append(True, arranged[1:] != arranged[:-1])
    sizes = np.diff(np.append(np.flatnonzero(is_first), len(owners)))
    first_rows = np.empty(len(owners), np.int64)
    first_rows[by_owner] = np.repeat(by_owner[is_first], sizes)
    order: Numbers = np.lexsort((places, first_rows))
    return order
