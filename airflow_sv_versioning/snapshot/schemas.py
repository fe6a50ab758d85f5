"""The columns of a snapshot's tables, those of the newest official columnar format and a few more.

Columns beyond the official ones are marked; the official reader selects columns by name and ignores them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_DATASETS = {
    "src_dataset_id": "int64",
    "parent_src_dataset_id": "int64",
    "name": "string",
    "full_path": "string",
    "description": "string",
    "custom_data": "string",
}
_TAGS = {
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
_IMAGES = {
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
}
_IMAGE_FIGURES = {
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
    # What figures of one image have in common that people bound to each other: in answers, and in labels.
    "object_id": "int64",
    "instance": "string",
}
_ALPHA_GEOMETRIES = {"src_figure_id": "int64", "geometry_json": "string"}

_VIDEOS = {
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
}
_OBJECTS = {
    "src_object_id": "int64",
    "src_video_id": "int64",
    "class_name": "string",
    "key": "string",
    "created_at": "string",
    "updated_at": "string",
    # Beyond the official columns.
    "labeler_login": "string",
}
_VIDEO_FIGURES = {
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
}

_VOLUMES = {
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
}
_VOLUME_OBJECTS = {
    "src_object_id": "int64",
    "src_volume_id": "int64",
    "class_name": "string",
    "key": "string",
    "created_at": "string",
    "updated_at": "string",
    "labeler_login": "string",
}
_VOLUME_FIGURES = {
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
}

_COLUMNS: dict[str, dict[str, dict[str, str]]] = {
    "images": {
        "datasets": _DATASETS,
        "images": _IMAGES,
        "figures": _IMAGE_FIGURES,
        "alpha_geometries": _ALPHA_GEOMETRIES,
        "tags": _TAGS,
    },
    "videos": {
        "datasets": _DATASETS,
        "videos": _VIDEOS,
        "objects": _OBJECTS,
        "figures": _VIDEO_FIGURES,
        "tags": _TAGS,
    },
    "volumes": {
        "datasets": _DATASETS,
        "volumes": _VOLUMES,
        "objects": _VOLUME_OBJECTS,
        "figures": _VOLUME_FIGURES,
        "tags": _TAGS,
    },
}

# Columns without which a table says nothing; every row has them. Source: the least that SDK 6.74.51 restores.
_REQUIRED: dict[str, dict[str, tuple[str, ...]]] = {
    "images": {
        "datasets": ("src_dataset_id", "name"),
        "images": ("src_image_id", "src_dataset_id", "name"),
        "figures": ("src_figure_id", "src_image_id", "class_id", "geometry_type"),
        "alpha_geometries": ("src_figure_id", "geometry_json"),
        "tags": ("owner_type", "owner_id", "tag_id"),
    },
    "videos": {
        "datasets": ("src_dataset_id", "name"),
        "videos": ("src_video_id", "src_dataset_id", "name"),
        "objects": ("src_object_id", "src_video_id", "class_name"),
        "figures": ("src_object_id", "src_video_id", "frame_index", "geometry_type", "geometry_json"),
        "tags": ("owner_type", "owner_id", "src_item_id", "tag_id"),
    },
    "volumes": {
        "datasets": ("src_dataset_id", "name"),
        "volumes": ("src_volume_id", "src_dataset_id", "name"),
        "objects": ("src_object_id", "src_volume_id", "class_name"),
        "figures": ("src_figure_id", "src_object_id", "src_volume_id", "geometry_type"),
        "tags": ("owner_type", "owner_id", "src_item_id", "tag_id"),
    },
}


def table_names(project_type: str) -> tuple[str, ...]:
    """Name the tables of a project type, in the order in which a restore reads them."""
    return tuple(_COLUMNS[project_type])


def column_names(project_type: str, table: str) -> tuple[str, ...]:
    """Name the columns of one table."""
    return tuple(_COLUMNS[project_type][table])


def required_columns(project_type: str, table: str) -> tuple[str, ...]:
    """Name the columns of a table in which every row has a value."""
    return _REQUIRED[project_type][table]


def table_schema(project_type: str, table: str) -> pa.Schema:
    """Build the Arrow schema of one table; all columns are nullable."""
    import pyarrow as pa

    columns = _COLUMNS[project_type][table]
    return pa.schema([(name, getattr(pa, type_name)()) for name, type_name in columns.items()])
