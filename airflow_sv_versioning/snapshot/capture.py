"""Read a project into tables: in parallel, in bounded memory, as one consistent state.

A capture is a few passes. Each pass lists everything; it copies from the pass before what belongs to
items whose ``updatedAt`` has not moved, and fetches the rest. The project's own ``updatedAt``, read
before and after a pass, tells whether the pass saw one state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.figures import LIST_BATCH
from airflow_sv_versioning.client.models import Dataset, Project
from airflow_sv_versioning.exceptions import IntegrityError, NotFoundError, ProjectChangedError
from airflow_sv_versioning.snapshot.kinds.images import (
    ALPHA_MASK,
    figure_row,
    image_row,
    tag_rows,
)
from airflow_sv_versioning.snapshot.parallel import map_ordered
from airflow_sv_versioning.snapshot.progress import Progress
from airflow_sv_versioning.snapshot.project import dataset_row, project_info, project_meta
from airflow_sv_versioning.snapshot.tables import Snapshot, SnapshotWriter, json_text, values
from airflow_sv_versioning.snapshot.tree import in_tree_order

MAX_PASSES = 4
MAX_ITEM_READS = 10


@dataclass(frozen=True)
class Capture:
    """A project as it was read.

    :param project_updated_at: the stamp to commit: that of the state read, or, where there is none,
        that of the beginning, so that the next version sees the changes.
    :param consistent: whether the project stood still for the time of one pass.
    """

    snapshot: Snapshot
    project_updated_at: str
    consistent: bool
    passes: int


@dataclass(frozen=True)
class _Batch:
    dataset_id: int
    images: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class _Read:
    """A batch of images with everything on them."""

    images: Sequence[Mapping[str, Any]]
    figures: Sequence[Mapping[str, Any]]
    alpha_geometries: Mapping[int, Mapping[str, Any]]


def capture_project(
    client: SuperviselyClient,
    project_id: int,
    directory: Path,
    *,
    on_concurrent_change: str,
    progress: Progress,
) -> Capture:
    """Read a project into a new folder below ``directory``.

    Every item of the result is in one state. Where the project never stands still, ``accept`` takes
    items of different moments together, and says so; ``fail`` gives up.

    :raises ProjectChangedError: the project changed through all passes, and that is not accepted.
    """
    base: Snapshot | None = None
    first_stamp: str | None = None
    for number in range(1, MAX_PASSES + 1):
        project = client.projects.get(project_id)
        first_stamp = first_stamp or project.updated_at
        folder = directory / f"pass-{number}"
        folder.mkdir(parents=True)
        try:
            snapshot = _Pass(client, project, folder, base, progress).run()
        except NotFoundError:
            # Something that was listed is gone; the next pass lists anew.
            if number == MAX_PASSES:
                raise
            progress.say(f"Project {project_id} changed while it was read; reading again.")
            continue
        if client.projects.get(project_id).updated_at == project.updated_at:
            return Capture(snapshot, project.updated_at, True, number)
        progress.say(f"Project {project_id} changed while it was read; reading the changes (pass {number}).")
        base = snapshot
    if on_concurrent_change == "fail" or base is None:
        raise ProjectChangedError(
            f"Project {project_id} changed during each of {MAX_PASSES} readings. Make the version when "
            "nobody works on it, or accept items of different moments (on_concurrent_change='accept').",
            project_id=project_id,
        )
    return Capture(base, first_stamp or "", False, MAX_PASSES)


class _Pass:
    """One reading of the project."""

    def __init__(
        self,
        client: SuperviselyClient,
        project: Project,
        directory: Path,
        base: Snapshot | None,
        progress: Progress,
    ) -> None:
        self._client = client
        self._project = project
        self._directory = directory
        self._progress = progress
        self._meta = project_meta(client.projects.get_meta(project.id), project)
        self._class_names = {entry["id"]: entry["title"] for entry in self._meta["classes"]}
        self._tag_names = {entry["id"]: entry["name"] for entry in self._meta["tags"]}
        # Rows carry the names of classes and tags: they serve only while those stay.
        self._base = base if base and base.project_meta == self._meta else None
        # The first pass is checked as a whole by the project's stamp; later ones read a moving project.
        self._verify_items = base is not None
        self._dropped: list[int] = []
        self._images_done = 0

    def run(self) -> Snapshot:
        found = list(self._client.datasets.list_all(self._project.id))
        datasets = list(in_tree_order(found, lambda d: d.id, lambda d: d.parent_id, lambda d: d.name))
        with SnapshotWriter(self._directory, "images") as writer:
            writer.append("datasets", [dataset_row(dataset, path) for dataset, path in datasets])
            changed = self._list_images(writer, [dataset for dataset, _ in datasets])
            for read in map_ordered(self._read, changed, self._client.max_workers):
                self._append(writer, read)
            if self._base:
                self._copy_kept(writer, self._base, {dataset.id for dataset, _ in datasets})
            return writer.finish(project_info(self._project), self._meta)

    def _list_images(self, writer: SnapshotWriter, datasets: Sequence[Dataset]) -> Iterator[_Batch]:
        """List every image: write those the base holds, yield the others in batches to be read."""
        for dataset in datasets:
            stamps = self._base_stamps(dataset.id)
            for page in self._client.images.iter_pages(dataset.id):
                kept = [image for image in page if stamps.get(image["id"]) == image["updatedAt"]]
                self._append_images(writer, kept)
                kept_ids = {image["id"] for image in kept}
                for image_id in kept_ids:
                    del stamps[image_id]
                changed = [image for image in page if image["id"] not in kept_ids]
                for part in batches(changed, LIST_BATCH):
                    yield _Batch(dataset.id, part)
            self._dropped += stamps

    def _base_stamps(self, dataset_id: int) -> dict[int, str]:
        if self._base is None:
            return {}
        import pyarrow.compute as pc

        here = pc.field("src_dataset_id") == dataset_id
        rows = self._base.read("images", ["src_image_id", "updated_at", "src_dataset_id"], here)
        return dict(zip(values(rows, "src_image_id"), values(rows, "updated_at"), strict=True))

    def _read(self, batch: _Batch) -> _Read:
        images = batch.images
        for _ in range(MAX_ITEM_READS):
            self._progress.check()
            read = self._read_once(batch.dataset_id, images)
            if read is None:
                continue
            if not self._verify_items:
                return read
            ids = [image["id"] for image in images]
            now = self._client.images.list_by_ids(batch.dataset_id, ids)
            if [(image["id"], image["updatedAt"]) for image in now] == [
                (image["id"], image["updatedAt"]) for image in images
            ]:
                return read
            images = now
        names = [image["name"] for image in images[:5]]
        raise ProjectChangedError(
            f"Images {names} of dataset {batch.dataset_id} changed during each of {MAX_ITEM_READS} readings. "
            "Make the version when nobody works on them.",
            dataset_id=batch.dataset_id,
        )

    def _read_once(self, dataset_id: int, images: Sequence[Mapping[str, Any]]) -> _Read | None:
        if not images:
            return _Read([], [], {})
        figures = self._client.figures.list_for_items(dataset_id, [image["id"] for image in images])
        alpha_ids = [figure["id"] for figure in figures if figure["geometryType"] == ALPHA_MASK]
        try:
            return _Read(images, figures, self._client.figures.download_geometries(alpha_ids))
        except (IntegrityError, NotFoundError):
            # A mask that was listed a moment ago is gone: read the batch again.
            still = self._client.figures.list_for_items(dataset_id, [image["id"] for image in images])
            if {figure["id"] for figure in still} >= set(alpha_ids):
                raise
            return None

    def _append(self, writer: SnapshotWriter, read: _Read) -> None:
        self._append_images(writer, read.images)
        writer.append("figures", [figure_row(figure, self._class_names) for figure in read.figures])
        writer.append(
            "alpha_geometries",
            [
                {
                    "src_figure_id": figure["id"],
                    "geometry_json": json_text(read.alpha_geometries[figure["id"]]),
                }
                for figure in read.figures
                if figure["geometryType"] == ALPHA_MASK
            ],
        )
        writer.append(
            "tags",
            [
                row
                for figure in read.figures
                for row in tag_rows("figure", figure, figure["entityId"], self._tag_names)
            ],
        )

    def _append_images(self, writer: SnapshotWriter, images: Sequence[Mapping[str, Any]]) -> None:
        writer.append("images", [image_row(image) for image in images])
        writer.append(
            "tags", [row for image in images for row in tag_rows("item", image, image["id"], self._tag_names)]
        )
        self._images_done += len(images)
        self._progress.count("Images read", self._images_done, self._project.images_count)

    def _copy_kept(self, writer: SnapshotWriter, base: Snapshot, dataset_ids: set[int]) -> None:
        """Copy what hangs on unchanged images, by column operations."""
        import pyarrow as pa
        import pyarrow.compute as pc

        kept = pc.field("src_dataset_id").isin(pa.array(sorted(dataset_ids), pa.int64())) & ~pc.field(
            "src_image_id"
        ).isin(pa.array(self._dropped, pa.int64()))
        alpha_ids: list[int] = []
        for batch in base.iter_batches("figures", where=kept):
            writer.append_arrow("figures", batch)
            masks = batch.filter(pc.field("geometry_type") == ALPHA_MASK)
            alpha_ids += values(masks, "src_figure_id")
        is_kept_mask = pc.field("src_figure_id").isin(pa.array(alpha_ids, pa.int64()))
        for batch in base.iter_batches("alpha_geometries", where=is_kept_mask):
            writer.append_arrow("alpha_geometries", batch)
        # Tags of images come with the listing; those of figures from the base.
        kept_images = self._kept_image_ids(base, dataset_ids)
        is_kept_tag = (pc.field("owner_type") == "figure") & pc.field("src_item_id").isin(kept_images)
        for batch in base.iter_batches("tags", where=is_kept_tag):
            writer.append_arrow("tags", batch)

    def _kept_image_ids(self, base: Snapshot, dataset_ids: set[int]) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = base.read("images", ["src_image_id", "src_dataset_id"])
        kept = pc.and_(
            pc.is_in(rows["src_dataset_id"], pa.array(sorted(dataset_ids), pa.int64())),
            pc.invert(pc.is_in(rows["src_image_id"], pa.array(self._dropped, pa.int64()))),
        )
        return rows.filter(kept)["src_image_id"].combine_chunks()
