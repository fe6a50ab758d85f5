"""The inner form of a snapshot: Arrow tables in Parquet files in one directory.

The directory's layout is the payload of the official columnar format (schema v2.1.0), so
writing that format is packing the directory:

.. code-block:: text

    project_info.json   the project, keys in the SDK's snake_case
    project_meta.json   classes, tags, settings as the platform's meta JSON
    manifest.json       {"schema_version", "tables": [{"name", "path", "row_count"}]}
    {table}.parquet     one file a table that has rows
    masks/{id}.nrrd     volumes only: the voxels of the mask with this figure id, if it has any

Columns that end in JSON text (``meta``, ``custom_data``, ``*_json``) hold JSON strings; empty
objects and lists are null. Columns beyond the official ones are marked below; the official reader
selects columns by name and ignores them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.snapshot.id_sets import IdSet
from airflow_sv_versioning.snapshot.parallel import map_ordered

if TYPE_CHECKING:
    import msgspec
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

SCHEMA_VERSION = "v2.1.0"
ROW_GROUP_ROWS = 5000
ROW_GROUP_BYTES = 16 * 1024 * 1024

_EMPTY_JSON = frozenset((b"null", b"{}", b"[]"))

_DATASETS = {
    "src_dataset_id": "int64",
    "parent_src_dataset_id": "int64",
    "name": "string",
    "full_path": "string",
    "description": "string",
    "custom_data": "string",
}
_TAGS = {
    "tag_assignment_id": "int64",
    "owner_type": "string",
    "owner_id": "int64",
    "src_item_id": "int64",
    "tag_id": "int64",
    "name": "string",
    "value_json": "string",
    "frame_from": "int32",
    "frame_to": "int32",
    "is_finished": "bool_",
    "non_final_value": "bool_",
    "labeler_login": "string",
    "custom_data": "string",
    "created_at": "string",
    "updated_at": "string",
}
_IMAGES = {
    "src_image_id": "int64",
    "src_dataset_id": "int64",
    "parent_src_image_id": "int64",
    "name": "string",
    "hash": "string",
    "link": "string",
    "mime": "string",
    "ext": "string",
    "size": "int64",
    "width": "int32",
    "height": "int32",
    "created_at": "string",
    "updated_at": "string",
    "created_by_id": "int64",
    "description": "string",
    "meta": "string",
    "related_data_id": "int64",
    "download_id": "string",
    "offset_start": "int64",
    "offset_end": "int64",
}
_IMAGE_FIGURES = {
    "src_figure_id": "int64",
    "src_image_id": "int64",
    "src_dataset_id": "int64",
    "class_id": "int64",
    "class_name": "string",
    "geometry_type": "string",
    "geometry_json": "string",
    "geometry_meta_json": "string",
    "meta": "string",
    "priority": "int32",
    "custom_data": "string",
    "created_at": "string",
    "updated_at": "string",
    # Beyond the official columns: who drew the figure, a person or a model.
    "nn_created": "bool_",
    "nn_updated": "bool_",
}
_ALPHA_GEOMETRIES = {"src_figure_id": "int64", "geometry_json": "string"}

_VIDEOS = {
    "src_video_id": "int64",
    "src_dataset_id": "int64",
    "name": "string",
    "hash": "string",
    "link": "string",
    "frames_count": "int32",
    "frame_width": "int32",
    "frame_height": "int32",
    "frames_to_timecodes": "string",
    "meta": "string",
    "custom_data": "string",
    "created_at": "string",
    "updated_at": "string",
    "description": "string",
    # Beyond the official columns: bytes of the file.
    "size": "int64",
}
_OBJECTS = {
    "src_object_id": "int64",
    "src_video_id": "int64",
    "class_name": "string",
    "key": "string",
    "created_at": "string",
    "updated_at": "string",
    # Beyond the official columns.
    "labeler_login": "string",
}
_VIDEO_FIGURES = {
    "src_figure_id": "int64",
    "src_object_id": "int64",
    "src_video_id": "int64",
    "frame_index": "int32",
    "geometry_type": "string",
    "geometry_json": "string",
    "meta": "string",
    "track_id": "string",
    "priority": "int32",
    "smart_tool_input": "string",
    "nn_created": "bool_",
    "nn_updated": "bool_",
    "created_at": "string",
    "updated_at": "string",
    # Beyond the official columns.
    "custom_data": "string",
    "description": "string",
    "labeler_login": "string",
}

_VOLUMES = {
    "src_volume_id": "int64",
    "src_dataset_id": "int64",
    "name": "string",
    "hash": "string",
    "link": "string",
    "mime": "string",
    "ext": "string",
    "size": "int64",
    "created_at": "string",
    "updated_at": "string",
    "description": "string",
    "meta": "string",
    "file_meta": "string",
    "custom_data": "string",
    "path_original": "string",
    "full_storage_url": "string",
    "processing_path": "string",
}
_VOLUME_OBJECTS = {
    "src_object_id": "int64",
    "src_volume_id": "int64",
    "class_name": "string",
    "key": "string",
    "created_at": "string",
    "updated_at": "string",
    "labeler_login": "string",
}
_VOLUME_FIGURES = {
    "src_figure_id": "int64",
    "src_object_id": "int64",
    "src_volume_id": "int64",
    "key": "string",
    "plane_name": "string",
    "slice_index": "int32",
    "geometry_type": "string",
    "geometry_json": "string",
    "meta": "string",
    "priority": "int32",
    "custom_data": "string",
    "description": "string",
    "nn_created": "bool_",
    "nn_updated": "bool_",
    "labeler_login": "string",
    "created_at": "string",
    "updated_at": "string",
}

_COLUMNS: dict[str, dict[str, dict[str, str]]] = {
    "images": {
        "datasets": _DATASETS,
        "images": _IMAGES,
        "figures": _IMAGE_FIGURES,
        "alpha_geometries": _ALPHA_GEOMETRIES,
        "tags": _TAGS,
    },
    "videos": {
        "datasets": _DATASETS,
        "videos": _VIDEOS,
        "objects": _OBJECTS,
        "figures": _VIDEO_FIGURES,
        "tags": _TAGS,
    },
    "volumes": {
        "datasets": _DATASETS,
        "volumes": _VOLUMES,
        "objects": _VOLUME_OBJECTS,
        "figures": _VOLUME_FIGURES,
        "tags": _TAGS,
    },
}
_READERS = 2
# A dictionary of these would be as long as the column.
_MOSTLY_UNIQUE = frozenset({"geometry_json", "src_figure_id", "tag_assignment_id", "hash"})
MASKS = "masks"
"""Folder of a snapshot with the voxels of masks, a file a figure."""


def table_names(project_type: str) -> tuple[str, ...]:
    """Name the tables of a project type, in the order in which a restore reads them."""
    return tuple(_COLUMNS[project_type])


def table_schema(project_type: str, table: str) -> pa.Schema:
    """Build the Arrow schema of one table; all columns are nullable."""
    import pyarrow as pa

    columns = _COLUMNS[project_type][table]
    return pa.schema([(name, getattr(pa, type_name)()) for name, type_name in columns.items()])


def json_text(value: Any) -> str | None:
    """Encode a value for a JSON text column; ``None``, ``{}`` and ``[]`` become null."""
    if value is None or value in ({}, []):
        return None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_value(text: str | None) -> Any:
    """Decode a JSON text column; null is ``None``."""
    return None if text is None else json.loads(text)


def json_raw(text: str | None) -> msgspec.Raw:
    """Take a JSON text column into a request as it is, once it is known to be one JSON value.

    :raises FormatError: it is not.
    """
    import msgspec

    if text is None:
        return msgspec.Raw(b"null")
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.MsgspecError as error:
        raise FormatError(f"The snapshot holds broken JSON ({text[:60]!r}): {error}.") from error
    return msgspec.Raw(text)


def optional_json_raw(text: str | None) -> msgspec.Raw | None:
    """Take a JSON text column as :func:`json_raw` does; null is ``None``."""
    return None if text is None else json_raw(text)


def raw_text(value: msgspec.Raw) -> bytes | None:
    """Take JSON text into a column as it came; what is empty becomes null."""
    text = bytes(value)
    return None if text in _EMPTY_JSON else text


def rows_table(project_type: str, table: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Make Arrow data of rows, at most one row group of them as Python values at a time."""
    import pyarrow as pa

    schema = table_schema(project_type, table)
    parts = []
    remaining = iter(rows)
    while part := list(islice(remaining, ROW_GROUP_ROWS)):
        parts.append(pa.Table.from_pylist(part, schema=schema))
    return pa.concat_tables(parts) if parts else schema.empty_table()


