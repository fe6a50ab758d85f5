"""Write tables anew whose rows do not stand together as :mod:`clustering` says, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.clustering import clustered_tables, final_places, is_clustered
from airflow_sv_versioning.snapshot.tables import BATCH_ROWS, ROW_GROUP_ROWS, Snapshot
from airflow_sv_versioning.snapshot.writer import replace_table

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

PORTION_BYTES = 32 << 20
"""So much of a table is sorted in memory at a time."""
MAX_PORTIONS = 64
_POSITION = "position"


def make_clustered(snapshot: Snapshot) -> frozenset[str]:
    """Write the tables of a snapshot anew that are not clustered; returns their names.

    Memory holds a few integers a row, and a portion of the table.
    """
    tables = clustered_tables(snapshot.project_type)
    scattered = [table for table in tables if not is_clustered(snapshot, table)]
    for table in scattered:
        with TemporaryDirectory(dir=snapshot.directory) as folder:
            places = final_places(snapshot, table)
            rows = _positioned(snapshot.iter_batches(table), places)
            replace_table(snapshot, table, _sorted(rows, range(len(places)), Path(folder)))
    return frozenset(scattered)


def _positioned(batches: Iterable[pa.RecordBatch], places: np.ndarray[Any, Any]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    start = 0
    for batch in batches:
        column = pa.array(places[start : start + batch.num_rows])
        yield batch.append_column(_POSITION, column)
        start += batch.num_rows


def _sorted(rows: Iterable[pa.RecordBatch], places: range, folder: Path) -> Iterator[pa.Table]:
    """Sort rows that have their positions, which are those of a range: cut it into portions, as files.

    A portion that is too large for memory is cut again.
    """
    import pyarrow as pa

    count = min(MAX_PORTIONS, max(2, len(places) // ROW_GROUP_ROWS))
    size = -(-len(places) // count)
    starts = range(places.start, places.stop, size)
    with TemporaryDirectory(dir=folder) as name:
        portions = [_Portion(Path(name) / str(start)) for start in starts]
        with ExitStack() as opened:
            for portion in portions:
                opened.callback(portion.close)
            for batch in rows:
                _deal(batch, places.start, size, portions)
        for start, portion in zip(starts, portions, strict=True):
            portion_places = range(start, min(start + size, places.stop))
            if portion.size_bytes > PORTION_BYTES and len(portion_places) > 1:
                yield from _sorted(portion.read(), portion_places, Path(name))
            else:
                yield pa.Table.from_batches(portion.read()).sort_by(_POSITION).drop_columns([_POSITION])
            portion.path.unlink()


def _deal(batch: pa.RecordBatch, first: int, size: int, portions: Sequence[_Portion]) -> None:
    """Give each portion its rows of a batch."""
    import numpy as np

    numbers = (batch[_POSITION].to_numpy() - first) // size
    order = np.argsort(numbers, kind="stable")
    dealt, arranged = batch.take(order), numbers[order]
    bounds = np.flatnonzero(np.append(True, arranged[1:] != arranged[:-1]))
    for start, stop in zip(bounds, np.append(bounds[1:], len(order)), strict=True):
        portions[arranged[start]].append(dealt.slice(start, stop - start))


class _Portion:
    """Rows on their way, in a file of Arrow's own format, which is written without a row group in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self._writer: Any = None

    def append(self, rows: pa.RecordBatch) -> None:
        import pyarrow as pa

        if self._writer is None:
            self._writer = pa.ipc.new_stream(self.path, rows.schema)
        self._writer.write_batch(rows)
        self.size_bytes += rows.nbytes

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def read(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        with pa.ipc.open_stream(self.path) as reader:
            for batch in reader:
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    yield batch.slice(start, BATCH_ROWS)
