"""Where the figures of a volume are: on a slice of one of three planes, or in space."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from airflow_sv_versioning.server.behaviour.access import check_all_found
from airflow_sv_versioning.server.database import Reader, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import loads

NORMALS = {
    "sagittal": {"x": 1, "y": 0, "z": 0},
    "coronal": {"x": 0, "y": 1, "z": 0},
    "axial": {"x": 0, "y": 0, "z": 1},
}
"""Plane -> the axis it stands on, in the order of annotations."""
AXES = {"sagittal": 0, "coronal": 1, "axial": 2}
"""Plane -> the axis of the voxels that its slices are numbered along."""
SPATIAL = frozenset({"mask_3d", "closed_surface_mesh"})
"""Geometry types that fill space instead of lying on a slice."""
Sizes = tuple[int, int, int]
Axes = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Volume:
    """What has to be known of a volume to place something in it.

    :param sizes: voxels along x, y and z.
    :param axes: for each axis the direction it has in space, if the meta tells it.
    """

    id: int
    name: str
    sizes: Sizes
    axes: Axes | None = None

    @property
    def label(self) -> str:
        """The volume as messages name it."""
        return f"volume {self.id} {self.name!r}"


def volumes_among(db: Reader, item_ids: Collection[int]) -> dict[int, Volume]:
    """Id -> volume; items of other types of projects are left out."""
    rows = db.all(
        "SELECT items.id, items.name, items.meta, items.file_meta FROM items "  # noqa: S608
        "JOIN datasets ON datasets.id = items.dataset_id JOIN projects ON projects.id = datasets.project_id "
        f"WHERE projects.type = 'volumes' AND {in_list('items.id')}",
        (json_list(item_ids),),
    )
    return {row["id"]: _volume(row) for row in rows}


def get_volume(db: Reader, volume_id: int) -> Volume:
    """One volume.

    :raises NotFoundError: there is none with this id.
    """
    found = volumes_among(db, [volume_id])
    check_all_found("Volume", [volume_id], found)
    return found[volume_id]


def _volume(row: sqlite3.Row) -> Volume:
    meta = loads(row["meta"], {})
    sizes = given_sizes(meta) or tuple(loads(row["file_meta"])["sizes"])
    return Volume(row["id"], row["name"], sizes, _given_axes(meta))


def _given_axes(meta: Mapping[str, Any]) -> Axes | None:
    numbers = meta.get("directions")
    if not isinstance(numbers, list) or len(numbers) != 9 or not all(map(is_number, numbers)):
        return None
    axes = [numbers[axis::3] for axis in range(3)]
    return axes if are_axes(axes) else None


def are_axes(vectors: Any) -> TypeGuard[Axes]:
    """Say whether these are three vectors in space that lead somewhere."""
    if not vectors or len(vectors) != 3:
        return False
    return all(vector and len(vector) == 3 and any(vector) for vector in vectors)


def along_space(sizes: Sequence[int], axes: Axes) -> list[int]:
    """Order sizes by what the axes follow most closely: left and right, front and back, up and down."""
    closeness = {
        (axis, direction): abs(part) / math.hypot(*vector)
        for axis, vector in enumerate(axes)
        for direction, part in enumerate(vector)
    }
    ordered = [0, 0, 0]
    while closeness:
        axis, direction = max(closeness, key=lambda pair: (closeness[pair], pair))
        ordered[direction] = sizes[axis]
        closeness = {
            pair: close for pair, close in closeness.items() if axis != pair[0] and direction != pair[1]
        }
    return ordered


def given_sizes(meta: Mapping[str, Any]) -> Sizes | None:
    """The voxels along each axis, if the meta tells them."""
    dimensions = meta.get("dimensionsIJK")
    if not isinstance(dimensions, Mapping):
        return None
    x, y, z = (dimensions.get(axis) for axis in "xyz")
    if not (_is_size(x) and _is_size(y) and _is_size(z)):
        return None
    return int(x or 0), int(y or 0), int(z or 0)


def placed_meta(volume: Volume, figure: Mapping[str, Any], geometry_type: str) -> dict[str, Any]:
    """A figure's meta with ``sliceIndex``, ``planeName`` and ``normal``; all ``None`` for one in space.

    :raises RequestRejectedError: unknown plane, or a slice that the volume does not have.
    """
    meta = dict(figure.get("meta") or {})
    if geometry_type in SPATIAL:
        return {**meta, "sliceIndex": None, "planeName": None, "normal": None}
    plane = plane_of(volume, meta)
    index = check_slice(volume, plane, meta.get("sliceIndex"), "A figure")
    return {**meta, "sliceIndex": index, "planeName": plane, "normal": NORMALS[plane]}


def plane_of(volume: Volume, place: Mapping[str, Any]) -> str:
    """The plane that is named with ``planeName``, or given with its ``normal``.

    :raises RequestRejectedError: there is no such plane, or the two contradict each other.
    """
    name, normal = place.get("planeName"), place.get("normal")
    by_normal = next((plane for plane, known in NORMALS.items() if normal == known), None)
    plane = by_normal if name is None else name
    if not isinstance(plane, str) or plane not in NORMALS or (normal is not None and by_normal != plane):
        given = f"planeName {name!r}, normal {normal!r}"
        raise bad_request(
            f"There is no such plane in {volume.label}: {given}; planes: {', '.join(NORMALS)}",
            type="UNKNOWN_PLANE",
            entityId=volume.id,
            planeName=name,
        )
    return plane


def check_slice(volume: Volume, plane: str, index: Any, what: str) -> int:
    """The number of a slice, if the volume has it on that plane."""
    count = volume.sizes[AXES[plane]]
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < count:
        return index
    raise bad_request(
        f"{what} is on {plane} slice {index!r}, which {volume.label} does not have: "
        f"it has {count} {plane} slices, 0 to {count - 1}",
        type="SLICE_OUT_OF_RANGE",
        entityId=volume.id,
        planeName=plane,
        sliceIndex=index,
    )


def is_number(value: Any) -> TypeGuard[float]:
    """Say whether a JSON value is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_size(value: Any) -> bool:
    return is_number(value) and bool(value >= 1 and value % 1 == 0)
