"""Tell the items that an earlier snapshot holds as they are from those to be read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.project_types.base import ItemT
from airflow_sv_versioning.snapshot.ids import IdSet, digests, joined
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
        self._kept_ids: list[np.ndarray[Any, Any]] = []

    def split(self, dataset_id: int, page: Sequence[ItemT]) -> tuple[Sequence[ItemT], Sequence[ItemT]]:
        """Part a page of a dataset's listing into unchanged items and others."""
        if self._base is None:
            return [], page
        if dataset_id not in self._open:
            self._open[dataset_id] = _Stamps(self._base, self._id_column, dataset_id)
        return self._open[dataset_id].split(page)

    def end(self, dataset_id: int) -> None:
        """Learn that a dataset was listed to its end."""
        if stamps := self._open.pop(dataset_id, None):
            self._kept_ids.append(stamps.seen_ids())

    def kept_ids(self) -> IdSet:
        """Collect the unchanged items of the datasets that were listed."""
        return IdSet(joined(self._kept_ids))


class _Stamps:
    """What ``updatedAt`` the items of one dataset had: 16 bytes an item, for there may be a million."""

    def __init__(self, base: Snapshot, id_column: str, dataset_id: int) -> None:
        import numpy as np
        import pyarrow.compute as pc

        items, in_dataset = base.project_type, pc.field("src_dataset_id") == dataset_id
        ids = joined(part.to_numpy() for part in base.iter_columns(items, id_column, in_dataset))
        stamps = joined(
            digests(part.to_pylist()) for part in base.iter_columns(items, "updated_at", in_dataset)
        )
        # What is not there cannot be copied, nor named: it may have come back.
        is_whole = ~np.isin(ids, list(base.incomplete_items))
        ids, stamps = ids[is_whole], stamps[is_whole]
        order = ids.argsort()
        self._ids, self._stamps = ids[order], stamps[order]
        self._is_seen = np.zeros(len(ids), np.bool_)

    def split(self, page: Sequence[ItemT]) -> tuple[Sequence[ItemT], Sequence[ItemT]]:
        import numpy as np

        if not len(self._ids):
            return [], page
        ids = np.array([item.id for item in page], np.int64)
        positions = self._ids.searchsorted(ids)
        positions[positions == len(self._ids)] = 0
        stamps = digests(item.updated_at for item in page)
        is_same = (self._ids[positions] == ids) & (self._stamps[positions] == stamps)
        self._is_seen[positions[is_same]] = True
        return list(compress(page, is_same)), list(compress(page, ~is_same))

    def seen_ids(self) -> np.ndarray[Any, Any]:
        ids: np.ndarray[Any, Any] = self._ids[self._is_seen]
        return ids
