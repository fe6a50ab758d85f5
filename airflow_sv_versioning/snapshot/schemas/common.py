"""Tables that projects of several types have."""

from __future__ import annotations

from airflow_sv_versioning.snapshot.schemas.table import Clustering, Table

DATASETS = Table(
    {
        "src_dataset_id": "int64",
        "parent_src_dataset_id": "int64",
        "name": "string",
        "full_path": "string",
        "description": "string",
        "custom_data": "string",
    },
    required=("src_dataset_id", "name"),
    key=("src_dataset_id",),
)
TAG_COLUMNS = {
    "tag_assignment_id": "int64",
    "owner_type": "string",
    "owner_id": "int64",
    "src_item_id": "int64",
    "tag_id": "int64",
    "name": "string",
    "value_json": "string",
    "frame_from": "int32",
    "frame_to": "int32",
    "is_finished": "bool_",
    "non_final_value": "bool_",
    "labeler_login": "string",
    "custom_data": "string",
    "created_at": "string",
    "updated_at": "string",
}
TAGS_OF_OBJECTS = Table(
    TAG_COLUMNS,
    required=("owner_type", "owner_id", "src_item_id", "tag_id"),
    item="src_item_id",
    clustering=Clustering("src_item_id"),
    owner_types=("item", "object"),
)
"""Of items and their objects."""


def objects_of(item_column: str) -> Table:
    """Describe the table of annotation objects of items.

    :param item_column: the column with the item's id.
    """
    return Table(
        {
            "src_object_id": "int64",
            item_column: "int64",
            "class_name": "string",
            "key": "string",
            "created_at": "string",
            "updated_at": "string",
            # Beyond the official columns of videos.
            "labeler_login": "string",
        },
        required=("src_object_id", item_column, "class_name"),
        item=item_column,
        key=("src_object_id", item_column),
        clustering=Clustering(item_column),
    )
