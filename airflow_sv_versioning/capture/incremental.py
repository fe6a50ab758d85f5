"""Proof by sample that an earlier version still says what the server says of items that seem unchanged."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from airflow_sv_versioning.capture.little_snapshots import ItemsRead, Surroundings, hanging, listed
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.compare.differences import find_differences
from airflow_sv_versioning.exceptions import NotFoundError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import Item, ItemReader, names_of
from airflow_sv_versioning.project_types.remnants import find_remnants
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.tables import Snapshot

SAMPLED_OF = 100
MIN_SAMPLE, MAX_SAMPLE = 10, 50


def sample_size(items: int) -> int:
    """Choose how many items to read again: of a hundred videos, fifty would cost half of a full capture."""
    return min(items, max(MIN_SAMPLE, min(MAX_SAMPLE, items // SAMPLED_OF)))


def find_stale(
    client: SuperviselyClient,
    base: Snapshot,
    meta: Mapping[str, Any],
    directory: Path,
    progress: Progress,
) -> list[str]:
    """Read a random sample of the items that look unchanged, and tell how the base differs from them.

    :param directory: takes what was read.
    """
    check = _SpotCheck(client, base, meta, directory)
    read = [part for part in map_ordered(check.read, check.sample(), client.max_workers) if part]
    progress.check()
    if not read:
        return []
    return check.differences(read)


class _SpotCheck:
    def __init__(
        self, client: SuperviselyClient, base: Snapshot, meta: Mapping[str, Any], directory: Path
    ) -> None:
        self._base = base
        self._base_folder, self._read_folder = directory / "base", directory / "read"
        for folder in (self._base_folder, self._read_folder):
            folder.mkdir(parents=True)
        self._meta = meta
        self._project_type = project_type_of(base.project_type)
        self._reader: ItemReader[Any] = self._project_type.reader(client, names_of(meta), self._read_folder)
        self._stamps: dict[int, str] = {}

    def sample(self) -> list[tuple[int, list[int]]]:
        """Choose items of the base: dataset and ids."""
        by_dataset: dict[int, list[int]] = defaultdict(list)
        for row in self._chosen():
            self._stamps[row[self._project_type.id_column]] = row["updated_at"]
            by_dataset[row["src_dataset_id"]].append(row[self._project_type.id_column])
        return list(by_dataset.items())

    def _chosen(self) -> Iterator[Mapping[str, Any]]:
        import pyarrow as pa

        items = self._base.project_type
        columns = [self._project_type.id_column, "src_dataset_id", "updated_at"]
        total = self._base.row_count(items)
        positions = sorted(random.sample(range(total), sample_size(total)))
        start = 0
        for batch in self._base.iter_batches(items, columns):
            batch_positions = [
                number - start for number in positions if start <= number < start + batch.num_rows
            ]
            yield from batch.take(pa.array(batch_positions, pa.int64())).to_pylist()
            start += batch.num_rows

    def read(self, sampled: tuple[int, list[int]]) -> ItemsRead | None:
        """Read those of the items that look unchanged, also after they were read."""
        dataset_id, ids = sampled
        try:
            items = self._unchanged(dataset_id, ids)
            rows = self._reader.read_whole(dataset_id, items) if items else None
            unchanged_items = (
                self._unchanged(dataset_id, [item.id for item in items]) if rows is not None else []
            )
        except NotFoundError:
            # The dataset is gone, and what the base holds of it will not be copied.
            return None
        if rows is None or len(unchanged_items) < len(items):
            return None
        return ItemsRead(dataset_id, items, rows)

    def _unchanged(self, dataset_id: int, ids: Sequence[int]) -> list[Item]:
        items = self._reader.list_by_ids(dataset_id, ids)
        return [item for item in items if self._stamps.get(item.id) == item.updated_at]

    def differences(self, parts: Sequence[ItemsRead]) -> list[str]:
        """Compare what was read with the base's rows, both taken as little snapshots."""
        base, ids = self._base, IdSet(item.id for part in parts for item in part.items)
        surroundings = Surroundings(base.project_type, base.read("datasets"), base.project_info, self._meta)
        # Unchanged items are listed anew, whatever the base says of them.
        as_listed = listed(self._reader, parts)
        base_snapshot = surroundings.write(
            self._base_folder, as_listed, lambda writer: self._project_type.copy_kept(base, writer, ids)
        )
        read_snapshot = surroundings.write(self._read_folder, as_listed, hanging(parts))
        find_remnants(read_snapshot).leave_out()
        return find_differences(base_snapshot, read_snapshot, same_project=True)
