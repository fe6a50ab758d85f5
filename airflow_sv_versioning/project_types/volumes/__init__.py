"""Volume projects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Semaphore
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.media import IMAGE_UPLOAD
from airflow_sv_versioning.project_types.base import (
    ItemReader,
    ItemWithRow,
    Names,
    ProjectType,
    RowReader,
    Rows,
    copy_rows,
)
from airflow_sv_versioning.project_types.compared import Part
from airflow_sv_versioning.project_types.notes import notes_of
from airflow_sv_versioning.project_types.tag_rows import annotation_tag_rows
from airflow_sv_versioning.project_types.volumes import comparison
from airflow_sv_versioning.project_types.volumes.checks import check_volumes
from airflow_sv_versioning.project_types.volumes.columns import COMPARED
from airflow_sv_versioning.project_types.volumes.masks import SPATIAL
from airflow_sv_versioning.project_types.volumes.rows import (
    check_planes,
    figure_rows,
    figures_of,
    object_rows,
    volume_row,
)
from airflow_sv_versioning.project_types.volumes.upload import normalise_to_ras
from airflow_sv_versioning.runtime.file_sharing import share_file
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.json_columns import json_value
from airflow_sv_versioning.snapshot.schemas import item_column
from airflow_sv_versioning.snapshot.tables import Snapshot, mask_path, values
from airflow_sv_versioning.snapshot.writer import SnapshotWriter

if TYPE_CHECKING:
    import pyarrow as pa

VOLUMES_AT_ONCE = 50
REQUESTS_AT_ONCE = 3
"""So many requests for masks may hold their answers in memory, whatever the number of threads."""
MASKS_AT_ONCE = 50
MASK_BYTES_AT_ONCE = 16 << 20


class Volumes(ProjectType):
    """Volumes with objects, whose figures lie on slices of three planes or fill space."""

    name = "volumes"
    item = "volume"
    counted = ("datasets", "volumes", "objects", "figures", "tags")
    compared = COMPARED
    place = "slice"
    upload = IMAGE_UPLOAD
    prefers_link = False
    takes_links = False
    passes_geometry_on = False
    has_previews = False

    def reader(self, client: SuperviselyClient, names: Names, directory: Path) -> ItemReader[ItemWithRow]:
        """Make what reads volumes; masks go to the snapshot's folder as they come."""
        return _VolumeReader(client, names, directory)

    def copy_kept(self, base: Snapshot, writer: SnapshotWriter, kept_ids: IdSet) -> None:
        """Copy objects, figures, masks and tags: the listing tells none of them."""
        import pyarrow.compute as pc

        for table in ("objects", "figures", "tags"):
            for batch in copy_rows(base, writer, table, item_column(self.name, table), kept_ids):
                if table == "figures":
                    spatial = batch.filter(pc.field("geometry_type").isin(SPATIAL))
                    _copy_files(base, writer.directory, values(spatial, "src_figure_id"))

    def bare_figures(self, snapshot: Snapshot) -> Iterable[int]:
        """Find masks and meshes without their files."""
        import pyarrow.compute as pc

        spatial = snapshot.iter_columns("figures", "src_figure_id", pc.field("geometry_type").isin(SPATIAL))
        for column in spatial:
            yield from (
                figure_id for figure_id in column.to_pylist() if not snapshot.mask_path(figure_id).exists()
            )

    def as_stored(self, original: Path, destination: Path, meta: Any) -> Path:
        """Normalise it as the platform does when it comes."""
        normalise_to_ras(original, destination, meta)
        return destination

    def check(self, snapshot: Snapshot, paths: Mapping[int, str], names: Names) -> None:
        """Check classes, objects, planes, slices, and that masks fit their volumes."""
        check_volumes(snapshot, paths, names)

    def compared_figures(self, part: Part) -> pa.Table:
        """Read the figures of some volumes."""
        return comparison.figures(part)


class _VolumeReader(RowReader):
    """Reads annotations; masks go to files, a few in memory at a time whatever the number of threads."""

    def __init__(self, client: SuperviselyClient, names: Names, directory: Path) -> None:
        super().__init__(client.volumes, volume_row)
        self._client = client
        self._names = names
        self._directory = directory
        self._turns = Semaphore(REQUESTS_AT_ONCE)

    def parts(self, items: Sequence[ItemWithRow]) -> Iterator[Sequence[ItemWithRow]]:
        return batches(items, VOLUMES_AT_ONCE)

    def read(self, dataset_id: int, items: Sequence[ItemWithRow]) -> Rows | None:
        if not items:
            return {}
        ids = [item.id for item in items]
        annotations = self._client.volumes.get_annotations(dataset_id, ids)
        figures = [figure for annotation in annotations for _, _, figure in figures_of(annotation)]
        if figures:
            self._add_notes(dataset_id, ids, figures)
        rows: dict[str, list[dict[str, Any]]] = {"objects": [], "figures": [], "tags": []}
        for item, annotation in zip(items, annotations, strict=True):
            volume_id = item.id
            check_planes(annotation, f"The annotation of volume {item.name!r} (id {volume_id})")
            rows["objects"] += object_rows(annotation, volume_id, self._names)
            rows["figures"] += figure_rows(annotation, volume_id)
            rows["tags"] += annotation_tag_rows(annotation, volume_id, self._names)
            self._fetch_files(item, annotation)
        return rows

    def _add_notes(self, dataset_id: int, ids: Sequence[int], figures: Sequence[dict[str, Any]]) -> None:
        """Add custom data and descriptions, which annotations may leave out."""
        all_notes = self._client.figures.iter_notes(dataset_id, ids)
        notes = notes_of((figure["id"] for figure in figures), all_notes)
        for figure in figures:
            note = notes.get(figure["id"], {})
            figure.update({key: note[key] for key in ("customData", "description") if note.get(key)})

    def _fetch_files(self, volume: ItemWithRow, annotation: Mapping[str, Any]) -> None:
        """Write masks and meshes to files, as many at once as fit in a few megabytes, decompressed."""
        ids = [figure["id"] for _, _, figure in figures_of(annotation) if figure["geometryType"] in SPATIAL]
        voxels = math.prod(((json_value(volume.row["meta"]) or {}).get("dimensionsIJK") or {}).values())
        for part in batches(ids, min(MASKS_AT_ONCE, max(1, MASK_BYTES_AT_ONCE // max(1, int(voxels))))):
            with self._turns:
                geometries = self._client.volumes.find_spatial_geometries(part)
                for figure_id in part:
                    self._keep_file(figure_id, geometries.pop(figure_id, None))

    def _keep_file(self, figure_id: int, content: bytes | None) -> None:
        path = mask_path(self._directory, figure_id)
        if content is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def _copy_files(base: Snapshot, directory: Path, figure_ids: Sequence[int]) -> None:
    for figure_id in figure_ids:
        source, target = base.mask_path(figure_id), mask_path(directory, figure_id)
        if not source.exists():
            continue
        target.parent.mkdir(exist_ok=True)
        share_file(source, target)
