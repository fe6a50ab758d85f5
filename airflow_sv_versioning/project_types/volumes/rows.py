"""What the platform, and archives, say of volumes and their annotations, as rows of the tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.base import Names
from airflow_sv_versioning.project_types.keys import key_of
from airflow_sv_versioning.project_types.volumes.masks import SPATIAL
from airflow_sv_versioning.snapshot.json_columns import json_text

Row = dict[str, Any]

NORMALS = {
    "sagittal": {"x": 1, "y": 0, "z": 0},
    "coronal": {"x": 0, "y": 1, "z": 0},
    "axial": {"x": 0, "y": 0, "z": 1},
}
"""Name of a plane -> the axis it stands on, in the order of annotations."""
# Who made a geometry and which one it was: facts about the source, not part of the shape.
_ORIGIN_OF_GEOMETRY = {"id", "classId", "labelerLogin", "createdAt", "updatedAt"}
_PLACE = {"sliceIndex", "planeName", "normal"}


def volume_row(volume: Mapping[str, Any]) -> Row:
    """Make the row of a volume. Source: POST volumes.list."""
    size = volume.get("size")
    return {
        "src_volume_id": volume["id"],
        "src_dataset_id": volume["datasetId"],
        "name": volume["name"],
        "hash": volume.get("hash"),
        "link": volume.get("link"),
        "mime": volume.get("mime"),
        "ext": volume.get("ext"),
        "size": None if size is None else int(size),
        "created_at": volume.get("createdAt"),
        "updated_at": volume.get("updatedAt"),
        "description": volume.get("description") or None,
        "meta": json_text(volume.get("meta")),
        "file_meta": json_text(volume.get("fileMeta")),
        "custom_data": json_text(volume.get("customData")),
        "path_original": volume.get("pathOriginal"),
        "full_storage_url": volume.get("fullStorageUrl"),
        "processing_path": volume.get("processingPath"),
    }


def object_rows(annotation: Mapping[str, Any], volume_id: int, names: Names) -> list[Row]:
    """Make the rows of an annotation's objects. Source: POST volumes.annotations.bulk.info."""
    return [
        {
            "src_object_id": entry["id"],
            "src_volume_id": volume_id,
            "class_name": names.class_of(entry),
            "key": entry.get("key") or key_of("object", entry["id"]),
            "created_at": entry.get("createdAt"),
            "updated_at": entry.get("updatedAt"),
            "labeler_login": entry.get("labelerLogin"),
        }
        for entry in annotation.get("objects") or []
    ]


def figures_of(annotation: Mapping[str, Any]) -> Iterator[tuple[str | None, int | None, dict[str, Any]]]:
    """Go through the figures of an annotation, each with plane and slice, or ``None`` for one in space."""
    for plane in annotation.get("planes") or []:
        for piece in plane.get("slices") or []:
            for figure in piece.get("figures") or []:
                yield plane["name"], piece["index"], figure
    for figure in annotation.get("spatialFigures") or []:
        yield None, None, figure


def check_planes(annotation: Mapping[str, Any], what: str) -> None:
    """Refuse figures on planes that no volume has.

    :param what: how messages name the annotation.
    :raises FormatError: there are some.
    """
    for plane in annotation.get("planes") or []:
        if plane["name"] not in NORMALS:
            raise FormatError(f"{what} has a plane {plane['name']!r}; planes are {', '.join(NORMALS)}.")


def figure_rows(annotation: Mapping[str, Any], volume_id: int) -> list[Row]:
    """Make the rows of an annotation's figures; the voxels of masks go elsewhere."""
    return [_figure_row(figure, volume_id, plane, index) for plane, index, figure in figures_of(annotation)]


def _figure_row(figure: Mapping[str, Any], volume_id: int, plane: str | None, index: int | None) -> Row:
    geometry = {
        key: value for key, value in (figure.get("geometry") or {}).items() if key not in _ORIGIN_OF_GEOMETRY
    }
    meta = {key: value for key, value in (figure.get("meta") or {}).items() if key not in _PLACE}
    return {
        "src_figure_id": figure["id"],
        "src_object_id": figure["objectId"],
        "src_volume_id": volume_id,
        "key": figure.get("key") or key_of("figure", figure["id"]),
        "plane_name": plane,
        "slice_index": index,
        "geometry_type": figure["geometryType"],
        "geometry_json": (
            None
            if figure["geometryType"] in SPATIAL
            else json.dumps(geometry, ensure_ascii=False, separators=(",", ":"))
        ),
        "meta": json_text(meta),
        "priority": figure.get("priority"),
        "custom_data": json_text(figure.get("customData")),
        "description": figure.get("description") or None,
        "nn_created": figure.get("nnCreated"),
        "nn_updated": figure.get("nnUpdated"),
        "labeler_login": figure.get("labelerLogin"),
        "created_at": figure.get("createdAt"),
        "updated_at": figure.get("updatedAt"),
    }
