"""Adding videos: by the hash of an uploaded file, or by link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.server.behaviour.items import check_names, edit_dataset_of, insert_items, name_of
from airflow_sv_versioning.server.behaviour.media import Links
from airflow_sv_versioning.server.behaviour.video_files import (
    FileFacts,
    find_videos,
    look_into,
    probe_links,
    remember_videos,
    require_reader,
    stream_meta,
)
from airflow_sv_versioning.server.database import Database, Writer
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import dumps, loads
from airflow_sv_versioning.server.storage import Storage


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
