"""Volume projects."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Semaphore
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.exceptions import UnsupportedProjectError
from airflow_sv_versioning.snapshot.kinds import volume_content
from airflow_sv_versioning.snapshot.kinds.kind import Item, ItemReader, Kind, Names, Rows, copy_rows
from airflow_sv_versioning.snapshot.kinds.tag_rows import annotation_tag_rows
from airflow_sv_versioning.snapshot.kinds.volume_checks import check_volumes
from airflow_sv_versioning.snapshot.kinds.volume_rows import (
    figure_rows,
    figures_of,
    object_rows,
    volume_row,
)
from airflow_sv_versioning.snapshot.mask3d import MASK_3D
from airflow_sv_versioning.snapshot.side import Side
from airflow_sv_versioning.snapshot.tables import Snapshot, SnapshotWriter, mask_path, values

if TYPE_CHECKING:
    import pyarrow as pa

VOLUMES_AT_ONCE = 50
MASKS_AT_ONCE = 3
MESH = "closed_surface_mesh"


class Volumes(Kind):
    """Volumes with objects, whose figures lie on slices of three planes or fill space."""

    project_type = "volumes"
    item = "volume"
    id_column = "src_volume_id"
    counted = ("datasets", "volumes", "objects", "figures", "tags")
    unrecorded_format = "v2.0.0"
    prefers_link = False
    takes_links = False

    def reader(self, client: SuperviselyClient, names: Names, directory: Path) -> ItemReader:
        """Make what reads volumes; masks go to the snapshot's folder as they come."""
        return _VolumeReader(client, names, directory)

    def copy_kept(self, base: Snapshot, writer: SnapshotWriter, kept_ids: pa.Array) -> None:
        """Copy objects, figures, masks and tags: the listing tells none of them."""
        import pyarrow.compute as pc

        for table in ("objects", "figures", "tags"):
            column = self.item_columns(table) or ""
            for batch in copy_rows(base, writer, table, pc.field(column).isin(kept_ids)):
                if table == "figures":
                    masks = batch.filter(pc.field("geometry_type") == MASK_3D)
                    _copy_masks(base, writer.directory, values(masks, "src_figure_id"))

    def item_columns(self, table: str) -> str | None:
        """Name the column that says which volume a row belongs to."""
        if table == "datasets":
            return None
        return "src_item_id" if table == "tags" else "src_volume_id"

    def check(self, snapshot: Snapshot, items: pa.Table, paths: Mapping[int, str], names: Names) -> None:
        """Check classes, objects, planes, slices, and that masks fit their volumes."""
        check_volumes(snapshot, items, paths, names)

    def check_captured(self, snapshot: Snapshot) -> None:
        """Take the server's word."""

    def opening_settings(self, snapshot: Snapshot) -> dict[str, Any]:
        """Choose nothing: volumes need no settings to be added."""
        return {}

    def count(self, client: SuperviselyClient, dataset_id: int) -> dict[str, int]:
        """Count volumes, objects and figures."""
        return {
            "volumes": client.volumes.count(dataset_id),
            "objects": client.objects.count(dataset_id),
            "figures": client.figures.count(dataset_id),
        }

    def contents(self, side: Side) -> Iterator[tuple[str, pa.Table]]:
        """Make rows of volumes, objects, figures with their voxels, and tags."""
        yield "volume", volume_content.volumes(side)
        yield "object", volume_content.objects(side)
        yield "figure", volume_content.figures(side)
        yield "tag", volume_content.tags(side)


class _VolumeReader(ItemReader):
    """Reads annotations; masks go to files, a few in memory at a time whatever the number of threads."""

    def __init__(self, client: SuperviselyClient, names: Names, directory: Path) -> None:
        self._client = client
        self._names = names
        self._directory = directory
        self._mask_turns = Semaphore(MASKS_AT_ONCE)

    def iter_pages(self, dataset_id: int) -> Iterator[Sequence[Item]]:
        return self._client.volumes.iter_pages(dataset_id)

    def parts(self, items: Sequence[Item]) -> Iterator[Sequence[Item]]:
        return batches(items, VOLUMES_AT_ONCE)

    def listed(self, items: Sequence[Item]) -> Rows:
        return {"volumes": [volume_row(item) for item in items]}

    def read(self, dataset_id: int, items: Sequence[Item]) -> Rows | None:
        if not items:
            return {}
        ids = [item["id"] for item in items]
        annotations = self._client.volumes.get_annotations(dataset_id, ids)
        spatial = [figure for annotation in annotations for figure in annotation.get("spatialFigures") or []]
        if spatial:
            self._add_notes(dataset_id, ids, spatial)
        rows: dict[str, list[dict[str, Any]]] = {"objects": [], "figures": [], "tags": []}
        for annotation in annotations:
            volume_id = annotation["volumeId"]
            rows["objects"] += object_rows(annotation, volume_id, self._names)
            rows["figures"] += figure_rows(annotation, volume_id)
            rows["tags"] += annotation_tag_rows(annotation, volume_id, self._names)
            self._fetch_masks(annotation)
        return rows

    def _add_notes(self, dataset_id: int, ids: Sequence[int], spatial: Sequence[dict[str, Any]]) -> None:
        """Add the custom data of figures in space, which annotations may leave out."""
        notes = {note["id"]: note for note in self._client.figures.iter_notes(dataset_id, ids)}
        for figure in spatial:
            if custom_data := notes.get(figure["id"], {}).get("customData"):
                figure["customData"] = custom_data

    def _fetch_masks(self, annotation: Mapping[str, Any]) -> None:
        for _, _, figure in figures_of(annotation):
            if figure["geometryType"] == MESH:
                raise UnsupportedProjectError(
                    f"Figure {figure['id']} of volume {annotation['volumeId']} is a surface mesh, an older "
                    "kind that versions cannot hold; convert it to a mask on the platform.",
                    volume_id=annotation["volumeId"],
                )
            if figure["geometryType"] == MASK_3D:
                with self._mask_turns:
                    self._fetch_mask(figure["id"])

    def _fetch_mask(self, figure_id: int) -> None:
        path = mask_path(self._directory, figure_id)
        content = self._client.volumes.find_mask(figure_id)
        if content is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    def list_by_ids(self, dataset_id: int, item_ids: Sequence[int]) -> Sequence[Item]:
        return self._client.volumes.list_by_ids(dataset_id, item_ids)


def _copy_masks(base: Snapshot, directory: Path, figure_ids: Sequence[int]) -> None:
    for figure_id in figure_ids:
        source, target = base.mask_path(figure_id), mask_path(directory, figure_id)
        if not source.exists():
            continue
        target.parent.mkdir(exist_ok=True)
        try:
            os.link(source, target)
        except OSError:
            # A disk without hard links.
            shutil.copyfile(source, target)
