"""Which items of a snapshot some patterns are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.globs import Globs
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Mask = np.ndarray[Any, Any]

Tree = Sequence[tuple[dict[str, Any], str]]
"""Rows of datasets with their paths."""


class ItemGlobs:
    """Patterns on ``dataset/path/name``; those without a slash are on the name alone."""

    def __init__(self, globs: Sequence[str], tree: Tree) -> None:
        import pyarrow as pa

        self._on_names = Globs([glob for glob in globs if "/" not in glob])
        self._on_paths = Globs([glob for glob in globs if "/" in glob])
        self._globs = globs
        self._dataset_ids = pa.array([row["src_dataset_id"] for row, _ in tree], pa.int64())
        self._dataset_paths = pa.array([path for _, path in tree], pa.string())

    @property
    def unmatched(self) -> list[str]:
        """Those that matched nothing yet, in their order."""
        left = {*self._on_names.unmatched, *self._on_paths.unmatched}
        return [glob for glob in dict.fromkeys(self._globs) if glob in left]

    def mask(self, rows: pa.RecordBatch) -> Mask:
        """Say which items one of them matches; all, where there are none.

        :param rows: with ``src_dataset_id`` and ``name``.
        """
        import numpy as np

        mask = np.full(rows.num_rows, not self._globs)
        if self._on_names:
            mask |= self._on_names.mask(rows["name"])
        if self._on_paths:
            mask |= self._on_paths.mask(self.paths(rows))
        return mask

    def paths(self, rows: pa.RecordBatch) -> pa.Array:
        """Name items as ``dataset/path/name``; null where the dataset is not known."""
        import pyarrow.compute as pc

        numbers = pc.index_in(rows["src_dataset_id"], value_set=self._dataset_ids)
        return pc.binary_join_element_wise(self._dataset_paths.take(numbers), rows["name"], "/")


def item_paths(snapshot: Snapshot, tree: Tree) -> Iterator[str]:
    """Name the items of a snapshot in their order."""
    globs = ItemGlobs((), tree)
    for batch in snapshot.iter_batches(snapshot.project_type, ["src_dataset_id", "name"]):
        yield from (path for path in globs.paths(batch).to_pylist() if path is not None)
