"""Checks that annotations of volumes refer to what the snapshot holds, before anything is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.base import Names
from airflow_sv_versioning.project_types.volumes.masks import MASK_3D, MESH, misfit
from airflow_sv_versioning.project_types.volumes.rows import NORMALS
from airflow_sv_versioning.snapshot.json_columns import json_value
from airflow_sv_versioning.snapshot.tables import Snapshot, values
from airflow_sv_versioning.snapshot.validation import check_known, distinct

Row = dict[str, Any]
_AXES = {"sagittal": "x", "coronal": "y", "axial": "z"}


def check_volumes(snapshot: Snapshot, paths: Mapping[int, str], names: Names) -> None:
    """Check classes and objects, that planes and slices exist, and that masks have their volume's sizes.

    :raises FormatError: with the name and id of the first volume where something is wrong.
    """
    columns = ["src_volume_id", "src_dataset_id", "name", "meta"]
    volumes = snapshot.read("volumes", columns).to_pylist()
    ids = [row["src_volume_id"] for row in volumes]
    for table, column in (
        ("objects", "src_volume_id"),
        ("figures", "src_volume_id"),
        ("tags", "src_item_id"),
    ):
        check_known(f"volumes of {table}", distinct(snapshot, table, column), ids)
    check_known("classes of objects", distinct(snapshot, "objects", "class_name"), names.classes.values())
    _Checks(snapshot, volumes, paths).run()


class _Checks:
    def __init__(self, snapshot: Snapshot, volumes: Sequence[Row], paths: Mapping[int, str]) -> None:
        self._snapshot = snapshot
        self._labels = {
            row["src_volume_id"]: f"volume '{paths[row['src_dataset_id']]}/{row['name']}' "
            f"(id {row['src_volume_id']})"
            for row in volumes
        }
        metas = {
            row["src_volume_id"]: meta if isinstance(meta := json_value(row["meta"]), dict) else {}
            for row in volumes
        }
        self._sizes = {volume_id: _sizes(meta) for volume_id, meta in metas.items()}
        self._directions = {volume_id: meta.get("directions") for volume_id, meta in metas.items()}
        objects = snapshot.read("objects", ["src_volume_id", "src_object_id"])
        self._objects = set(
            zip(values(objects, "src_volume_id"), values(objects, "src_object_id"), strict=True)
        )

    def run(self) -> None:
        columns = ["src_figure_id", "src_object_id", "src_volume_id", "plane_name", "slice_index"]
        for row in self._snapshot.iter_rows("figures", [*columns, "geometry_type"]):
            self._check_figure(row)
        for row in self._snapshot.iter_rows("tags", ["owner_type", "owner_id", "src_item_id", "name"]):
            self._check_tag(row)

    def _check_figure(self, row: Row) -> None:
        volume_id, what = row["src_volume_id"], f"figure {row['src_figure_id']}"
        if (volume_id, row["src_object_id"]) not in self._objects:
            self._refuse(volume_id, f"{what} is of object {row['src_object_id']}, which the volume lacks")
        if row["geometry_type"] == MASK_3D:
            self._check_mask(row, what)
        elif row["geometry_type"] == MESH:
            return
        elif row["plane_name"] not in NORMALS:
            self._refuse(
                volume_id, f"{what} is on plane {row['plane_name']!r}; planes are {', '.join(NORMALS)}"
            )
        else:
            self._check_slice(row, what)

    def _check_slice(self, row: Row, what: str) -> None:
        sizes = self._sizes[row["src_volume_id"]]
        count = sizes[_AXES[row["plane_name"]]] if sizes else None
        index = row["slice_index"]
        if index is None or index < 0 or (count is not None and index >= count):
            self._refuse(
                row["src_volume_id"],
                f"{what} is on {row['plane_name']} slice {index}, but the volume has {count} of them",
            )

    def _check_mask(self, row: Row, what: str) -> None:
        path, volume_id = self._snapshot.mask_path(row["src_figure_id"]), row["src_volume_id"]
        sizes = self._sizes[volume_id]
        if not path.exists() or not sizes:
            return
        expected = tuple(sizes.values())
        label = f"The mask of {what} of {self._labels[volume_id]}"
        if mask_sizes := misfit(path, expected, self._directions[volume_id], label):
            self._refuse(
                volume_id,
                f"the mask of {what} has {_times(mask_sizes)} voxels, the volume {_times(expected)}",
            )

    def _check_tag(self, row: Row) -> None:
        if row["owner_type"] == "object" and (row["src_item_id"], row["owner_id"]) not in self._objects:
            self._refuse(
                row["src_item_id"],
                f"a tag {row['name']!r} is on object {row['owner_id']}, which the volume lacks",
            )

    def _refuse(self, volume_id: int, what: str) -> None:
        raise FormatError(
            f"The annotation of {self._labels[volume_id]} cannot be restored: {what}. Nothing was created.",
            volume_id=volume_id,
        )


def _sizes(meta: Mapping[str, Any]) -> dict[str, int] | None:
    dimensions = meta.get("dimensionsIJK")
    if not isinstance(dimensions, dict):
        return None
    try:
        return {axis: int(dimensions[axis]) for axis in "xyz"}
    except (KeyError, TypeError, ValueError):
        return None


def _times(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes))
