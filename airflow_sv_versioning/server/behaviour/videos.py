"""Videos: items of a video project. An item is one video stream of a file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from airflow_sv_versioning.server.behaviour.access import (
    edit_items,
    get_items,
    get_row,
)
from airflow_sv_versioning.server.behaviour.items import (
    ITEMS,
    FileUrl,
    annotation_counts,
    item_json,
    items_where,
    places_of,
)
from airflow_sv_versioning.server.behaviour.listing import Listing, Query
from airflow_sv_versioning.server.behaviour.tags import tags_of_items
from airflow_sv_versioning.server.database import Reader, Writer
from airflow_sv_versioning.server.jsontext import JsonText, array, dumps, loads, merge

VIDEOS: Listing = replace(
    ITEMS,
    columns={**ITEMS.columns, "framesCount": "items.frames_count"},
    nullable=ITEMS.nullable | {"framesCount"},
)
_STORED = {"fileMeta": "file_meta", "meta": "meta", "customData": "custom_data"}
_NO_FILE = "{}"


def list_videos(
    db: Reader,
    query: Query,
    file_url: FileUrl,
    *,
    dataset_id: int | None,
    project_id: int | None,
    raw_meta: bool,
) -> JsonText:
    """A page of videos of a dataset or of a whole project."""
    where = items_where(db, query, dataset_id=dataset_id, project_id=project_id)
    found = VIDEOS.run(db, query, where)
    return found.page(_videos_json(db, found.rows, file_url, query.fields, raw_meta=raw_meta))


def video_info(db: Reader, video_id: int, file_url: FileUrl) -> JsonText:
    """One video."""
    return _videos_json(db, [get_row(db, "items", "Video", video_id)], file_url)[0]


def videos_by_id(db: Reader, video_ids: Sequence[int], file_url: FileUrl) -> JsonText:
    """Videos in the order asked for."""
    return array(_videos_json(db, get_items(db, video_ids), file_url))


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


def _videos_json(
    db: Reader,
    rows: Sequence[sqlite3.Row],
    file_url: FileUrl,
    fields: frozenset[str] | None = None,
    *,
    raw_meta: bool = False,
) -> list[JsonText]:
    ids = [row["id"] for row in rows]
    tags = tags_of_items(db, ids) if fields is None or "tags" in fields else {}
    counts = annotation_counts(db, ids) if fields is None or fields & {"objectsCount", "figuresCount"} else {}
    places = places_of(db, {row["dataset_id"] for row in rows})
    stored = {key: column for key, column in _STORED.items() if fields is None or key in fields}
    texts = []
    for row in rows:
        plain = {
            **item_json(row, file_url),
            "processingPath": f"1/{row['id']}",
            **places[row["dataset_id"]],
            **counts.get(row["id"], {"objectsCount": 0, "figuresCount": 0}),
            "tags": [{"entityId": row["id"], **tag} for tag in tags.get(row["id"], [])],
        }
        shown = plain if fields is None else {key: plain[key] for key in plain if key in fields | {"id"}}
        members = {key: row[column] for key, column in stored.items()}
        if "fileMeta" in members:
            members["fileMeta"] = _file_meta(members["fileMeta"], raw_meta)
        texts.append(merge(shown, members))
    return texts


def _file_meta(text: str | None, raw: bool) -> str:
    """What is known of the file; the raw form has the stream as it stands in the file, too."""
    if text is None or not raw:
        return text or _NO_FILE
    meta = loads(text)
    whole = ("formatName", "mime", "size", "streams")
    stream = {key: value for key, value in meta.items() if key not in whole}
    return dumps({**meta, "streams": [stream]})
