"""What the platform says of videos and their annotations, as rows of the tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from airflow_sv_versioning.snapshot.kinds.kind import Names
from airflow_sv_versioning.snapshot.tables import json_text

Row = dict[str, Any]


def video_row(video: Mapping[str, Any]) -> Row:
    """Make the row of a video. Source: POST videos.list."""
    file = video.get("fileMeta") or {}
    size = file.get("size")
    return {
        "src_video_id": video["id"],
        "src_dataset_id": video["datasetId"],
        "name": video["name"],
        "hash": video.get("hash"),
        "link": video.get("link"),
        "frames_count": file.get("framesCount"),
        "frame_width": file.get("width"),
        "frame_height": file.get("height"),
        "frames_to_timecodes": json_text(file.get("framesToTimecodes")),
        "meta": json_text(video.get("meta")),
        "custom_data": json_text(video.get("customData")),
        "created_at": video.get("createdAt"),
        "updated_at": video.get("updatedAt"),
        "description": video.get("description"),
        "size": None if size is None else int(size),
    }


def object_row(entry: Mapping[str, Any], video_id: int, names: Names) -> Row:
    """Make the row of an object. Source: POST videos.annotations.bulk.info."""
    return {
        "src_object_id": entry["id"],
        "src_video_id": video_id,
        "class_name": entry.get("classTitle") or names.classes.get(entry.get("classId") or 0),
        # The official restore joins objects that several videos share by this, and by nothing else.
        "key": entry.get("key") or uuid5(NAMESPACE_OID, f"object:{entry['id']}").hex,
        "created_at": entry.get("createdAt"),
        "updated_at": entry.get("updatedAt"),
        "labeler_login": entry.get("labelerLogin"),
    }


def figure_row(figure: Mapping[str, Any], video_id: int, frame: int) -> Row:
    """Make the row of a figure. Source: POST videos.annotations.bulk.info."""
    track_id = figure.get("trackId")
    return {
        "src_figure_id": figure.get("id"),
        "src_object_id": figure["objectId"],
        "src_video_id": video_id,
        "frame_index": frame,
        "geometry_type": figure["geometryType"],
        # Unlike other columns, an empty geometry is no null.
        "geometry_json": json.dumps(figure.get("geometry"), ensure_ascii=False, separators=(",", ":")),
        "meta": json_text(figure.get("meta")),
        "track_id": None if track_id is None else str(track_id),
        "priority": figure.get("priority"),
        "smart_tool_input": json_text(figure.get("smartToolInput")),
        "nn_created": figure.get("nnCreated"),
        "nn_updated": figure.get("nnUpdated"),
        "created_at": figure.get("createdAt"),
        "updated_at": figure.get("updatedAt"),
        "custom_data": json_text(figure.get("customData")),
        "description": figure.get("description") or None,
        "labeler_login": figure.get("labelerLogin"),
    }


def object_rows(annotation: Mapping[str, Any], video_id: int, names: Names) -> list[Row]:
    """Make the rows of an annotation's objects."""
    return [object_row(entry, video_id, names) for entry in annotation.get("objects") or []]


def figure_rows(annotation: Mapping[str, Any], video_id: int) -> Iterator[Row]:
    """Stream the rows of an annotation's figures, frame by frame."""
    for frame in annotation.get("frames") or []:
        for figure in frame.get("figures") or []:
            yield figure_row(figure, video_id, frame["index"])
