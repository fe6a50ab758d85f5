"""``changes.parquet``: a row a change, for whoever wants to look for themselves.

An item that was added or removed has one row, without rows for what hangs on it. Of a pair of items, each
change has a row, with the paths on both sides; ``kind`` and the other columns are those of
:class:`~airflow_sv_versioning.compare.records.Change`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.records import Change, ItemDiff
from airflow_sv_versioning.snapshot.writer import TableWriter

if TYPE_CHECKING:
    import pyarrow as pa

_AT_ONCE = 2_000
_ITEM = {
    "kind": "string",
    "dataset_before": "string",
    "dataset_after": "string",
    "item_before": "string",
    "item_after": "string",
    "item_id_before": "int64",
    "item_id_after": "int64",
}
_CHANGE = {
    "member": "string",
    "figure_id_before": "int64",
    "figure_id_after": "int64",
    "object_id_before": "int64",
    "object_id_after": "int64",
    "class_before": "string",
    "class_after": "string",
    "geometry_type_before": "string",
    "geometry_type_after": "string",
    "tag": "string",
    "iou": "float64",
    "shift_px": "float64",
    "frame_from": "int64",
    "frame_to": "int64",
    "before": "string",
    "after": "string",
    "figures": "int64",
    "count": "int64",
    "is_coarse": "bool_",
}


class ChangesFile:
    """Write the file while changes are found; use it as a context manager.

    A file that is there is replaced at the end; of a comparison that fails nothing stays.
    """

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        schema = pa.schema([(name, getattr(pa, kind)()) for name, kind in (_ITEM | _CHANGE).items()])
        self._path = path
        self._schema = schema
        self._draft = path.with_name(f".{path.name}.part")
        self._table = TableWriter(self._draft, schema)
        self._rows: list[dict[str, Any]] = []

    def __enter__(self) -> ChangesFile:
        return self

    def add(self, diff: ItemDiff) -> None:
        """Take an item that is not as it was."""
        self._rows += _rows(diff)
        if len(self._rows) >= _AT_ONCE:
            self._write()

    def _write(self) -> None:
        self._table.append_rows(self._rows)
        self._rows = []

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if exc is None:
                self._finish()
        finally:
            self._table.abandon()
            self._draft.unlink(missing_ok=True)

    def _finish(self) -> None:
        self._write()
        self._table.close()
        if not self._table.row_count:
            _write_empty(self._draft, self._schema)
        self._draft.replace(self._path)


def _write_empty(path: Path, schema: pa.Schema) -> None:
    import pyarrow.parquet as pq

    pq.write_table(schema.empty_table(), path)


def _rows(diff: ItemDiff) -> Iterator[dict[str, Any]]:
    where = {
        "dataset_before": diff.before and diff.before.dataset,
        "dataset_after": diff.after and diff.after.dataset,
        "item_before": diff.before and diff.before.name,
        "item_after": diff.after and diff.after.name,
        "item_id_before": diff.before and diff.before.item_id,
        "item_id_after": diff.after and diff.after.item_id,
    }
    if diff.before is None or diff.after is None:
        kind = "items.added" if diff.before is None else "items.removed"
        yield {**where, **asdict(Change(kind, figures=diff.figures))}
    for change in diff.changes:
        yield {**where, **asdict(change)}
