"""What the platform says of videos and their annotations, as rows of the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.project_types.base import Names
from airflow_sv_versioning.project_types.keys import key_of
from airflow_sv_versioning.snapshot.json_columns import json_text, raw_text
from airflow_sv_versioning.snapshot.tables import BATCH_ROWS
from airflow_sv_versioning.snapshot.writer import table_of

if TYPE_CHECKING:
    import pyarrow as pa

    from airflow_sv_versioning.client.video_annotations import VideoAnnotation, VideoFigure

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
        "class_name": names.class_of(entry),
        # The official restore joins objects that several videos share by this, and by nothing else.
        "key": entry.get("key") or key_of("object", entry["id"]),
        "created_at": entry.get("createdAt"),
        "updated_at": entry.get("updatedAt"),
        "labeler_login": entry.get("labelerLogin"),
    }


def object_rows(annotation: Mapping[str, Any], video_id: int, names: Names) -> list[Row]:
    """Make the rows of an annotation's objects."""
    return [object_row(entry, video_id, names) for entry in annotation.get("objects") or []]


def figure_tables(annotation: VideoAnnotation, video_id: int) -> Iterator[pa.Table]:
    """Stream the rows of an annotation's figures, frame by frame, a few thousand in memory at a time."""
    remaining = annotation.iter_figures()
    while part := list(islice(remaining, BATCH_ROWS)):
        yield _figure_table(part, video_id)


def _figure_table(part: Sequence[tuple[int, VideoFigure]], video_id: int) -> pa.Table:
    figures = [figure for _, figure in part]
    columns: dict[str, Sequence[Any]] = {
        "src_figure_id": [figure.id for figure in figures],
        "src_object_id": [figure.object_id for figure in figures],
        "src_video_id": [video_id] * len(figures),
        "frame_index": [frame for frame, _ in part],
        "geometry_type": [figure.geometry_type for figure in figures],
        # Unlike other columns, an empty geometry is no null.
        "geometry_json": [bytes(figure.geometry) for figure in figures],
        "meta": [raw_text(figure.meta) for figure in figures],
        "track_id": [None if figure.track_id is None else str(figure.track_id) for figure in figures],
        "priority": [figure.priority for figure in figures],
        "smart_tool_input": [raw_text(figure.smart_tool_input) for figure in figures],
        "nn_created": [figure.nn_created for figure in figures],
        "nn_updated": [figure.nn_updated for figure in figures],
        "created_at": [figure.created_at for figure in figures],
        "updated_at": [figure.updated_at for figure in figures],
        "custom_data": [raw_text(figure.custom_data) for figure in figures],
        "description": [figure.description or None for figure in figures],
        "labeler_login": [figure.labeler_login for figure in figures],
    }
    return table_of("videos", "figures", columns)