def table_of(project_type: str, table: str, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Make Arrow data of columns of Python values; absent columns, and those of nothing, are null."""
    import pyarrow as pa

    rows = len(next(iter(columns.values())))
    arrays = []
    for field in table_schema(project_type, table):
        found = columns.get(field.name)
        # Most columns of a listing hold nothing.
        is_null = found is None or (found.count(None) == rows)
        arrays.append(pa.nulls(rows, field.type) if is_null else pa.array(found, field.type))
    return pa.table(arrays, schema=table_schema(project_type, table))


def values(data: pa.Table | pa.RecordBatch, column: str) -> list[Any]:
    """Take one column as a Python list."""
    listed: list[Any] = data[column].to_pylist()
    return listed


class Snapshot:
    """A finished snapshot on disk.

    :param directory: holds the files named in the module docstring.
    :param project_type: ``images``, ``videos`` or ``volumes``.
    """

    def __init__(self, directory: Path, project_type: str) -> None:
        self.directory = directory
        self.project_type = project_type
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
        import pyarrow.parquet as pq

        path = self.path(table)
        return not path.exists() or column in pq.read_schema(path).names

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
        return pa.Table.from_batches(batches, schema=self._schema(table, columns))

    def iter_batches(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        where: pc.Expression | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Stream a table in its stored order, at most one row group a batch."""
        import pyarrow.dataset as ds

        if not self.path(table).exists():
            return
        schema, full = self._schema(table, columns), self._schema(table, None)
        (file,) = ds.dataset(self.path(table), schema=full, format="parquet").get_fragments()
        # A scan of the whole file reads on while its consumer works, until all of it is in memory.
        for group in file.split_by_row_group(where, full):
            found = group.scanner(
                full, columns=schema.names, filter=where, batch_size=ROW_GROUP_ROWS, use_threads=False
            )
            yield from (batch for batch in found.to_batches() if batch.num_rows)

    def iter_rows_of(self, table: str, column: str, ids: IdSet) -> Iterator[pa.Table]:
        """Stream the rows whose column holds one of these ids, in their stored order.

        Row groups without such rows are not decoded; others are read ahead while a consumer works.
        """
        import pyarrow.parquet as pq

        path = self.path(table)
        if not path.exists():
            return
        schema, footer = self._schema(table, None), pq.read_metadata(path)

        def read(group: int) -> pa.Table | None:
            with pq.ParquetFile(path, metadata=footer) as file:
                wanted = ids.mask(file.read_row_group(group, [column], use_threads=False)[column])
                if not wanted.any():
                    return None
                return _fitted(file.read_row_group(group, use_threads=False), schema).filter(wanted)

        for found in map_ordered(read, range(footer.num_row_groups), _READERS):
            if found is not None:
                yield found

    def _schema(self, table: str, columns: Sequence[str] | None) -> pa.Schema:
        import pyarrow as pa

        full = table_schema(self.project_type, table)
        return full if columns is None else pa.schema([full.field(name) for name in columns])


def mask_path(directory: Path, figure_id: int) -> Path:
    """Name the NRRD file of a mask in the folder of a snapshot, which may be in the making."""
    return directory / MASKS / f"{figure_id}.nrrd"


def _fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Give a table that others wrote the columns and types of ours; what it lacks is null."""
    import pyarrow as pa

    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


class SnapshotWriter:
    """Stream rows into the tables of a new snapshot, one row group in memory a table.

    Use it as a context manager: leaving it by an exception closes the files without finishing.
    """

    def __init__(self, directory: Path, project_type: str) -> None:
        self.directory = directory
        self._project_type = project_type
        self._tables = {
            name: TableWriter(directory / f"{name}.parquet", table_schema(project_type, name))
            for name in table_names(project_type)
        }

    def __enter__(self) -> SnapshotWriter:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for table in self._tables.values():
            table.close() if exc is None else table.abandon()

    def append(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows as mappings of column name to value; absent columns are null."""
        self._tables[table].append_rows(rows)

    def append_rows(self, tables: Mapping[str, Sequence[Mapping[str, Any]] | pa.Table]) -> None:
        """Append rows of several tables, each as mappings or as Arrow data."""
        for table, rows in tables.items():
            if isinstance(rows, Sequence):
                self.append(table, rows)
            else:
                self.append_arrow(table, rows)

    def append_arrow(self, table: str, data: pa.Table | pa.RecordBatch) -> None:
        """Append rows that are Arrow data of the table's schema already."""
        self._tables[table].append_arrow(data)

    def finish(self, project_info: Mapping[str, Any], project_meta: Mapping[str, Any]) -> Snapshot:
        """Close the tables, write the JSON files and open the result."""
        entries = []
        for name, table in self._tables.items():
            table.close()
            if table.row_count:
                entries.append({"name": name, "path": f"{name}.parquet", "row_count": table.row_count})
        _write_json(self.directory / "project_info.json", project_info)
        _write_json(self.directory / "project_meta.json", project_meta)
        _write_json(
            self.directory / "manifest.json",
            {"schema_version": SCHEMA_VERSION, "tables": entries},
        )
        return Snapshot(self.directory, self._project_type)


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
        for start in range(0, table.num_rows, ROW_GROUP_ROWS):
            part = table.slice(start, ROW_GROUP_ROWS)
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


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(f"The snapshot's {path.name} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise FormatError(f"The snapshot's {path.name} holds a {type(value).__name__}, not an object.")
    return value


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=4), encoding="utf-8")
