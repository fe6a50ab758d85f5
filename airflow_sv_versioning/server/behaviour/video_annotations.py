"""Video annotations: a video's tags, objects and figures as one document, frame by frame."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_items
from airflow_sv_versioning.server.behaviour.annotation_objects import objects_json
from airflow_sv_versioning.server.behaviour.figures import geometry_text
from airflow_sv_versioning.server.behaviour.tags import tags_of_items
from airflow_sv_versioning.server.database import Reader
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import JsonText, array, merge

_FIGURES = """
SELECT figures.id, figures.object_id, figures.frame, figures.geometry_type, figures.geometry, figures.meta,
    figures.priority, figures.nn_created, figures.nn_updated, figures.track_id, figures.smart_tool_input,
    figures.created_at, figures.updated_at, users.login
FROM figures LEFT JOIN users ON users.id = figures.created_by
WHERE figures.item_id = ? ORDER BY figures.frame, figures.id
"""


def annotations_of(
    db: Reader, dataset_id: int | None, video_ids: Sequence[int], *, integer_coords: bool
) -> Iterator[JsonText]:
    """The annotations of videos in the order asked for, one in memory at a time.

    :raises NotFoundError: one of the videos does not exist.
    :raises RequestRejectedError: one of them is in another dataset.
    """
    rows = get_items(db, video_ids)
    strangers = sorted(row["id"] for row in rows if dataset_id not in (None, row["dataset_id"]))
    if strangers:
        raise bad_request(f"Videos {strangers} are not in dataset {dataset_id}")
    return (_annotation(db, row, integer_coords) for row in rows)


def _annotation(db: Reader, row: sqlite3.Row, integer_coords: bool) -> JsonText:
    plain = {
        "videoId": row["id"],
        "videoName": row["name"],
        "datasetId": row["dataset_id"],
        "description": row["description"],
        "size": {"height": row["height"], "width": row["width"]},
        "framesCount": row["frames_count"],
        "tags": [_tag_json(tag) for tag in tags_of_items(db, [row["id"]]).get(row["id"], [])],
        "objects": objects_json(db, row, _tag_json),
    }
    return merge(plain, {"frames": _frames(db, row["id"], integer_coords)})


def _tag_json(tag: dict[str, Any]) -> dict[str, Any]:
    return {"isFinished": True, "nonFinalValue": False, **tag}


def _frames(db: Reader, item_id: int, integer_coords: bool) -> JsonText:
    rows = db.all(_FIGURES, (item_id,))
    return array(
        merge({"index": index}, {"figures": array(_figure(row, integer_coords) for row in figures)})
        for index, figures in groupby(rows, key=lambda row: row["frame"])
    )


def _figure(row: sqlite3.Row, integer_coords: bool) -> JsonText:
    plain = {
        "id": row["id"],
        "objectId": row["object_id"],
        "geometryType": row["geometry_type"],
        "nnCreated": bool(row["nn_created"]),
        "nnUpdated": bool(row["nn_updated"]),
        "priority": row["priority"],
        "trackId": row["track_id"],
        "labelerLogin": row["login"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }
    stored = {
        "geometry": geometry_text(row, integer_coords),
        "meta": row["meta"],
        "smartToolInput": row["smart_tool_input"],
    }
    return merge(plain, stored)
