"""Videos: items of a video project. An item is one video stream of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from airflow_sv_versioning.server.behaviour.access import edit_items, get_items, get_row
from airflow_sv_versioning.server.behaviour.entities import Entities, verbatim
from airflow_sv_versioning.server.behaviour.items import (
    FIGURES_COUNT,
    ITEM_MEMBERS,
    ITEMS,
    OBJECTS_COUNT,
    PLACE_MEMBERS,
    PROCESSING_PATH,
    FileUrl,
    items_where,
    with_addresses,
)
from airflow_sv_versioning.server.behaviour.listing import Listing, Query
from airflow_sv_versioning.server.behaviour.tags import ITEM_TAGS
from airflow_sv_versioning.server.database import Reader, Writer
from airflow_sv_versioning.server.jsontext import JsonText, dumps

VIDEOS: Listing = replace(
    ITEMS,
    columns={**ITEMS.columns, "framesCount": "items.frames_count"},
    nullable=ITEMS.nullable | {"framesCount"},
)
_ENTITIES = Entities(
    "items",
    {
        **ITEM_MEMBERS,
        "processingPath": PROCESSING_PATH,
        **PLACE_MEMBERS,
        "objectsCount": OBJECTS_COUNT,
        "figuresCount": FIGURES_COUNT,
        "tags": ITEM_TAGS,
        "fileMeta": "IFNULL(items.file_meta, '{}')",
        "meta": verbatim("items.meta"),
        "customData": verbatim("items.custom_data"),
    },
    always=frozenset({"id"}),
)
# The raw form has the stream as it stands in the file, too.
_STREAM = "json_remove(items.file_meta, '$.formatName', '$.mime', '$.size', '$.streams')"
_RAW_META = f"IFNULL(json_set(items.file_meta, '$.streams', json_array({_STREAM})), '{{}}')"
_WITH_RAW_META = replace(_ENTITIES, members={**_ENTITIES.members, "fileMeta": _RAW_META})


def list_videos(
    db: Reader,
    query: Query,
    file_url: FileUrl,
    *,
    dataset_id: int | None,
    project_id: int | None,
    recursive: bool,
    raw_meta: bool,
) -> JsonText:
    """A page of videos of a dataset, of the tree below it, or of a whole project."""
    where = items_where(db, query, dataset_id=dataset_id, project_id=project_id, recursive=recursive)
    found = VIDEOS.page(db, query, where)
    entities = _WITH_RAW_META if raw_meta else _ENTITIES
    return found.around(entities.write(db, found.ids, with_addresses(file_url), query.fields))


def video_info(db: Reader, video_id: int, file_url: FileUrl) -> JsonText:
    """One video."""
    get_row(db, "items", "Video", video_id)
    return _ENTITIES.write_one(db, video_id, with_addresses(file_url))


def videos_by_id(db: Reader, video_ids: Sequence[int], file_url: FileUrl) -> JsonText:
    """Videos in the order asked for."""
    get_items(db, video_ids)
    return _ENTITIES.write(db, video_ids, with_addresses(file_url))


def set_custom_data(tx: Writer, video_id: int, custom_data: Mapping[str, Any]) -> None:
    """Replace a video's custom data."""
    edit_items(tx, [video_id])
    tx.update("items", video_id, custom_data=dumps(custom_data))


def set_links(tx: Writer, links: Sequence[tuple[int, str]]) -> None:
    """Point videos to where their files are now; what is known of the files stays."""
    edit_items(tx, [video_id for video_id, _ in links])
    tx.run_many(
        "UPDATE items SET link = ?, hash = NULL WHERE id = ?", [(link, video_id) for video_id, link in links]
    )
