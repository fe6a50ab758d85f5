"""Rows of one table, which come in any order of their files, into those files.

Of many files each would hold a group of rows in memory until it is full. So rows are put aside on disk, by
their file, and each file is written when all its rows are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.dataset.formats.parquet.batches import make_batch

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 2_000
GROUP_BYTES = 16 * 1024 * 1024
"""At most, of a row group, unless one row has more."""
_SIZE = "bytes of the row"


class TableFiles:
    """Take the rows of one table.

    :param aside: an empty folder for what is put aside.
    """

    def __init__(self, schema: pa.Schema, settings: Mapping[str, Any], aside: Path) -> None:
        import pyarrow as pa

        self._schema = schema
        self._settings = settings
        self._aside = aside
        self._aside_schema = schema.remove_metadata().append(pa.field(_SIZE, pa.int64()))
        self._rows: list[tuple[int, Mapping[str, Any]]] = []
        self._bytes = 0

    def append(self, unit: int, row: Mapping[str, Any], size: int) -> None:
        """Take a row.

        :param unit: number of its file.
        :param size: its bytes, more or less.
        """
        self._rows.append((unit, {**row, _SIZE: size}))
        self._bytes += size
        if len(self._rows) >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
            self._put_aside()

    def write(self, unit: int, path: Path) -> None:
        """Write one file, with all rows that came for it, in their order."""
        import pyarrow.parquet as pq

        self._put_aside()
        path.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(path, self._schema, **self._settings) as writer:
            for group in _groups(self._read(unit)):
                # In one piece, for pages end where pieces do, and those depend on what came besides.
                rows = group.drop_columns([_SIZE]).combine_chunks()
                writer.write_table(rows.replace_schema_metadata(self._schema.metadata), len(rows))
        self._path(unit).unlink(missing_ok=True)

    def _put_aside(self) -> None:
        """Make Arrow data of the rows at hand, at once for all files, and add each file's to its own."""
        self._rows.sort(key=itemgetter(0))
        batch = make_batch([row for _, row in self._rows], self._aside_schema)
        start = 0
        for unit, rows in groupby(self._rows, itemgetter(0)):
            part = batch.slice(start, len(list(rows)))
            start += len(part)
            with self._path(unit).open("ab") as file:
                file.write(part.serialize())
        self._rows, self._bytes = [], 0

    def _read(self, unit: int) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        path = self._path(unit)
        if not path.exists():
            return
        with pa.OSFile(str(path)) as file:
            while file.tell() < file.size():
                yield pa.ipc.read_record_batch(pa.ipc.read_message(file), self._aside_schema)

    def _path(self, unit: int) -> Path:
        return self._aside / str(unit)


def write_empty(schema: pa.Schema, settings: Mapping[str, Any], path: Path) -> None:
    """Write a file without rows."""
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.ParquetWriter(path, schema, **settings).close()


def _groups(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Cut rows into groups that depend on the rows alone, not on the batches in which they come."""
    import pyarrow as pa

    parts: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        start = 0
        for place, row_size in enumerate(batch[_SIZE].to_pylist()):
            if rows and (rows >= GROUP_ROWS or size + row_size > GROUP_BYTES):
                yield pa.Table.from_batches([*parts, batch.slice(start, place - start)])
                parts, start, rows, size = [], place, 0, 0
            rows += 1
            size += row_size
        parts.append(batch.slice(start))
    if rows:
        yield pa.Table.from_batches(parts)
