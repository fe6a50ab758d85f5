"""The rows of a table in a Parquet file, by their numbers or by whose they are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.snapshot.ids import IdSet

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

_MAX_CACHED_GROUPS = 2
_READERS = 1
# No platform has such an id.
_NOBODY = -(2**63)


class StoredRows:
    """Reads rows of a file a row group at a time, which is little where this package wrote it."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import numpy as np
        import pyarrow.parquet as pq

        self._path = path
        self._schema = schema
        with damage_named(path.stem):
            self._footer = pq.read_metadata(path)
        sizes = [self._footer.row_group(number).num_rows for number in range(self._footer.num_row_groups)]
        self._starts = np.cumsum([0, *sizes])
        self._cached_groups: OrderedDict[int, pa.Table] = OrderedDict()

    def column(self, name: str) -> Iterator[pa.ChunkedArray]:
        """Read one column, a row group at a time."""
        for number in range(self._footer.num_row_groups):
            yield self._read(number, [name])[name]

    def among(self, column: str, ids: IdSet) -> Iterator[pa.Table]:
        """Stream the rows whose column holds one of these ids.

        Row groups without such rows are not decoded; others are read ahead while a consumer works.
        """

        def read(number: int) -> pa.Table | None:
            mask = ids.mask(self._read(number, [column])[column])
            return self._read_whole(number).filter(mask) if mask.any() else None

        for rows in map_ordered(read, range(self._footer.num_row_groups), _READERS):
            if rows is not None:
                yield rows

    def parted(self, column: str, ids: IdSet) -> Iterator[tuple[pa.Table, pa.Table]]:
        """Stream all rows as :meth:`among` does: those that it gives, and beside them the others."""

        def read(number: int) -> tuple[pa.Table, pa.Table]:
            rows = self._read_whole(number)
            mask = ids.mask(rows[column])
            return rows.filter(mask), rows.filter(~mask)

        yield from map_ordered(read, range(self._footer.num_row_groups), _READERS)

    def take(self, numbers: Numbers) -> pa.Table:
        """Read some rows, in the order of their numbers as they are given; groups read last are held."""
        import numpy as np
        import pyarrow as pa

        if not len(numbers):
            return self._schema.empty_table()
        order = None if (numbers[1:] > numbers[:-1]).all() else np.argsort(numbers, kind="stable")
        ascending = numbers if order is None else numbers[order]
        groups = self._starts.searchsorted(ascending, "right") - 1
        bounds = [0, *(np.flatnonzero(np.diff(groups)) + 1), len(groups)]
        parts = [
            # A slice would hold all of its group, and count as large.
            self._group(int(groups[first])).take(ascending[first:last] - self._starts[groups[first]])
            for first, last in pairwise(bounds)
        ]
        rows = pa.concat_tables(parts)
        return rows if order is None else rows.take(np.argsort(order))

    def _group(self, number: int) -> pa.Table:
        if number in self._cached_groups:
            self._cached_groups.move_to_end(number)
        else:
            if len(self._cached_groups) >= _MAX_CACHED_GROUPS:
                self._cached_groups.popitem(last=False)
            self._cached_groups[number] = self._read_whole(number)
        return self._cached_groups[number]

    def _read_whole(self, number: int) -> pa.Table:
        return _fitted(self._read(number, self._schema.names), self._schema)

    def _read(self, number: int, columns: list[str]) -> pa.Table:
        import pyarrow.parquet as pq

        with damage_named(self._path.stem), pq.ParquetFile(self._path, metadata=self._footer) as file:
            # Columns that are not known are passed over: nobody looked at them.
            stored_names = set(file.schema_arrow.names)
            present_names = [name for name in columns if name in stored_names]
            return file.read_row_group(number, present_names, use_threads=False)


class OwnedRows:
    """Finds the rows of an owner, in their order, in whatever order the owners come.

    Held in memory are three integers a run of neighbours of one owner: where a table is clustered, a run is
    all of an owner's.

    :param column: says whose a row is.
    """

    def __init__(self, rows: StoredRows, column: str) -> None:
        import numpy as np

        self._rows = rows
        owners, firsts, total = _runs(rows.column(column))
        order = np.argsort(owners, kind="stable")
        self._owners, self._firsts = owners[order], firsts[order]
        sizes = np.diff(np.append(firsts, total))[order]
        self._ends = np.append(0, np.cumsum(sizes))

    def counts(self, ids: Numbers) -> Numbers:
        """Count the rows of each owner."""
        first, end = (self._owners.searchsorted(ids, side) for side in ("left", "right"))
        counts: Numbers = self._ends[end] - self._ends[first]
        return counts

    def of(self, ids: Numbers) -> pa.Table:
        """Read the rows of some owners, one owner after the other."""
        runs = _spread(self._owners.searchsorted(ids, "left"), self._owners.searchsorted(ids, "right"))
        firsts, sizes = self._firsts[runs], self._ends[runs + 1] - self._ends[runs]
        return self._rows.take(_spread(firsts, firsts + sizes))


def stored_batches(path: Path, schema: pa.Schema, size: int) -> Iterator[pa.RecordBatch]:
    """Stream a file in its order, with the columns of a schema; those that it lacks are null.

    :param size: the most rows of a batch.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        stored_names = file.schema_arrow.names
        present_names = [name for name in schema.names if name in stored_names]
        # Of columns that are all lacking, another one tells how many rows there are.
        read_names = present_names or stored_names[:1]
        for batch in file.iter_batches(size, columns=read_names, use_threads=False):
            if batch.schema.equals(schema):
                yield batch
            else:
                yield from _fitted(pa.Table.from_batches([batch]), schema).to_batches()


@contextmanager
def damage_named(table: str) -> Iterator[None]:
    """Tell damage of a table from a disk that refuses: the library reports both as ``OSError``.

    :raises FormatError: the table is damaged.
    """
    import pyarrow as pa

    try:
        yield
    except pa.ArrowMemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise FormatError(f"Table {table} of the version is damaged: {error}") from error


def _fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Give a table that others wrote the columns and types of ours; what it lacks is null."""
    import pyarrow as pa

    if table.schema.equals(schema):
        return table
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _runs(column: Iterator[pa.ChunkedArray]) -> tuple[Numbers, Numbers, int]:
    """Find neighbours with one owner: the owner of each run, its first row; and the number of all rows."""
    import numpy as np
    import pyarrow.compute as pc

    owners, firsts, total, last = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0, np.empty(0, np.int64)
    for part in column:
        owner_ids = pc.fill_null(part, _NOBODY).to_numpy()
        # One that goes on from the part before begins there.
        begins = np.flatnonzero(np.diff(np.append(last, owner_ids))) + 1 - len(last)
        begins = begins if len(last) else np.append(0, begins)[: len(owner_ids)]
        owners.append(owner_ids[begins])
        firsts.append(begins + total)
        total, last = total + len(owner_ids), owner_ids[-1:]
    return np.concatenate(owners), np.concatenate(firsts), total


def _spread(firsts: Numbers, ends: Numbers) -> Numbers:
    """Count from each first number to its end, one after the other."""
    import numpy as np

    sizes = ends - firsts
    rows_before = np.cumsum(sizes) - sizes
    numbers: Numbers = np.repeat(firsts - rows_before, sizes) + np.arange(sizes.sum())
    return numbers
