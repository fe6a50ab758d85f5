"""Volume annotations: a volume's tags, objects and figures as one document, plane by plane."""

from __future__ import annotations

import sqlite3
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from airflow_sv_versioning.server.behaviour.access import check_all_found, get_items
from airflow_sv_versioning.server.behaviour.annotation_objects import objects_json
from airflow_sv_versioning.server.behaviour.figures import geometry_text
from airflow_sv_versioning.server.behaviour.planes import NORMALS, volumes_among
from airflow_sv_versioning.server.behaviour.tags import tags_of_items
from airflow_sv_versioning.server.database import Reader
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import JsonText, array, merge

_FIGURES = """
SELECT figures.*, users.login, json_extract(figures.meta, '$.planeName') AS plane
FROM figures LEFT JOIN users ON users.id = figures.created_by
WHERE figures.item_id = ? ORDER BY figures.frame, figures.id
"""
_NOT_INLINE = "{}"


def annotations_of(
    db: Reader, dataset_id: int | None, volume_ids: Sequence[int], *, integer_coords: bool
) -> Iterator[JsonText]:
    """The annotations of volumes in the order asked for, one in memory at a time.

    :raises NotFoundError: one of the volumes does not exist.
    :raises RequestRejectedError: one of them is in another dataset.
    """
    check_all_found("Volume", volume_ids, volumes_among(db, volume_ids))
    rows = get_items(db, volume_ids)
    strangers = sorted(row["id"] for row in rows if dataset_id not in (None, row["dataset_id"]))
    if strangers:
        raise bad_request(f"Volumes {strangers} are not in dataset {dataset_id}", entityIds=strangers)
    return (_annotation(db, row, integer_coords) for row in rows)


def key_of(kind: str, entity_id: int) -> str:
    """The key of an entity: 32 hexadecimal digits that are always the same for the same entity."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{kind}/{entity_id}").hex


def _annotation(db: Reader, row: sqlite3.Row, integer_coords: bool) -> JsonText:
    plain = {
        "volumeId": row["id"],
        "volumeName": row["name"],
        "datasetId": row["dataset_id"],
        "description": row["description"],
        "key": key_of("volume", row["id"]),
        "tags": [_tag_json(tag) for tag in tags_of_items(db, [row["id"]]).get(row["id"], [])],
        "objects": [
            {"key": key_of("object", shown["id"]), **shown} for shown in objects_json(db, row, _tag_json)
        ],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }
    by_plane: dict[str | None, list[sqlite3.Row]] = defaultdict(list)
    for figure in db.all(_FIGURES, (row["id"],)):
        by_plane[figure["plane"]].append(figure)
    figures = {
        # A plane without figures is not there. Source: the SDK's docstrings, which hold a real answer.
        "planes": array(_plane(name, by_plane[name], integer_coords) for name in NORMALS if name in by_plane),
        "spatialFigures": array(_figure(figure, integer_coords) for figure in by_plane[None]),
    }
    return merge(plain, {"volumeMeta": row["meta"], **figures})


def _tag_json(tag: dict[str, Any]) -> dict[str, Any]:
    return {"key": key_of("tag", tag["id"]), **tag}


def _plane(name: str, figures: Sequence[sqlite3.Row], integer_coords: bool) -> JsonText:
    slices = array(
        merge({"index": index}, {"figures": array(_figure(row, integer_coords) for row in rows)})
        for index, rows in groupby(figures, key=lambda row: row["frame"])
    )
    return merge({"name": name, "normal": NORMALS[name]}, {"slices": slices})


def _figure(row: sqlite3.Row, integer_coords: bool) -> JsonText:
    plain = {
        "id": row["id"],
        "key": key_of("figure", row["id"]),
        "objectId": row["object_id"],
        "objectKey": key_of("object", row["object_id"]),
        "geometryType": row["geometry_type"],
        "nnCreated": bool(row["nn_created"]),
        "nnUpdated": bool(row["nn_updated"]),
        "priority": row["priority"],
        "labelerLogin": row["login"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }
    stored = {
        "geometry": geometry_text(row, integer_coords) or _NOT_INLINE,
        "meta": row["meta"],
        "customData": row["custom_data"],
    }
    return merge(plain, stored)
