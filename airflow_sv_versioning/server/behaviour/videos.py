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
    projects_of_datasets,
)
from airflow_sv_versioning.server.behaviour.items import (
    ITEMS,
    FileUrl,
    check_names,
    edit_dataset_of,
    insert_items,
    items_where,
    name_of,
)
from airflow_sv_versioning.server.behaviour.listing import Listing, Query
from airflow_sv_versioning.server.behaviour.media import Links
from airflow_sv_versioning.server.behaviour.tags import tags_of_items
from airflow_sv_versioning.server.behaviour.video_files import (
    FileFacts,
    find_videos,
    look_into,
    probe_links,
    remember_videos,
    require_reader,
    stream_meta,
)
from airflow_sv_versioning.server.database import Database, Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import JsonText, array, dumps, loads, merge
from airflow_sv_versioning.server.storage import Storage

VIDEOS: Listing = replace(
    ITEMS,
    columns={**ITEMS.columns, "framesCount": "items.frames_count"},
    nullable=ITEMS.nullable | {"framesCount"},
)
_STORED = {"fileMeta": "file_meta", "meta": "meta", "customData": "custom_data"}
_NO_FILE = "{}"


class VideoFiles:
    """The files that videos are made of, looked into when they are first needed."""

    def __init__(self, database: Database, storage: Storage, links: Links) -> None:
        self._database = database
        self._storage = storage
        self._links = links

    def stored(self, hashes: Sequence[str]) -> dict[str, FileFacts]:
        """What uploaded videos hold.

        :raises RequestRejectedError: a hash is not stored here, or is not of a video.
        """
        with self._database.read() as db:
            known = find_videos(db, self._storage, hashes)
        missing = sorted(set(hashes) - set(known))
        if missing:
            raise bad_request(
                f"{len(missing)} hashes are not stored on this server; upload the videos first: "
                + ", ".join(missing[:3]),
                type="HASHES_NOT_FOUND",
                hashes=missing,
            )
        found = look_into(self._storage, [key for key, facts in known.items() if facts is None])
        if found:
            with self._database.write() as tx:
                remember_videos(tx, found)
        return {key: facts for key, facts in {**known, **found}.items() if facts is not None}

    def linked(self, links: Sequence[str], *, is_required: bool) -> dict[str, FileFacts]:
        """What linked videos hold; those that do not answer are left out unless they are required."""
        return probe_links(self._links, list(dict.fromkeys(links)), is_required=is_required)

    def complete(self, *, video_id: int | None = None, dataset_id: int | None = None) -> None:
        """Look again into linked videos that did not answer when they were added.

        Their stamps stay: a version refers to the link, not to what it says about itself.
        """
        column, value = ("id", video_id) if video_id is not None else ("dataset_id", dataset_id)
        with self._database.read() as db:
            rows = db.all(
                "SELECT id, name, link, meta FROM items "  # noqa: S608
                f"WHERE {column} = ? AND link IS NOT NULL AND file_meta IS NULL LIMIT 50",
                (value,),
            )
        found = self.linked([row["link"] for row in rows], is_required=False)
        answered = [row for row in rows if row["link"] in found]
        if not answered:
            return
        with self._database.write() as tx:
            for row in answered:
                video = {"title": row["name"], "meta": loads(row["meta"])}
                tx.update("items", row["id"], **_file_columns(video, found[row["link"]]))


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


def add_videos(
    tx: Writer,
    dataset_id: int,
    videos: Sequence[Mapping[str, Any]],
    stored: Mapping[str, FileFacts],
    linked: Mapping[str, FileFacts],
    user_id: int,
) -> list[int]:
    """Store videos; return their ids in order.

    :param stored: what the uploaded files among them hold, by hash.
    :param linked: what the linked files hold that answered, by link.
    :raises ConflictError: names are taken in the dataset.
    :raises RequestRejectedError: a file has no such stream.
    """
    edit_dataset_of(tx, dataset_id, "videos")
    check_names(tx, dataset_id, [name_of(video) for video in videos])
    rows = [
        {
            "name": name_of(video),
            "description": video.get("description") or "",
            "meta": dumps(video.get("meta") or {}),
            "custom_data": dumps(video.get("customData") or {}),
            **_source(video, stored, linked),
        }
        for video in videos
    ]
    return insert_items(tx, dataset_id, user_id, rows)


