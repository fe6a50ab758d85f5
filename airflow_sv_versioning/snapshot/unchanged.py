"""Tell the items that an earlier snapshot holds as they are from those to be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.id_sets import IdSet
from airflow_sv_versioning.snapshot.kinds.kind import Item
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import numpy as np


class UnchangedItems:
    """The items of an earlier snapshot, dataset by dataset as the server lists them.

    :param base: an earlier snapshot; with ``None`` all items are changed ones.
    """

    def __init__(self, base: Snapshot | None, id_column: str) -> None:
        self._base = base
        self._id_column = id_column
        self._open: dict[int, _Stamps] = {}
        self._kept: list[np.ndarray[Any, Any]] = []

    def split(self, dataset_id: int, page: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
        """Part a page of a dataset's listing into unchanged items and others."""
        if self._base is None:
            return [], page
        if dataset_id not in self._open:
            self._open[dataset_id] = _Stamps(self._base, self._id_column, dataset_id)
        return self._open[dataset_id].split(page)

    def end(self, dataset_id: int) -> None:
        """Learn that a dataset was listed to its end."""
        if stamps := self._open.pop(dataset_id, None):
            self._kept.append(stamps.seen())

    def kept_ids(self) -> IdSet:
        """Collect the unchanged items of the datasets that were listed."""
        import numpy as np

        return IdSet(np.concatenate(self._kept) if self._kept else np.empty(0, np.int64))


class _Stamps:
    """What ``updatedAt`` the items of one dataset had; columns, for there may be a million."""

    def __init__(self, base: Snapshot, id_column: str, dataset_id: int) -> None:
        import numpy as np
        import pyarrow.compute as pc

        here = pc.field("src_dataset_id") == dataset_id
        rows = base.read(base.project_type, [id_column, "updated_at", "src_dataset_id"], here)
        rows = rows.select([id_column, "updated_at"]).sort_by(id_column).combine_chunks()
        self._ids = rows[id_column].to_numpy()
        self._stamps = rows["updated_at"]
        self._seen = np.zeros(len(self._ids), np.bool_)

    def split(self, page: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
        import numpy as np
        import pyarrow as pa

        if not len(self._ids):
            return [], page
        positions = self._ids.searchsorted(np.array([item["id"] for item in page], np.int64))
        positions[positions == len(self._ids)] = 0
        held_ids = self._ids[positions].tolist()
        held_stamps = self._stamps.take(pa.array(positions)).to_pylist()
        same = [
            item["id"] == held_id and item["updatedAt"] == stamp
            for item, held_id, stamp in zip(page, held_ids, held_stamps, strict=True)
        ]
        self._seen[positions[same]] = True
        kept = [item for item, is_same in zip(page, same, strict=True) if is_same]
        return kept, [item for item, is_same in zip(page, same, strict=True) if not is_same]

    def seen(self) -> np.ndarray[Any, Any]:
        found: np.ndarray[Any, Any] = self._ids[self._seen]
        return found
