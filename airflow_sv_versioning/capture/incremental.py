"""An earlier archive as the base of a capture: whether its rows still serve, and proof by sample."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.compare.differences import find_item_differences
from airflow_sv_versioning.exceptions import NotFoundError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import Item, ItemReader, Rows, names_of
from airflow_sv_versioning.project_types.remnants import find_remnants
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter

SAMPLED_OF = 100
MIN_SAMPLE, MAX_SAMPLE = 10, 50
MAX_TOLD = 2

FindEarlier = Callable[[], "Snapshot | str | None"]
"""Opens an earlier snapshot, or tells why it cannot be used."""


class EarlierBase:
    """An earlier snapshot that a capture takes unchanged items from.

    It is opened, and a sample of it is checked, while the capture runs; :meth:`is_refuted` then tells
    whether what was taken is to be thrown away.

    :ivar note: why the earlier snapshot does not serve, where there is one.
    """

    def __init__(
        self,
        client: SuperviselyClient,
        project_id: int,
        directory: Path,
        progress: Progress,
        find_earlier: FindEarlier | None,
    ) -> None:
        self._client = client
        self._project_id = project_id
        self._directory = directory
        self._progress = progress
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sv-versioning-base")
        self._earlier = self._pool.submit(find_earlier) if find_earlier else None
        self._stale: Future[list[str]] | None = None
        self.note: str | None = None

    def open(self, meta: Mapping[str, Any]) -> Snapshot | None:
        """Wait for the snapshot, and begin to check it; ``None`` if there is none that serves.

        :param meta: of the project as it is now.
        """
        earlier = self._earlier.result() if self._earlier else None
        if earlier is None:
            return None
        if isinstance(earlier, str):
            self._refute(earlier)
            return None
        if not still_names(earlier, meta):
            self._refute("classes or tags changed since the latest version")
            return None
        if self._stale is None:
            self._stale = self._pool.submit(
                find_stale, self._client, earlier, meta, self._directory, self._progress
            )
        return earlier

    def is_refuted(self) -> bool:
        """Wait for the sample, and say whether it differs from the snapshot."""
        if self._stale is None:
            return False
        if stale := self._stale.result():
            self._stale = None
            told = "; ".join(stale[:MAX_TOLD])
            self._refute(f"the latest version differs in items that seem unchanged: {told}")
        return bool(stale)

    def is_in_use(self) -> bool:
        """Say whether the snapshot was opened and has not been refuted."""
        return self._stale is not None

    def close(self) -> None:
        """Drop what has not begun, and wait for what has."""
        self._pool.shutdown(cancel_futures=True)

    def _refute(self, note: str) -> None:
        self.note = note
        self._earlier = None
        self._progress.say(f"Reading all of project {self._project_id}: {note}.")


def sample_size(items: int) -> int:
    """Choose how many items to read again: of a hundred videos, fifty would cost half of a full capture."""
    return min(items, max(MIN_SAMPLE, min(MAX_SAMPLE, items // SAMPLED_OF)))


def still_names(base: Snapshot, meta: Mapping[str, Any]) -> bool:
    """Say whether the base's classes and tags still are there, under the names that its rows carry."""
    return _terms(base.project_meta).items() <= _terms(meta).items()


def _terms(meta: Mapping[str, Any]) -> dict[tuple[str, Any], tuple[Any, ...]]:
    classes = {("class", e.get("id")): (e["title"], e.get("shape")) for e in meta.get("classes") or []}
    tags = {("tag", e.get("id")): (e["name"], e.get("value_type")) for e in meta.get("tags") or []}
    return {**classes, **tags}


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


@dataclass(frozen=True)
class _Part:
    """Items of one dataset with what hangs on them now."""

    dataset_id: int
    items: Sequence[Item]
    rows: Rows


class _SpotCheck:
    def __init__(
        self, client: SuperviselyClient, base: Snapshot, meta: Mapping[str, Any], directory: Path
    ) -> None:
        self._base = base
        self._held, self._found = directory / "held", directory / "found"
        for folder in (self._held, self._found):
            folder.mkdir(parents=True)
        self._meta = meta
        self._project_type = project_type_of(base.project_type)
        self._reader: ItemReader[Any] = self._project_type.reader(client, names_of(meta), self._found)
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
        wanted = sorted(random.sample(range(total), sample_size(total)))
        start = 0
        for batch in self._base.iter_batches(items, columns):
            here = [number - start for number in wanted if start <= number < start + batch.num_rows]
            yield from batch.take(pa.array(here, pa.int64())).to_pylist()
            start += batch.num_rows

    def read(self, wanted: tuple[int, list[int]]) -> _Part | None:
        """Read those of the items that look unchanged, also after they were read."""
        dataset_id, ids = wanted
        try:
            items = self._unchanged(dataset_id, ids)
            rows = self._reader.read_whole(dataset_id, items) if items else None
            still = self._unchanged(dataset_id, [item.id for item in items]) if rows is not None else []
        except NotFoundError:
            # The dataset is gone, and what the base holds of it will not be copied.
            return None
        if rows is None or len(still) < len(items):
            return None
        return _Part(dataset_id, items, rows)

    def _unchanged(self, dataset_id: int, ids: Sequence[int]) -> list[Item]:
        found = self._reader.list_by_ids(dataset_id, ids)
        return [item for item in found if self._stamps.get(item.id) == item.updated_at]

    def differences(self, parts: Sequence[_Part]) -> list[str]:
        """Compare what was read with the base's rows, both taken as little snapshots."""
        ids = IdSet(item.id for part in parts for item in part.items)
        with self._writer(self._held, parts) as writer:
            self._project_type.copy_kept(self._base, writer, ids)
            held = writer.finish(self._base.project_info, self._meta)
        with self._writer(self._found, parts) as writer:
            for part in parts:
                writer.append_rows(part.rows)
            found = writer.finish(self._base.project_info, self._meta)
        find_remnants(found).leave_out()
        return find_item_differences(held, found)

    @contextmanager
    def _writer(self, folder: Path, parts: Sequence[_Part]) -> Iterator[SnapshotWriter]:
        """Open a little snapshot that already has what listings tell."""
        with SnapshotWriter(folder, self._base.project_type) as writer:
            writer.append_arrow("datasets", self._base.read("datasets"))
            for part in parts:
                writer.append_rows(self._reader.listed(part.items))
            yield writer
