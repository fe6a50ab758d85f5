"""Read a project into tables: in parallel, in bounded memory, as one consistent state.

A capture is a few passes. Each pass lists everything; it copies from the pass before, or from an earlier
archive, what belongs to items whose ``updatedAt`` has not moved, and fetches the rest. The project's own
``updatedAt``, read before and after a pass, tells whether the pass saw one state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Dataset, Project
from airflow_sv_versioning.exceptions import NotFoundError, ProjectChangedError
from airflow_sv_versioning.snapshot.base import find_stale, still_names
from airflow_sv_versioning.snapshot.kinds import kind_of
from airflow_sv_versioning.snapshot.kinds.kind import Item, Rows, names_of
from airflow_sv_versioning.snapshot.parallel import interleave, map_ordered
from airflow_sv_versioning.snapshot.progress import Progress
from airflow_sv_versioning.snapshot.project import dataset_row, project_info, project_meta
from airflow_sv_versioning.snapshot.tables import Snapshot, SnapshotWriter, values
from airflow_sv_versioning.snapshot.tree import in_tree_order

MAX_PASSES = 4
MAX_ITEM_READS = 10
MAX_TOLD = 2
LISTED_AT_ONCE = 4


@dataclass(frozen=True)
class Capture:
    """A project as it was read.

    :param project_updated_at: the stamp to commit: that of the state read, or, where there is none,
        that of the beginning, so that the next version sees the changes.
    :param consistent: whether the project stood still for the time of one pass.
    :param incremental: whether rows of unchanged items come from an earlier archive.
    :param note: why they do not, although there was one.
    """

    snapshot: Snapshot
    project_updated_at: str
    consistent: bool
    passes: int
    incremental: bool = False
    note: str | None = None


@dataclass(frozen=True)
class _Batch:
    dataset_id: int
    items: Sequence[Item]


@dataclass(frozen=True)
class _Read:
    """A batch of items with everything on them."""

    items: Sequence[Item]
    rows: Rows


def capture_project(
    client: SuperviselyClient,
    project_id: int,
    directory: Path,
    *,
    on_concurrent_change: str,
    progress: Progress,
    earlier: Snapshot | None = None,
) -> Capture:
    """Read a project into a new folder below ``directory``.

    :param earlier: an earlier snapshot of the project. What it holds of unchanged items is not read
        again, if a sample of them proves equal to what the server has.

    Every item of the result is in one state. Where the project never stands still, ``accept`` takes
    items of different moments together, and says so; ``fail`` gives up.

    :raises ProjectChangedError: the project changed through all passes, and that is not accepted.
    """
    base, note = _trusted(client, project_id, earlier, directory / "sample", progress)
    incremental = base is not None
    seen: Snapshot | None = None
    first_stamp: str | None = None
    for number in range(1, MAX_PASSES + 1):
        project = client.projects.get(project_id)
        first_stamp = first_stamp or project.updated_at
        folder = directory / f"pass-{number}"
        folder.mkdir(parents=True)
        try:
            snapshot = _Pass(client, project, folder, base, progress, is_first=number == 1).run()
        except NotFoundError:
            # Something that was listed is gone; the next pass lists anew.
            if number == MAX_PASSES:
                raise
            progress.say(f"Project {project_id} changed while it was read; reading again.")
            continue
        if client.projects.get(project_id).updated_at == project.updated_at:
            return Capture(snapshot, project.updated_at, True, number, incremental, note)
        progress.say(f"Project {project_id} changed while it was read; reading the changes (pass {number}).")
        base = seen = snapshot
    if on_concurrent_change == "fail" or seen is None:
        raise ProjectChangedError(
            f"Project {project_id} changed during each of {MAX_PASSES} readings. Make the version when "
            "nobody works on it, or accept items of different moments (on_concurrent_change='accept').",
            project_id=project_id,
        )
    return Capture(seen, first_stamp or "", False, MAX_PASSES, incremental, note)


def _trusted(
    client: SuperviselyClient, project_id: int, earlier: Snapshot | None, directory: Path, progress: Progress
) -> tuple[Snapshot | None, str | None]:
    """Take an earlier snapshot as base if it serves, or tell why not."""
    if earlier is None:
        return None, None
    meta = client.projects.get_meta(project_id)
    if not still_names(earlier, meta):
        note = "classes or tags changed since the latest version"
    elif stale := find_stale(client, earlier, meta, directory, progress):
        note = f"the latest version differs in items that seem unchanged: {'; '.join(stale[:MAX_TOLD])}"
    else:
        return earlier, None
    progress.say(f"Reading all of project {project_id}: {note}.")
    return None, note


class _Pass:
    """One reading of the project."""

    def __init__(
        self,
        client: SuperviselyClient,
        project: Project,
        directory: Path,
        base: Snapshot | None,
        progress: Progress,
        *,
        is_first: bool,
    ) -> None:
        self._client = client
        self._project = project
        self._directory = directory
        self._progress = progress
        self._meta = project_meta(client.projects.get_meta(project.id), project)
        self._kind = kind_of(project.type)
        self._reader = self._kind.reader(client, names_of(self._meta), directory)
        # Rows carry the names of classes and tags: they serve only while those stay.
        self._base = base if base and still_names(base, self._meta) else None
        # The first pass is checked as a whole by the project's stamp; later ones read a moving project.
        self._verify_items = not is_first
        self._dropped: list[int] = []
        self._items_done = 0

    def run(self) -> Snapshot:
        found = list(self._client.datasets.list_all(self._project.id))
        datasets = list(in_tree_order(found, lambda d: d.id, lambda d: d.parent_id, lambda d: d.name))
        with SnapshotWriter(self._directory, self._project.type) as writer:
            writer.append("datasets", [dataset_row(dataset, path) for dataset, path in datasets])
            changed = self._list_items(writer, [dataset for dataset, _ in datasets])
            for read in map_ordered(self._read, changed, self._client.max_workers):
                self._append_items(writer, read.items)
                writer.append_rows(read.rows)
            if self._base:
                kept = self._kept_ids(self._base, {dataset.id for dataset, _ in datasets})
                self._kind.copy_kept(self._base, writer, kept)
            return writer.finish(project_info(self._project), self._meta)

    def _list_items(self, writer: SnapshotWriter, datasets: Sequence[Dataset]) -> Iterator[_Batch]:
        """List every item: write those the base holds, yield the others in batches to be read."""
        stamps: dict[int, dict[int, str]] = {}
        sources = ((dataset.id, self._reader.iter_pages(dataset.id)) for dataset in datasets)
        for dataset_id, page in interleave(sources, min(LISTED_AT_ONCE, self._client.max_workers)):
            if dataset_id not in stamps:
                stamps[dataset_id] = self._base_stamps(dataset_id)
            if page is None:
                self._dropped += stamps.pop(dataset_id)
                continue
            changed = self._keep_unchanged(writer, page, stamps[dataset_id])
            for part in self._reader.parts(changed):
                yield _Batch(dataset_id, part)

    def _keep_unchanged(
        self, writer: SnapshotWriter, page: Sequence[Item], stamps: dict[int, str]
    ) -> Sequence[Item]:
        """Write the items that the base holds as they are, and return the others."""
        kept = [item for item in page if stamps.get(item["id"]) == item["updatedAt"]]
        self._append_items(writer, kept)
        kept_ids = {item["id"] for item in kept}
        for item_id in kept_ids:
            del stamps[item_id]
        return [item for item in page if item["id"] not in kept_ids]

    def _base_stamps(self, dataset_id: int) -> dict[int, str]:
        if self._base is None:
            return {}
        import pyarrow.compute as pc

        id_column = self._kind.id_column
        here = pc.field("src_dataset_id") == dataset_id
        rows = self._base.read(self._project.type, [id_column, "updated_at", "src_dataset_id"], here)
        return dict(zip(values(rows, id_column), values(rows, "updated_at"), strict=True))

    def _read(self, batch: _Batch) -> _Read:
        items = batch.items
        for _ in range(MAX_ITEM_READS):
            self._progress.check()
            rows = self._reader.read(batch.dataset_id, items)
            if rows is None:
                continue
            if not self._verify_items:
                return _Read(items, rows)
            now = self._reader.list_by_ids(batch.dataset_id, [item["id"] for item in items])
            if _stamps(now) == _stamps(items):
                return _Read(items, rows)
            items = now
        names = [item["name"] for item in items[:5]]
        raise ProjectChangedError(
            f"{self._project.type.capitalize()} {names} of dataset {batch.dataset_id} changed during each of "
            f"{MAX_ITEM_READS} readings. Make the version when nobody works on them.",
            dataset_id=batch.dataset_id,
        )

    def _append_items(self, writer: SnapshotWriter, items: Sequence[Item]) -> None:
        writer.append_rows(self._reader.listed(items))
        self._items_done += len(items)
        what = f"{self._project.type.capitalize()} read"
        self._progress.count(what, self._items_done, self._project.images_count)

    def _kept_ids(self, base: Snapshot, dataset_ids: set[int]) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        id_column = self._kind.id_column
        rows = base.read(self._project.type, [id_column, "src_dataset_id"])
        kept = pc.and_(
            pc.is_in(rows["src_dataset_id"], pa.array(sorted(dataset_ids), pa.int64())),
            pc.invert(pc.is_in(rows[id_column], pa.array(self._dropped, pa.int64()))),
        )
        return rows.filter(kept)[id_column].combine_chunks()


def _stamps(items: Sequence[Item]) -> list[tuple[int, str]]:
    return [(item["id"], item["updatedAt"]) for item in items]
