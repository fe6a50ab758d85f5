"""What the platform says of images and figures, as rows of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_sv_versioning.snapshot.tables import json_text

Row = dict[str, Any]

ALPHA_MASK = "alpha_mask"


def image_row(image: Mapping[str, Any]) -> Row:
    """Make the row of an image; its name stays as the server says it. Source: POST images.list."""
    return {
        "src_image_id": image["id"],
        "src_dataset_id": image["datasetId"],
        "parent_src_image_id": image.get("parentId"),
        "name": image["name"],
        "hash": image.get("hash"),
        "link": image.get("link"),
        "mime": image.get("mime"),
        "ext": _extension(image.get("mime")),
        "size": _integer(image.get("size")),
        "width": image.get("width"),
        "height": image.get("height"),
        "created_at": image.get("createdAt"),
        "updated_at": image.get("updatedAt"),
        "created_by_id": image.get("createdBy"),
        "description": image.get("description"),
        "meta": json_text(image.get("meta")),
        "related_data_id": image.get("relatedDataId"),
        "download_id": image.get("downloadId"),
        "offset_start": image.get("offsetStart"),
        "offset_end": image.get("offsetEnd"),
    }


def figure_row(figure: Mapping[str, Any], class_names: Mapping[int, str]) -> Row:
    """Make the row of a figure; an alpha mask's geometry goes elsewhere. Source: POST figures.list."""
    is_alpha = figure["geometryType"] == ALPHA_MASK
    return {
        "src_figure_id": figure["id"],
        "src_image_id": figure["entityId"],
        "src_dataset_id": figure.get("datasetId"),
        "class_id": figure["classId"],
        "class_name": class_names.get(figure["classId"]),
        "geometry_type": figure["geometryType"],
        "geometry_json": None if is_alpha else json_text(figure.get("geometry")),
        "geometry_meta_json": json_text(figure.get("geometryMeta")),
        "meta": json_text(figure.get("meta")),
        "priority": figure.get("priority"),
        "custom_data": json_text(figure.get("customData")),
        "created_at": figure.get("createdAt"),
        "updated_at": figure.get("updatedAt"),
        "nn_created": figure.get("nnCreated"),
        "nn_updated": figure.get("nnUpdated"),
    }


def _extension(mime: str | None) -> str | None:
    return mime.partition("/")[2] if mime else None


def _integer(value: Any) -> int | None:
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdigit()) else None