def hashes_and_links(videos: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Which files videos to be added are made of; one with both goes by its hash."""
    require_reader()
    hashes = [video["hash"] for video in videos if video.get("hash")]
    links = [video["link"] for video in videos if video.get("link") and not video.get("hash")]
    if len(hashes) + len(links) < len(videos):
        bare = next(video for video in videos if not (video.get("hash") or video.get("link")))
        raise bad_request(f"Video {name_of(bare)!r} needs a hash or a link")
    return list(dict.fromkeys(hashes)), links


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


def _source(
    video: Mapping[str, Any], stored: Mapping[str, FileFacts], linked: Mapping[str, FileFacts]
) -> dict[str, Any]:
    if video.get("hash"):
        blob_hash = video["hash"]
        return {"hash": blob_hash, "link": None, **_file_columns(video, stored[blob_hash])}
    link = video["link"]
    return {"hash": None, "link": link, **_file_columns(video, linked.get(link))}


def _file_columns(video: Mapping[str, Any], facts: FileFacts | None) -> dict[str, Any]:
    if facts is None:
        empty = ("mime", "size", "width", "height", "frames_count", "file_meta")
        return dict.fromkeys(empty)
    meta = stream_meta(facts, (video.get("meta") or {}).get("videoStreamIndex"), f"Video {name_of(video)!r}")
    return {
        "mime": meta["mime"],
        "size": meta["size"],
        "width": meta["width"],
        "height": meta["height"],
        "frames_count": meta["framesCount"],
        "file_meta": dumps({**meta, "size": str(meta["size"])}),
    }


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
    counts = _counts(db, ids) if fields is None or fields & {"objectsCount", "figuresCount"} else {}
    places = _places(db, {row["dataset_id"] for row in rows})
    stored = {key: column for key, column in _STORED.items() if fields is None or key in fields}
    texts = []
    for row in rows:
        plain = {
            **_video_json(row, file_url),
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


def _video_json(row: sqlite3.Row, file_url: FileUrl) -> dict[str, Any]:
    url = row["link"] or file_url(row["hash"], row["name"])
    return {
        "id": row["id"],
        "name": row["name"],
        "title": row["name"],
        "description": row["description"],
        "link": row["link"],
        "hash": row["hash"],
        "mime": row["mime"],
        "size": row["size"],
        "datasetId": row["dataset_id"],
        "pathOriginal": url,
        "fullStorageUrl": url,
        "processingPath": f"1/{row['id']}",
        "createdBy": row["created_by"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def _file_meta(text: str | None, raw: bool) -> str:
    """What is known of the file; the raw form has the stream as it stands in the file, too."""
    if text is None or not raw:
        return text or _NO_FILE
    meta = loads(text)
    whole = ("formatName", "mime", "size", "streams")
    stream = {key: value for key, value in meta.items() if key not in whole}
    return dumps({**meta, "streams": [stream]})


def _counts(db: Reader, ids: Sequence[int]) -> dict[int, dict[str, int]]:
    wanted = (json_list(ids),)
    grouped = f"WHERE {in_list('item_id')} GROUP BY item_id"
    objects = db.pairs(f"SELECT item_id, COUNT(*) FROM objects {grouped}", wanted)  # noqa: S608
    figures = db.pairs(f"SELECT item_id, COUNT(*) FROM figures {grouped}", wanted)  # noqa: S608
    return {
        item_id: {"objectsCount": objects.get(item_id, 0), "figuresCount": figures.get(item_id, 0)}
        for item_id in ids
    }


def _places(db: Reader, dataset_ids: set[int]) -> dict[int, dict[str, int]]:
    projects = projects_of_datasets(db, dataset_ids)
    rows = db.all(
        "SELECT projects.id, workspace_id, team_id FROM projects "  # noqa: S608
        f"JOIN workspaces ON workspaces.id = workspace_id WHERE {in_list('projects.id')}",
        (json_list(set(projects.values())),),
    )
    teams = {row["id"]: {"workspaceId": row["workspace_id"], "teamId": row["team_id"]} for row in rows}
    return {
        dataset_id: {"projectId": project_id, **teams[project_id]}
        for dataset_id, project_id in projects.items()
    }
