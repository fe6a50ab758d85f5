"""A video's annotation as the server says it, in JSON text. Source: POST videos.annotations.bulk.info."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.json_columns import json_raw, json_value, optional_json_raw

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 2000


def annotation_text(
    video: Mapping[str, Any],
    objects: Sequence[Mapping[str, Any]],
    figures: pa.Table,
    tags: Sequence[Mapping[str, Any]],
) -> bytearray:
    """Write an annotation, of whose figures only the text is in memory as a whole.

    :param figures: rows in the order of their frames.
    """
    of_objects: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in tags:
        if row["owner_type"] == "object":
            of_objects[row["owner_id"]].append(_tag_json(row))
    head = {
        "videoId": video["src_video_id"],
        "videoName": video["name"],
        "datasetId": video["src_dataset_id"],
        "description": video["description"] or "",
        "size": {"height": video["frame_height"], "width": video["frame_width"]},
        "framesCount": video["frames_count"],
        "tags": [_tag_json(row) for row in tags if row["owner_type"] == "item"],
        "objects": [_object_json(row, of_objects[row["src_object_id"]]) for row in objects],
    }
    text = bytearray(json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode())
    text[-1:] = b',"frames":['
    for part in _frame_parts(figures):
        text += part
    text += b"]}"
    return text


def object_tags_text(tags: Sequence[Mapping[str, Any]], object_id: int) -> str:
    """Write the tags of one object."""
    return json.dumps(
        [_tag_json(row) for row in tags if row["owner_type"] == "object" and row["owner_id"] == object_id]
    )


def _frame_parts(figures: pa.Table) -> Iterator[bytes]:
    import msgspec

    end = b""
    for index, rows in groupby(_rows(figures), key=lambda row: row["frame_index"]):
        yield end + b'{"index":%d,"figures":' % index
        between = b"["
        for row in rows:
            yield between + msgspec.json.encode(_figure_json(row))
            between = b","
        end = b"]},"
    yield end.removesuffix(b",")


def _rows(figures: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in figures.to_batches(_ROWS_AT_ONCE):
        yield from batch.to_pylist()


def _object_json(row: Mapping[str, Any], tags: Sequence[dict[str, Any]]) -> dict[str, Any]:
    members = {
        "id": row["src_object_id"],
        "key": row["key"],
        "classTitle": row["class_name"],
        "labelerLogin": row["labeler_login"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "tags": list(tags),
    }
    return {key: value for key, value in members.items() if value is not None}


def _figure_json(row: Mapping[str, Any]) -> dict[str, Any]:
    members = {
        "id": row["src_figure_id"],
        "objectId": row["src_object_id"],
        "geometryType": row["geometry_type"],
        "geometry": json_raw(row["geometry_json"]),
        "meta": optional_json_raw(row["meta"]),
        "trackId": row["track_id"],
        "priority": row["priority"],
        "smartToolInput": optional_json_raw(row["smart_tool_input"]),
        "nnCreated": row["nn_created"],
        "nnUpdated": row["nn_updated"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "customData": optional_json_raw(row["custom_data"]),
        "description": row["description"],
        "labelerLogin": row["labeler_login"],
    }
    return {key: value for key, value in members.items() if value is not None}


def _tag_json(row: Mapping[str, Any]) -> dict[str, Any]:
    members = {
        "id": row["tag_assignment_id"],
        "tagId": row["tag_id"],
        "name": row["name"],
        "value": json_value(row["value_json"]),
        "frameRange": None if row["frame_from"] is None else [row["frame_from"], row["frame_to"]],
        "isFinished": row["is_finished"],
        "nonFinalValue": row["non_final_value"],
        "labelerLogin": row["labeler_login"],
        "customData": json_value(row["custom_data"]),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }
    return {key: value for key, value in members.items() if value is not None}
