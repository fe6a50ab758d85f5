"""Rows of a table by the value of a column, without holding the table."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.schemas import table_schema
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

_CACHED_GROUPS = 4


class RowLookup:
    """Find rows by key, in the table's order.

    Held in memory are sixteen bytes a row and the row groups that were read last: neighbours in one
    table are mostly neighbours in the other.

    :param equal: column -> value that rows must have to be found.
    """

    def __init__(self, snapshot: Snapshot, table: str, key: str, **equal: str) -> None:
        self._path = snapshot.path(table)
        self._schema = table_schema(snapshot.project_type, table)
        self._key = key
        self._keys, self._rows = _sorted_keys(snapshot.read(table, [key, *equal]), key, equal)
        self._starts = self._group_starts()
        self._groups: OrderedDict[int, pa.Table] = OrderedDict()

    def count(self, key: int) -> int:
        """Count the rows of a key."""
        return bisect_right(self._keys, key) - bisect_left(self._keys, key)

    def rows_by_key(self, keys: Iterable[int]) -> Mapping[int, list[dict[str, Any]]]:
        """Read the rows of some keys; keys without rows are left out."""
        numbers = sorted(
            self._rows[place]
            for key in set(keys)
            for place in range(bisect_left(self._keys, key), bisect_right(self._keys, key))
        )
        found: dict[int, list[dict[str, Any]]] = {}
        for row in self._read(numbers):
            found.setdefault(row[self._key], []).append(row)
        return found

    def _read(self, numbers: list[int]) -> Iterable[dict[str, Any]]:
        start = 0
        while start < len(numbers):
            group = bisect_right(self._starts, numbers[start]) - 1
            stop = bisect_left(numbers, self._starts[group + 1], start)
            places = [number - self._starts[group] for number in numbers[start:stop]]
            yield from self._group(group).take(places).to_pylist()
            start = stop

    def _group_starts(self) -> list[int]:
        import pyarrow.parquet as pq

        if not self._path.exists():
            return [0]
        metadata = pq.read_metadata(self._path)
        sizes = (metadata.row_group(number).num_rows for number in range(metadata.num_row_groups))
        return [0, *accumulate(sizes)]

    def _group(self, number: int) -> pa.Table:
        if number in self._groups:
            self._groups.move_to_end(number)
            return self._groups[number]
        if len(self._groups) >= _CACHED_GROUPS:
            self._groups.popitem(last=False)
        self._groups[number] = self._read_group(number)
        return self._groups[number]

    def _read_group(self, number: int) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        with pq.ParquetFile(self._path) as file:
            present = [name for name in self._schema.names if name in file.schema_arrow.names]
            data = file.read_row_group(number, columns=present)
        # Tables of older writers lack columns.
        columns = [data[name] if name in present else pa.nulls(data.num_rows) for name in self._schema.names]
        return pa.table(dict(zip(self._schema.names, columns, strict=True)))


def _sorted_keys(data: pa.Table, key: str, equal: Mapping[str, str]) -> tuple[Any, Any]:
    """Sort a table's keys, each with the number of its row; both as sequences of ints."""
    import pyarrow.compute as pc

    # In one piece: older pyarrow crashes on columns of no chunks.
    keys = data[key].combine_chunks()
    selected = pc.is_valid(keys)
    for column, value in equal.items():
        is_equal = pc.equal(data[column].combine_chunks(), value)
        selected = pc.and_(selected, pc.fill_null(is_equal, False))
    rows = pc.indices_nonzero(selected)
    keys = keys.take(rows)
    order = pc.sort_indices(keys)
    return _numbers(keys.take(order)), _numbers(rows.take(order))


def _numbers(array: Any) -> Any:
    """View an Arrow array of 64-bit numbers without copying it."""
    _, buffer = array.buffers()
    numbers = memoryview(buffer or b"").cast("q")
    return numbers[array.offset : array.offset + len(array)]
