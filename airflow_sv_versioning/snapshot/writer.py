"""Write the tables of a snapshot: rows become Arrow data, and that row groups on disk."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.clustering import in_order
from airflow_sv_versioning.snapshot.schemas import column_names, table_names, table_schema
from airflow_sv_versioning.snapshot.tables import BATCH_ROWS, ROW_GROUP_ROWS, Snapshot

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROW_GROUP_BYTES = 16 * 1024 * 1024
# A dictionary of these would be as long as the column.
_MOSTLY_UNIQUE = frozenset({"geometry_json", "src_figure_id", "tag_assignment_id", "hash"})


def rows_table(project_type: str, table: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Make Arrow data of rows, at most one batch of them as Python values at a time."""
    import pyarrow as pa

    schema = table_schema(project_type, table)
    parts = []
    remaining = iter(rows)
    while part := list(islice(remaining, BATCH_ROWS)):
        parts.append(pa.Table.from_pylist(part, schema=schema))
    return pa.concat_tables(parts) if parts else schema.empty_table()


def table_of(project_type: str, table: str, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Make Arrow data of columns of Python values; absent columns, and those of nothing, are null."""
    import pyarrow as pa

    rows = len(next(iter(columns.values())))
    arrays = []
    for field in table_schema(project_type, table):
        column = columns.get(field.name)
        # Most columns of a listing hold nothing.
        is_null = column is None or (column.count(None) == rows)
        arrays.append(pa.nulls(rows, field.type) if is_null else pa.array(column, field.type))
    return pa.table(arrays, schema=table_schema(project_type, table))


class SnapshotWriter:
    """Stream rows into the tables of a new snapshot, one row group in memory a table.

    Use it as a context manager: leaving it by an exception closes the files without finishing.

    :param absent_columns: table -> columns that its rows do not tell, and its file shall not have.
    """

    def __init__(
        self, directory: Path, project_type: str, absent_columns: Mapping[str, Collection[str]] | None = None
    ) -> None:
        import pyarrow as pa

        self.directory = directory
        self._project_type = project_type
        self._tables: dict[str, TableWriter] = {}
        for name in table_names(project_type):
            without = (absent_columns or {}).get(name, ())
            schema = table_schema(project_type, name)
            written_schema = pa.schema([field for field in schema if field.name not in without])
            self._tables[name] = TableWriter(directory / f"{name}.parquet", written_schema)

    def __enter__(self) -> SnapshotWriter:
        return self

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> None:
        for table in self._tables.values():
            table.close() if error is None else table.abandon()

    def append(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows as mappings of column name to value; absent columns are null."""
        self._tables[table].append_rows(rows)

    def append_rows(self, tables: Mapping[str, Sequence[Mapping[str, Any]] | pa.Table]) -> None:
        """Append all rows of some items in several tables, each as mappings or as Arrow data.

        However they come, those of one item will stand together.
        """
        for table, rows in tables.items():
            data = rows_table(self._project_type, table, rows) if isinstance(rows, Sequence) else rows
            self.append_arrow(table, in_order(self._project_type, table, data))

    def append_arrow(self, table: str, data: pa.Table | pa.RecordBatch) -> None:
        """Append rows that are Arrow data of the table's schema already."""
        self._tables[table].append_arrow(data)

    def finish(self, project_info: Mapping[str, Any], project_meta: Mapping[str, Any]) -> Snapshot:
        """Close the tables, write the JSON files and open the result."""
        for table in self._tables.values():
            table.close()
        _write_json(self.directory / "project_info.json", project_info)
        _write_json(self.directory / "project_meta.json", project_meta)
        return Snapshot(self.directory, self._project_type)


def writer_beside(whole: Snapshot, directory: Path) -> SnapshotWriter:
    """Begin a snapshot of a part of another one, with the columns that the files of that have.

    :param directory: a new folder.
    """
    directory.mkdir(parents=True)
    names = table_names(whole.project_type)
    absent = {name: whole.lacking_columns(name, column_names(whole.project_type, name)) for name in names}
    return SnapshotWriter(directory, whole.project_type, absent)


class TableWriter:
    """Append rows to one Parquet file that appears with its first row group.

    :param settings: of the library's writer.
    """

    def __init__(self, path: Path, schema: pa.Schema, **settings: Any) -> None:
        self._path = path
        self._schema = schema
        self._settings = settings
        self._pending: list[pa.Table] = []
        self._pending_rows = 0
        self._pending_bytes = 0
        self._writer: pq.ParquetWriter | None = None
        self.row_count = 0

    def append_rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        import pyarrow as pa

        table = pa.Table.from_pylist(list(rows), schema=self._schema)
        self.append_arrow(table)

    def append_arrow(self, data: pa.Table | pa.RecordBatch) -> None:
        import pyarrow as pa

        table = pa.Table.from_batches([data]) if isinstance(data, pa.RecordBatch) else data
        start = 0
        while start < table.num_rows:
            # Groups are full: what is written and read of each besides its rows takes memory, too.
            part = table.slice(start, ROW_GROUP_ROWS - self._pending_rows)
            start += part.num_rows
            self._pending.append(part.select(self._schema.names))
            self._pending_rows += part.num_rows
            self._pending_bytes += part.get_total_buffer_size()
            if self._pending_rows >= ROW_GROUP_ROWS or self._pending_bytes >= ROW_GROUP_BYTES:
                self._flush()

    def close(self) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def abandon(self) -> None:
        """Let go of a file that will not be finished, without a second error over the first."""
        self._pending = []
        if self._writer is not None:
            with suppress(OSError, ValueError):
                self._writer.close()
            self._writer = None

    def _flush(self) -> None:
        if not self._pending_rows:
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self._writer is None:
            repeating = [name for name in self._schema.names if name not in _MOSTLY_UNIQUE]
            # Of other columns nobody asks a range, and the writer holds it until the file is closed.
            ids = [name for name in self._schema.names if name.endswith("_id")]
            settings = {
                "compression": "zstd",
                "use_dictionary": repeating,
                "write_statistics": ids,
                **self._settings,
            }
            self._writer = pq.ParquetWriter(self._path, self._schema, **settings)
        self._writer.write_table(pa.concat_tables(self._pending), row_group_size=ROW_GROUP_ROWS)
        self.row_count += self._pending_rows
        self._pending, self._pending_rows, self._pending_bytes = [], 0, 0


def replace_table(
    snapshot: Snapshot,
    table: str,
    parts: Iterable[pa.Table | pa.RecordBatch],
    more_columns: Collection[str] = (),
) -> None:
    """Write a table of a snapshot anew, with the columns that its file has.

    :param parts: the new rows; they may come from the old file, which is kept until all are there.
    :param more_columns: columns that it shall have besides.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    present_names = pq.read_schema(snapshot.path(table)).names
    column_names = {*present_names, *more_columns}
    schema = pa.schema([field for field in snapshot.schema(table) if field.name in column_names])
    with TemporaryDirectory(dir=snapshot.directory) as name:
        new_path = Path(name) / snapshot.path(table).name
        writer = TableWriter(new_path, schema)
        try:
            for part in parts:
                writer.append_arrow(part)
            writer.close()
        finally:
            writer.abandon()
        if new_path.exists():
            new_path.replace(snapshot.path(table))
        else:
            snapshot.path(table).unlink()


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=4), encoding="utf-8")
