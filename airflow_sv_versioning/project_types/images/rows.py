"""What the platform says of images and figures, as rows of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.json_columns import json_text, raw_text
from airflow_sv_versioning.snapshot.writer import table_of

if TYPE_CHECKING:
    import pyarrow as pa

    from airflow_sv_versioning.client.figures import Figure
    from airflow_sv_versioning.client.images import Image

ALPHA_MASK = "alpha_mask"


def image_table(images: Sequence[Image]) -> pa.Table:
    """Make the rows of images, column by column; names stay as the server says them.

    Source: POST images.list.
    """
    columns: dict[str, Sequence[Any]] = {
        "src_image_id": [image.id for image in images],
        "src_dataset_id": [image.dataset_id for image in images],
        "parent_src_image_id": [image.parent_id for image in images],
        "name": [image.name for image in images],
        "hash": [image.hash for image in images],
        "link": [image.link for image in images],
        "mime": [image.mime for image in images],
        "ext": [_extension(image.mime) for image in images],
        "size": [_integer(image.size) for image in images],
        "width": [_integer(image.width, 31) for image in images],
        "height": [_integer(image.height, 31) for image in images],
        "created_at": [image.created_at for image in images],
        "updated_at": [image.updated_at for image in images],
        "created_by_id": [_integer(image.created_by) for image in images],
        "description": [image.description for image in images],
        "meta": [json_text(image.meta) for image in images],
        "related_data_id": [_integer(image.related_data_id) for image in images],
        "download_id": [None if image.download_id is None else str(image.download_id) for image in images],
        "offset_start": [_integer(image.offset_start) for image in images],
        "offset_end": [_integer(image.offset_end) for image in images],
    }
    return table_of("images", "images", columns)


def figure_table(figures: Sequence[Figure], class_names: Mapping[int, str]) -> pa.Table:
    """Make the rows of figures, column by column; an alpha mask's geometry goes elsewhere.

    Source: POST figures.list.
    """
    columns: dict[str, Sequence[Any]] = {
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
        "description": [figure.description or None for figure in figures],
        "smart_tool_input": [raw_text(figure.smart_tool_input) for figure in figures],
        "object_id": [figure.object_id for figure in figures],
        "instance": [figure.instance for figure in figures],
    }
    return table_of("images", "figures", columns)


def _extension(mime: str | None) -> str | None:
    return mime.partition("/")[2] if mime else None


def _integer(value: Any, bits: int = 63) -> int | None:
    """Take a number that no restore needs; what is none, or has no room in the column, is not kept."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:20])
    return value if type(value) is int and abs(value) < 2**bits else None
