"""The inner form of a snapshot: Arrow tables in Parquet files in one directory.

The tables are those of the newest official columnar format, which packs them as they are:

.. code-block:: text

    project_info.json   the project, keys in the SDK's snake_case
    project_meta.json   classes, tags, settings as the platform's meta JSON
    {table}.parquet     one file a table that has rows
    masks/{id}.nrrd     volumes only: the voxels of the mask with this figure id, if it has any

The columns are those of :mod:`schemas`; those of JSON text (``meta``, ``custom_data``, ``*_json``) are
written and read as :mod:`json_columns` says.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.snapshot.ids import IdSet, joined
from airflow_sv_versioning.snapshot.items import ItemBatch, OwnedTables, cut
from airflow_sv_versioning.snapshot.schemas import item_column, table_names, table_schema
from airflow_sv_versioning.snapshot.stored_rows import StoredRows, damage_named, stored_batches

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

ROW_GROUP_ROWS = 10_000
BATCH_ROWS = 5000
"""How many rows are Python values at a time."""
MASKS = "masks"
"""Folder of a snapshot with the voxels of masks, a file a figure."""


class Snapshot:
    """A finished snapshot on disk.

    :param directory: holds the files named in the module docstring.
    :param project_type: ``images``, ``videos`` or ``volumes``.
    :ivar incomplete_items: ids of the items that it does not hold all of: see
        :mod:`~airflow_sv_versioning.project_types.remnants`.
    """

    def __init__(self, directory: Path, project_type: str) -> None:
        self.directory = directory
        self.project_type = project_type
        self.incomplete_items: frozenset[int] = frozenset()
        self.project_info: dict[str, Any] = _read_json(directory / "project_info.json")
        self.project_meta: dict[str, Any] = _read_json(directory / "project_meta.json")

    def path(self, table: str) -> Path:
        """Name the Parquet file of a table, which is absent when the table has no rows."""
        return self.directory / f"{table}.parquet"

    def mask_path(self, figure_id: int) -> Path:
        """Name the file of a mask (NRRD) or mesh (STL), which is absent when a figure has none."""
        return mask_path(self.directory, figure_id)

    def row_count(self, table: str) -> int:
        """Count the rows of a table from the file's footer."""
        import pyarrow.parquet as pq

        path = self.path(table)
        return int(pq.read_metadata(path).num_rows) if path.exists() else 0

    def has_column(self, table: str, column: str) -> bool:
        """Say whether a table was written with a column; one without rows has them all."""
        return not self.lacking_columns(table, [column])

    def lacking_columns(self, table: str, columns: Iterable[str]) -> set[str]:
        """Tell which of some columns a table was written without; one without rows has them all."""
        import pyarrow.parquet as pq

        path = self.path(table)
        return set(columns).difference(pq.read_schema(path).names) if path.exists() else set()

    def counts(self) -> dict[str, int]:
        """Count the rows of every table of the project type."""
        return {table: self.row_count(table) for table in table_names(self.project_type)}

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        where: pc.Expression | None = None,
    ) -> pa.Table:
        """Read a table, or the columns and rows asked for, into memory.

        Columns which the file lacks, because an older writer made it, come back as nulls.
        """
        import pyarrow as pa

        batches = self.iter_batches(table, columns, where)
        return pa.Table.from_batches(batches, schema=self.schema(table, columns))

    def iter_batches(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        where: pc.Expression | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Stream a table in its stored order, batch by batch."""
        if self.path(table).exists():
            with damage_named(table):
                yield from (
                    stored_batches(self.path(table), self.schema(table, columns), BATCH_ROWS)
                    if where is None
                    else self._iter_filtered(table, columns, where)
                )

    def _iter_filtered(
        self, table: str, columns: Sequence[str] | None, where: pc.Expression
    ) -> Iterator[pa.RecordBatch]:
        import pyarrow.dataset as ds

        schema, full = self.schema(table, columns), self.schema(table)
        (file,) = ds.dataset(self.path(table), schema=full, format="parquet").get_fragments()
        # A scan of the whole file reads on while its consumer works, until all of it is in memory; splitting
        # it keeps the statistics of all row groups.
        for number in range(file.num_row_groups):
            group = file.subset(row_group_ids=[number])
            scanner = group.scanner(
                full, columns=schema.names, filter=where, batch_size=BATCH_ROWS, use_threads=False
            )
            yield from (batch for batch in scanner.to_batches() if batch.num_rows)

    def iter_rows(
        self, table: str, columns: Sequence[str] | None = None, where: pc.Expression | None = None
    ) -> Iterator[dict[str, Any]]:
        """Stream the rows of a table in its stored order."""
        for batch in self.iter_batches(table, columns, where):
            yield from batch.to_pylist()

    def iter_columns(self, table: str, column: str, where: pc.Expression | None = None) -> Iterator[pa.Array]:
        """Stream one column as :meth:`iter_batches` does."""
        return (batch[column] for batch in self.iter_batches(table, [column], where))

    def items(
        self,
        item_ids: IdSet | None = None,
        at_once: int | None = 1,
        rows: Mapping[str, int] | None = None,
    ) -> Iterator[ItemBatch]:
        """Go through items in their order, a few at once, with all rows that hang on them.

        It rests on the tables being clustered: what of an item is scattered takes memory, and time.

        :param item_ids: of the items to go through; ``None`` for all.
        :param at_once: the most items of a batch; ``None`` for any number.
        :param rows: table -> the most rows that a batch has of it, unless one item has more.
        """
        tables = OwnedTables(self.directory, self.project_type)
        yield from cut(self._item_ids(item_ids), tables, at_once, rows or {})

    def _item_ids(self, chosen_ids: IdSet | None) -> np.ndarray[Any, Any]:
        column = item_column(self.project_type, self.project_type) or ""
        ids = joined(part.to_numpy() for part in self.iter_columns(self.project_type, column))
        return ids if chosen_ids is None else ids[chosen_ids.mask_of(ids)]

    def iter_rows_of(self, table: str, column: str, ids: IdSet) -> Iterator[pa.Table]:
        """Stream the rows whose column holds one of these ids, in their stored order.

        It goes through the table once, for whoever takes over most of it as it stands.
        """
        if self.path(table).exists():
            yield from StoredRows(self.path(table), self.schema(table)).among(column, ids)

    def schema(self, table: str, columns: Sequence[str] | None = None) -> pa.Schema:
        """Build the schema in which a table, or the columns asked for, are read."""
        import pyarrow as pa

        full = table_schema(self.project_type, table)
        return full if columns is None else pa.schema([full.field(name) for name in columns])


def mask_path(directory: Path, figure_id: int) -> Path:
    """Name the NRRD file of a mask in the folder of a snapshot, which may be in the making."""
    return directory / MASKS / f"{figure_id}.nrrd"


def ids_not_in(column: str, ids: Collection[int]) -> pc.Expression | None:
    """Select the rows whose column holds none of these ids; ``None`` stands for all."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return ~pc.field(column).isin(pa.array(sorted(ids), pa.int64())) if ids else None


def values(data: pa.Table | pa.RecordBatch, column: str) -> list[Any]:
    """Take one column as a Python list."""
    column_values: list[Any] = data[column].to_pylist()
    return column_values


def as_batch(table: pa.Table) -> pa.RecordBatch:
    """Put a table's rows into one batch, whose columns are arrays.

    A table's columns come in any number of chunks, none where there are no rows; computing with them may
    give what no longer fits a batch, and what cannot be filtered.
    """
    import pyarrow as pa

    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(f"The snapshot's {path.name} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise FormatError(f"The snapshot's {path.name} holds a {type(value).__name__}, not an object.")
    return value
