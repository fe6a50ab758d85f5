"""What the platform says of tags, as rows of the table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.project_types.base import Names
from airflow_sv_versioning.snapshot.json_columns import json_text
from airflow_sv_versioning.snapshot.schemas import table_schema
from airflow_sv_versioning.snapshot.writer import table_of

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]


def tag_rows(
    owner_type: str, owner: Mapping[str, Any], item_id: int, tag_names: Mapping[int, str]
) -> list[Row]:
    """Make the rows of the tags on an item (``item``), an object or a figure.

    A frame range is two columns, first and last frame.
    """
    return [tag_row(tag, owner_type, owner["id"], item_id, tag_names) for tag in owner.get("tags") or []]


def tag_table(
    project_type: str,
    owner_type: str,
    owners: Iterable[tuple[int, int, Sequence[Mapping[str, Any]] | None]],
    tag_names: Mapping[int, str],
) -> pa.Table:
    """Make the same rows of many owners, column by column.

    :param owners: owner's id, its item's id, and its tags.
    """
    flat = [
        tag_row(tag, owner_type, owner_id, item_id, tag_names)
        for owner_id, item_id, tags in owners
        for tag in tags or ()
    ]
    names = table_schema(project_type, "tags").names
    return table_of(project_type, "tags", {name: [row[name] for row in flat] for name in names})


def annotation_tag_rows(annotation: Mapping[str, Any], item_id: int, names: Names) -> list[Row]:
    """Make the rows of the tags on an annotated item and on its objects."""
    owner = {"id": item_id, "tags": annotation.get("tags")}
    rows = tag_rows("item", owner, item_id, names.tags)
    for entry in annotation.get("objects") or []:
        rows += tag_rows("object", entry, item_id, names.tags)
    return rows


def tag_row(
    tag: Mapping[str, Any], owner_type: str, owner_id: Any, item_id: int, tag_names: Mapping[int, str]
) -> Row:
    """Make the row of one tag, as annotations tell it."""
    first, last = tag.get("frameRange") or (None, None)
    return {
        "tag_assignment_id": tag.get("id"),
        "owner_type": owner_type,
        "owner_id": owner_id,
        "src_item_id": item_id,
        "tag_id": tag["tagId"],
        "name": tag.get("name") or tag_names.get(tag["tagId"]),
        "value_json": None if tag.get("value") is None else json.dumps(tag["value"], ensure_ascii=False),
        "frame_from": first,
        "frame_to": last,
        "is_finished": tag.get("isFinished"),
        "non_final_value": tag.get("nonFinalValue"),
        "labeler_login": tag.get("labelerLogin"),
        "custom_data": json_text(tag.get("customData")),
        "created_at": tag.get("createdAt"),
        "updated_at": tag.get("updatedAt"),
    }
