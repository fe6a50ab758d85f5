"""Some items of a snapshot, with all that hangs on them, as a snapshot of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sv_versioning.runtime.file_sharing import share_file
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.schemas import item_column, owned_tables, table_names
from airflow_sv_versioning.snapshot.stored_rows import StoredRows
from airflow_sv_versioning.snapshot.tables import MASKS, Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter, writer_beside

if TYPE_CHECKING:
    import pyarrow as pa


def excerpt(whole: Snapshot, without: IdSet, directory: Path) -> Snapshot:
    """Write the items whose ids are none of these.

    Datasets are all there, and what belongs to no item; files are shared with the whole, not copied.

    :param directory: a new folder on the same disk.
    :raises FormatError: a table is damaged.
    """
    with writer_beside(whole, directory) as writer:
        chosen = _append_items(whole, without, writer)
        for table in owned_tables(whole.project_type):
            for rows in whole.iter_rows_of(table, item_column(whole.project_type, table), chosen):
                writer.append_arrow(table, rows)
        return _finished(whole, writer)


class PartedSnapshot(Snapshot):
    """A snapshot from which some items are taken, while what hangs on the others is put aside.

    Who takes nearly all reads every row anyway: looking for the few others afterwards would cost as much.

    :param directory: a new folder on the same disk, for the others.
    """

    def __init__(self, whole: Snapshot, directory: Path) -> None:
        super().__init__(whole.directory, whole.project_type)
        self._writer = writer_beside(whole, directory)

    def iter_rows_of(self, table: str, column: str, ids: IdSet) -> Iterator[pa.Table]:
        """Stream the rows of some items, and write those of all others."""
        is_owned = table in owned_tables(self.project_type)
        if not (is_owned and self.path(table).exists()):
            yield from super().iter_rows_of(table, column, ids)
            return
        for rows, others in StoredRows(self.path(table), self.schema(table)).parted(column, ids):
            self._writer.append_arrow(table, others)
            yield rows

    def others(self, taken: IdSet) -> Snapshot:
        """Finish the snapshot of the others.

        :param taken: ids of the items whose rows were taken from every table.
        """
        with self._writer as writer:
            _append_items(self, taken, writer)
            return _finished(self, writer)


def _append_items(whole: Snapshot, without: IdSet, writer: SnapshotWriter) -> IdSet:
    """Write the items; returns which they are."""
    import pyarrow as pa

    items = whole.project_type
    id_column = item_column(items, items)
    chosen = []
    for batch in whole.iter_batches(items):
        rows = batch.filter(pa.array(~without.mask(batch[id_column])))
        writer.append_arrow(items, rows)
        chosen.append(rows[id_column])
    return IdSet.of_columns(chosen)


def _finished(whole: Snapshot, writer: SnapshotWriter) -> Snapshot:
    owned = {whole.project_type, *owned_tables(whole.project_type)}
    for table in table_names(whole.project_type):
        if table not in owned and whole.path(table).exists():
            share_file(whole.path(table), writer.directory / whole.path(table).name)
    if (masks := whole.directory / MASKS).is_dir():
        (writer.directory / MASKS).symlink_to(masks.resolve(), target_is_directory=True)
    return writer.finish(whole.project_info, whole.project_meta)
