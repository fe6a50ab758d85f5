"""The tables of volumes."""

from __future__ import annotations

from airflow_sv_versioning.snapshot.schemas.common import DATASETS, TAGS_OF_OBJECTS, objects_of
from airflow_sv_versioning.snapshot.schemas.table import Clustering, Table

TABLES = {
    "datasets": DATASETS,
    "volumes": Table(
        {
            "src_volume_id": "int64",
            "src_dataset_id": "int64",
            "name": "string",
            "hash": "string",
            "link": "string",
            "mime": "string",
            "ext": "string",
            "size": "int64",
            "created_at": "string",
            "updated_at": "string",
            "description": "string",
            "meta": "string",
            "file_meta": "string",
            "custom_data": "string",
            "path_original": "string",
            "full_storage_url": "string",
            "processing_path": "string",
        },
        required=("src_volume_id", "src_dataset_id", "name"),
        item="src_volume_id",
        key=("src_volume_id",),
    ),
    "objects": objects_of("src_volume_id"),
    "figures": Table(
        {
            "src_figure_id": "int64",
            "src_object_id": "int64",
            "src_volume_id": "int64",
            "key": "string",
            "plane_name": "string",
            "slice_index": "int32",
            "geometry_type": "string",
            "geometry_json": "string",
            "meta": "string",
            "priority": "int32",
            "custom_data": "string",
            "description": "string",
            "nn_created": "bool_",
            "nn_updated": "bool_",
            "labeler_login": "string",
            "created_at": "string",
            "updated_at": "string",
        },
        required=("src_figure_id", "src_object_id", "src_volume_id", "geometry_type"),
        item="src_volume_id",
        key=("src_figure_id",),
        clustering=Clustering("src_volume_id"),
    ),
    "tags": TAGS_OF_OBJECTS,
}
