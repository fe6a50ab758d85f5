"""The tables of images."""

from __future__ import annotations

from airflow_sv_versioning.snapshot.schemas.common import DATASETS, TAG_COLUMNS
from airflow_sv_versioning.snapshot.schemas.table import Clustering, Table

TABLES = {
    "datasets": DATASETS,
    "images": Table(
        {
            "src_image_id": "int64",
            "src_dataset_id": "int64",
            "parent_src_image_id": "int64",
            "name": "string",
            "hash": "string",
            "link": "string",
            "mime": "string",
            "ext": "string",
            "size": "int64",
            "width": "int32",
            "height": "int32",
            "created_at": "string",
            "updated_at": "string",
            "created_by_id": "int64",
            "description": "string",
            "meta": "string",
            "related_data_id": "int64",
            "download_id": "string",
            "offset_start": "int64",
            "offset_end": "int64",
        },
        required=("src_image_id", "src_dataset_id", "name"),
        item="src_image_id",
        key=("src_image_id",),
    ),
    "figures": Table(
        {
            "src_figure_id": "int64",
            "src_image_id": "int64",
            "src_dataset_id": "int64",
            "class_id": "int64",
            "class_name": "string",
            "geometry_type": "string",
            "geometry_json": "string",
            "geometry_meta_json": "string",
            "meta": "string",
            "priority": "int32",
            "custom_data": "string",
            "created_at": "string",
            "updated_at": "string",
            # Beyond the official columns: who drew the figure, a person or a model, and what was noted of it.
            "nn_created": "bool_",
            "nn_updated": "bool_",
            "description": "string",
            "smart_tool_input": "string",
            # What figures of one image have in common that people bound to each other: in answers, in labels.
            "object_id": "int64",
            "instance": "string",
        },
        required=("src_figure_id", "src_image_id", "class_id", "geometry_type"),
        item="src_image_id",
        key=("src_figure_id",),
        clustering=Clustering("src_image_id"),
    ),
    "alpha_geometries": Table(
        {"src_figure_id": "int64", "geometry_json": "string"},
        required=("src_figure_id", "geometry_json"),
        key=("src_figure_id",),
    ),
    "tags": Table(
        TAG_COLUMNS,
        required=("owner_type", "owner_id", "tag_id"),
        item="src_item_id",
        # Those of images come with the listing, those of figures later.
        clustering=Clustering("owner_id", "owner_type"),
        owner_types=("item", "figure"),
    ),
}
