"""The tables of videos."""

from __future__ import annotations

from airflow_sv_versioning.snapshot.schemas.common import DATASETS, TAGS_OF_OBJECTS, objects_of
from airflow_sv_versioning.snapshot.schemas.table import Clustering, Table

TABLES = {
    "datasets": DATASETS,
    "videos": Table(
        {
            "src_video_id": "int64",
            "src_dataset_id": "int64",
            "name": "string",
            "hash": "string",
            "link": "string",
            "frames_count": "int32",
            "frame_width": "int32",
            "frame_height": "int32",
            "frames_to_timecodes": "string",
            "meta": "string",
            "custom_data": "string",
            "created_at": "string",
            "updated_at": "string",
            "description": "string",
            # Beyond the official columns: bytes of the file.
            "size": "int64",
        },
        required=("src_video_id", "src_dataset_id", "name"),
        item="src_video_id",
        key=("src_video_id",),
    ),
    # Videos may share an object.
    "objects": objects_of("src_video_id"),
    "figures": Table(
        {
            "src_figure_id": "int64",
            "src_object_id": "int64",
            "src_video_id": "int64",
            "frame_index": "int32",
            "geometry_type": "string",
            "geometry_json": "string",
            "meta": "string",
            "track_id": "string",
            "priority": "int32",
            "smart_tool_input": "string",
            "nn_created": "bool_",
            "nn_updated": "bool_",
            "created_at": "string",
            "updated_at": "string",
            # Beyond the official columns.
            "custom_data": "string",
            "description": "string",
            "labeler_login": "string",
        },
        required=("src_object_id", "src_video_id", "frame_index", "geometry_type", "geometry_json"),
        item="src_video_id",
        clustering=Clustering("src_video_id", place="frame_index"),
    ),
    "tags": TAGS_OF_OBJECTS,
}
