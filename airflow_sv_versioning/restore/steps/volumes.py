"""Add the volumes of a plan to their new datasets, and what is annotated on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from airflow_sv_versioning.client import objects, volumes
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.project_types.volumes.masks import MASK_3D, SPATIAL
from airflow_sv_versioning.project_types.volumes.rows import NORMALS, figures_of
from airflow_sv_versioning.restore.steps.tag_entries import tag_entry
from airflow_sv_versioning.restore.work import RestoreWork, Row, description_entry, naming
from airflow_sv_versioning.runtime.exactly_once import all_or_nothing, land_once
from airflow_sv_versioning.snapshot.json_columns import json_value

_COLUMNS = ["src_volume_id", "src_dataset_id", "name", "hash", "link", "meta", "description", "custom_data"]


class VolumesRestore:
    """Add volumes in the order of the snapshot, datasets side by side."""

    def __init__(self, work: RestoreWork) -> None:
        self._work = work

    def run(self) -> None:
        """Add all volumes, with their descriptions."""
        self._work.drain(self._add_dataset, [row["src_dataset_id"] for row in self._work.plan.datasets])

    def _add_dataset(self, dataset_id: int) -> None:
        import pyarrow.compute as pc

        here = pc.field("src_dataset_id") == dataset_id
        if (restored := self._work.plan.restored("src_volume_id")) is not None:
            here &= restored
        for batch in self._work.plan.snapshot.iter_batches("volumes", _COLUMNS, here):
            for part in batches(batch.to_pylist(), volumes.ADD_BATCH):
                total = self._work.plan.counts["volumes"]
                self._work.progress.count("Volumes restored", len(self._work.item_ids), total)
                self._add_batch(self._work.ids.datasets[dataset_id], part)

    def _add_batch(self, new_dataset: int, rows: Sequence[Row]) -> None:
        entries = [self._entry(row) for row in rows]
        names = [entry["name"] for entry in entries]

        def find_landed() -> list[dict[str, Any]] | None:
            found = self._work.client.volumes.list_by_names(new_dataset, names)
            return found if all_or_nothing(len(found), len(names), "volumes") else None

        with naming(f"Volume {rows[0]['name']!r} (id {rows[0]['src_volume_id']}) and {len(rows) - 1} more"):
            added = land_once(lambda: self._work.client.volumes.add(new_dataset, entries), find_landed)
        self._work.take_added(new_dataset, rows, names, added)
        for row, name in zip(rows, names, strict=True):
            self._work.item_names[row["src_volume_id"]] = name
        for new_id, description in self._work.undescribed(rows, names, added):
            self._work.client.volumes.describe(new_id, description)
        self._check_custom_data(new_dataset, rows, names)

    def _entry(self, row: Row) -> dict[str, Any]:
        plan = self._work.plan
        name = plan.new_names.get(row["src_volume_id"], row["name"])
        entry = {"name": name, **plan.reference(row), "meta": json_value(row["meta"]) or {}}
        entry |= description_entry(row)
        custom_data = json_value(row["custom_data"])
        return {**entry, "customData": custom_data} if custom_data else entry

    def _check_custom_data(self, new_dataset: int, rows: Sequence[Row], names: Sequence[str]) -> None:
        """Name the volumes whose custom data the server passed over: no call is known to set it later."""
        wanted = {
            name: (row["src_volume_id"], json_value(row["custom_data"]))
            for row, name in zip(rows, names, strict=True)
            if json_value(row["custom_data"])
        }
        if not wanted:
            return
        for volume in self._work.client.volumes.list_by_names(new_dataset, list(wanted)):
            volume_id, custom_data = wanted[volume["name"]]
            if (stored := volume.get("customData")) != custom_data:
                if not stored:
                    self._work.passed_over.add(volume_id)
                self._work.progress.warn(
                    f"The custom data of volume {volume['name']!r} (id {volume_id}) could not be restored: "
                    f"the server took {stored} for it. The version holds {custom_data}."
                )


class VolumeAnnotationsRestore:
    """Add objects, tags, figures and masks, volumes side by side; on a slice, figures keep their order."""

    def __init__(self, work: RestoreWork) -> None:
        self._work = work

    def run(self) -> None:
        """Add everything that hangs on volumes."""
        self._work.drain(lambda volume_id: _OneVolume(self._work, volume_id).run(), list(self._work.item_ids))


class _OneVolume:
    """The annotation of one volume in the making; nobody else adds to it, so counting tells what landed.

    :ivar object_ids: object id in the snapshot -> new id.
    """

    def __init__(self, work: RestoreWork, volume_id: int) -> None:
        self._work = work
        self._volume_id = volume_id
        self._new_id = work.item_ids[volume_id]
        self._dataset_id = work.item_datasets[volume_id]
        self._object_ids: dict[int, int] = {}
        self._tags_sent = 0
        self._figures: list[int] = []

    def run(self) -> None:
        name = self._work.item_names[self._volume_id]
        with naming(f"The annotation of volume {name!r} (id {self._volume_id})"):
            self._add_objects()
            self._add_tags()
            for is_spatial in (False, True):
                self._add_figures(is_spatial)

    def _rows(self, table: str, column: str = "src_volume_id") -> list[Row]:
        import pyarrow.compute as pc

        rows: list[Row] = self._work.plan.snapshot.read(
            table, where=pc.field(column) == self._volume_id
        ).to_pylist()
        return rows

    def _annotation(self) -> dict[str, Any]:
        return self._work.client.volumes.get_annotations(self._dataset_id, [self._new_id])[0]

    def _add_objects(self) -> None:
        names = self._work.plan.names.classes
        class_ids = {name: self._work.ids.classes[class_id] for class_id, name in names.items()}
        rows = sorted(self._rows("objects"), key=lambda row: row["src_object_id"])
        for part in batches(rows, objects.ADD_BATCH):
            self._work.progress.check()
            entries = [{"classId": class_ids[row["class_name"]], "entityId": self._new_id} for row in part]
            made = self._land_objects(entries)
            self._object_ids.update(zip((row["src_object_id"] for row in part), made, strict=True))

    def _land_objects(self, entries: Sequence[Row]) -> list[int]:
        def find_landed() -> list[int] | None:
            there = {entry["id"] for entry in self._annotation()["objects"]}
            new = sorted(there - set(self._object_ids.values()))
            return new if all_or_nothing(len(new), len(entries), "objects") else None

        return land_once(lambda: self._work.client.objects.add(self._dataset_id, entries), find_landed)

    def _add_tags(self) -> None:
        rows = self._rows("tags", "src_item_id")
        project = {"projectId": self._work.project_id}
        client = self._work.client
        own = [row for row in rows if row["owner_type"] == "item"]
        of_objects = [row for row in rows if row["owner_type"] == "object"]
        self._land_tags(own, lambda tags: client.volumes.add_tags(self._new_id, tags))
        self._land_tags(of_objects, lambda tags: client.objects.add_tags(project, tags))

    def _land_tags(self, rows: Sequence[Row], add: Callable[[Sequence[Row]], None]) -> None:
        for part in batches(rows, volumes.TAGS_BATCH):
            self._work.progress.check()
            entries = [self._tag_entry(row) for row in part]

            def send(entries: Sequence[Row] = entries) -> bool:
                add(entries)
                return True

            def find_landed(expected: int = len(part)) -> bool | None:
                annotation = self._annotation()
                owners = [annotation, *annotation["objects"]]
                landed = sum(len(owner.get("tags") or []) for owner in owners)
                return all_or_nothing(landed - self._tags_sent, expected, "tags") or None

            land_once(send, find_landed)
            self._tags_sent += len(part)

    def _tag_entry(self, row: Row) -> dict[str, Any]:
        place = {"objectId": self._object_ids[row["owner_id"]]} if row["owner_type"] == "object" else {}
        return tag_entry(row, self._work.ids.tags, **place)

    def _add_figures(self, is_spatial: bool) -> None:
        rows = [row for row in self._rows("figures") if (row["geometry_type"] in SPATIAL) is is_spatial]
        for part in batches(rows, volumes.FIGURES_BATCH):
            self._work.progress.check()
            made = self._land_figures([self._figure_entry(row) for row in part])
            self._figures += made
            if is_spatial:
                self._work.client.volumes.upload_spatial_geometries(dict(self._files(part, made)))

    def _land_figures(self, entries: Sequence[Row]) -> list[int]:
        def find_landed() -> list[int] | None:
            there = {figure["id"] for _, _, figure in figures_of(self._annotation())}
            new = sorted(there - set(self._figures))
            return new if all_or_nothing(len(new), len(entries), "figures") else None

        return land_once(lambda: self._work.client.volumes.add_figures(self._new_id, entries), find_landed)

    def _figure_entry(self, row: Row) -> dict[str, Any]:
        return {
            "objectId": self._object_ids[row["src_object_id"]],
            "entityId": self._new_id,
            "geometryType": row["geometry_type"],
            **_place(row),
            **{key: value for key, value in _optional(row) if value is not None},
        }

    def _files(self, rows: Sequence[Row], new_ids: Sequence[int]) -> Iterator[tuple[int, Path]]:
        for row, new_id in zip(rows, new_ids, strict=True):
            path = self._work.plan.snapshot.mask_path(row["src_figure_id"])
            if path.exists():
                yield new_id, path


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
    return {"geometry": json_value(row["geometry_json"]), "meta": {**meta, **place}}


def _optional(row: Row) -> Iterator[tuple[str, Any]]:
    yield "priority", row["priority"]
    yield "customData", json_value(row["custom_data"])
    yield "description", row["description"]
    yield "nnCreated", row["nn_created"]
    yield "nnUpdated", row["nn_updated"]
