"""What the platform says of images and figures, as rows of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.tables import json_text, raw_text, table_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from airflow_sv_versioning.client.figures import Figure

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


def figure_table(figures: Sequence[Figure], class_names: Mapping[int, str]) -> pa.Table:
    """Make the rows of figures, column by column; an alpha mask's geometry goes elsewhere.

    Source: POST figures.list.
    """
    import pyarrow as pa

    columns = {
        "src_figure_id": [figure.id for figure in figures],
        "src_image_id": [figure.entity_id for figure in figures],
        "src_dataset_id": [figure.dataset_id for figure in figures],
        "class_id": [figure.class_id for figure in figures],
        "class_name": [class_names.get(figure.class_id) for figure in figures],
        "geometry_type": [figure.geometry_type for figure in figures],
        "geometry_json": [
            None if figure.geometry_type == ALPHA_MASK else raw_text(figure.geometry) for figure in figures
        ],
        "geometry_meta_json": [raw_text(figure.geometry_meta) for figure in figures],
        "meta": [raw_text(figure.meta) for figure in figures],
        "priority": [figure.priority for figure in figures],
        "custom_data": [raw_text(figure.custom_data) for figure in figures],
        "created_at": [figure.created_at for figure in figures],
        "updated_at": [figure.updated_at for figure in figures],
        "nn_created": [figure.nn_created for figure in figures],
        "nn_updated": [figure.nn_updated for figure in figures],
    }
    return pa.table(columns, schema=table_schema("images", "figures"))


def _extension(mime: str | None) -> str | None:
    return mime.partition("/")[2] if mime else None


def _integer(value: Any) -> int | None:
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdigit()) else None
