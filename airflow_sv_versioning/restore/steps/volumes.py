"""Add the volumes of a plan to their new datasets, and what is annotated on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import objects, volumes
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.project_types.volumes.masks import MASK_3D, SPATIAL
from airflow_sv_versioning.project_types.volumes.rows import NORMALS, figures_of
from airflow_sv_versioning.restore.steps.figure_entries import figure_entry
from airflow_sv_versioning.restore.steps.items import (
    add_described_items,
    dataset_batches,
    description_entry,
    new_name,
)
from airflow_sv_versioning.restore.steps.tag_entries import count_tags, tag_entry
from airflow_sv_versioning.restore.work import RestoreWork, Row, Step, naming
from airflow_sv_versioning.snapshot.items import ItemBatch
from airflow_sv_versioning.snapshot.json_columns import json_raw, json_value

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = ["src_volume_id", "src_dataset_id", "name", "hash", "link", "meta", "description", "custom_data"]


class VolumesRestore(Step):
    """Add volumes in the order of the snapshot, datasets side by side."""

    def run(self) -> None:
        """Add all volumes, with their descriptions."""
        self._work.drain(self._add_dataset, [row["src_dataset_id"] for row in self._work.plan.datasets])

    def _add_dataset(self, dataset_id: int) -> None:
        for batch in dataset_batches(self._work, dataset_id, _COLUMNS):
            for rows in batches(batch.to_pylist(), volumes.ADD_BATCH):
                entries = [self._entry(row) for row in rows]
                add_described_items(self._work, dataset_id, rows, entries)
                self._check_custom_data(self._work.ids.datasets[dataset_id], rows)

    def _entry(self, row: Row) -> dict[str, Any]:
        reference, meta = self._work.plan.reference(row), json_value(row["meta"]) or {}
        entry = {"name": new_name(self._work, row), **reference, "meta": meta, **description_entry(row)}
        custom_data = json_value(row["custom_data"])
        return {**entry, "customData": custom_data} if custom_data else entry

    def _check_custom_data(self, new_dataset: int, rows: Sequence[Row]) -> None:
        """Name the volumes whose custom data the server passed over: no call is known to set it later."""
        custom_data_by_name = {
            new_name(self._work, row): (row["src_volume_id"], json_value(row["custom_data"]))
            for row in rows
            if json_value(row["custom_data"])
        }
        if not custom_data_by_name:
            return
        for volume in self._work.client.volumes.list_by_names(new_dataset, list(custom_data_by_name)):
            volume_id, custom_data = custom_data_by_name[volume["name"]]
            if (stored_data := volume.get("customData")) != custom_data:
                if not stored_data:
                    self._work.passed_over.add(volume_id)
                self._work.progress.warn(
                    f"The custom data of volume {volume['name']!r} (id {volume_id}) could not be restored: "
                    f"the server took {stored_data} for it. The version holds {custom_data}."
                )


class VolumeAnnotationsRestore(Step):
    """Add objects, tags, figures and masks, volumes side by side; on a slice, figures keep their order."""

    def run(self) -> None:
        """Add everything that hangs on volumes."""
        item_ids = self._work.item_ids.known_ids
        volumes_ = ((int(batch.ids[0]), _rows(batch)) for batch in self._work.plan.snapshot.items(item_ids))
        self._work.drain(lambda volume: _OneVolume(self._work, *volume).run(), volumes_)


class _OneVolume:
    """The annotation of one volume in the making; nobody else adds to it, so counting tells what landed.

    :param tables: the rows of this volume, by table.
    :ivar object_ids: object id in the snapshot -> new id.
    """

    def __init__(self, work: RestoreWork, volume_id: int, tables: Mapping[str, pa.Table]) -> None:
        self._work = work
        self._volume_id = volume_id
        self._tables = tables
        self._new_id = work.item_ids[volume_id]
        self._dataset_id = work.item_datasets[volume_id]
        self._object_ids: dict[int, int] = {}

    def run(self) -> None:
        name = self._work.item_names[self._volume_id]
        with naming(f"The annotation of volume {name!r} (id {self._volume_id})"):
            self._add_objects()
            self._add_tags()
            for is_spatial in (False, True):
                self._add_figures(is_spatial)

    def _rows(self, table: str) -> list[Row]:
        rows: list[Row] = self._tables[table].to_pylist()
        return rows

    def _annotation(self) -> dict[str, Any]:
        return self._work.client.volumes.get_annotations(self._dataset_id, [self._new_id])[0]

    def _add_objects(self) -> None:
        names = self._work.plan.names.classes
        class_ids = {name: self._work.ids.classes[class_id] for class_id, name in names.items()}
        rows = sorted(self._rows("objects"), key=lambda row: row["src_object_id"])
        made_ids = self._work.make_batches(
            rows,
            objects.ADD_BATCH,
            lambda part: self._work.client.objects.add(
                self._dataset_id,
                [{"classId": class_ids[row["class_name"]], "entityId": self._new_id} for row in part],
            ),
            lambda: (entry["id"] for entry in self._annotation()["objects"]),
            "objects",
        )
        self._object_ids.update(zip((row["src_object_id"] for row in rows), made_ids, strict=True))

    def _add_tags(self) -> None:
        client, project = self._work.client, {"projectId": self._work.project_id}
        rows = self._rows("tags")
        item_tags = [self._tag_entry(row) for row in rows if row["owner_type"] == "item"]
        object_tags = [self._tag_entry(row) for row in rows if row["owner_type"] == "object"]
        self._work.send_batches(
            item_tags,
            volumes.TAGS_BATCH,
            lambda tags: client.volumes.add_tags(self._new_id, tags),
            lambda: count_tags([self._annotation()]),
            "tags",
        )
        self._work.send_batches(
            object_tags,
            objects.TAGS_BATCH,
            lambda tags: client.objects.add_tags(project, tags),
            lambda: count_tags(self._annotation()["objects"]),
            "tags of objects",
        )

    def _tag_entry(self, row: Row) -> dict[str, Any]:
        place = {"objectId": self._object_ids[row["owner_id"]]} if row["owner_type"] == "object" else {}
        return tag_entry(row, self._work.ids.tags, **place)

    def _add_figures(self, is_spatial: bool) -> None:
        rows = [row for row in self._rows("figures") if (row["geometry_type"] in SPATIAL) is is_spatial]
        made_ids = self._work.make_batches(
            rows,
            volumes.FIGURES_BATCH,
            lambda part: self._work.client.volumes.add_figures(
                self._new_id, [self._figure_entry(row) for row in part]
            ),
            lambda: self._figure_ids(is_spatial),
            "figures",
        )
        if is_spatial:
            self._work.client.volumes.upload_spatial_geometries(dict(self._files(rows, made_ids)))

    def _figure_ids(self, is_spatial: bool) -> Iterator[int]:
        for plane, _, figure in figures_of(self._annotation()):
            if (plane is None) is is_spatial:
                yield figure["id"]

    def _figure_entry(self, row: Row) -> dict[str, Any]:
        object_id = self._object_ids[row["src_object_id"]]
        return figure_entry(row, objectId=object_id, entityId=self._new_id, **_place(row))

    def _files(self, rows: Sequence[Row], new_ids: Sequence[int]) -> Iterator[tuple[int, Path]]:
        for row, new_id in zip(rows, new_ids, strict=True):
            path = self._work.plan.snapshot.mask_path(row["src_figure_id"])
            if path.exists():
                yield new_id, path


def _rows(volume: ItemBatch) -> dict[str, pa.Table]:
    """Read what hangs on a volume; not in threads, which share what is held of the tables."""
    return {table: volume.table(table) for table in ("objects", "tags", "figures")}


def _place(row: Row) -> dict[str, Any]:
    meta = json_value(row["meta"]) or {}
    if row["geometry_type"] in SPATIAL:
        # The official client names a tool for masks alone, and the platform knows none for meshes.
        tool = {"tool": MASK_3D} if row["geometry_type"] == MASK_3D else {}
        return {**tool, "meta": meta}
    place = {
        "sliceIndex": row["slice_index"],
        "planeName": row["plane_name"],
        "normal": NORMALS[row["plane_name"]],
    }
    return {"geometry": json_raw(row["geometry_json"]), "meta": {**meta, **place}}
