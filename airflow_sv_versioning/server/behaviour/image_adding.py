"""Adding images: by hash, by link, or as copies of other images."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_items
from airflow_sv_versioning.server.behaviour.items import check_names, edit_dataset_of, insert_items, name_of
from airflow_sv_versioning.server.behaviour.media import Links, Media, find_media, media_columns
from airflow_sv_versioning.server.database import Writer
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import dumps
from airflow_sv_versioning.server.storage import Storage


class ImageAdder:
    """Adds images by hash, by link, or as copies of other images.

    Links are fetched before the transaction: a slow host must not hold up other writers.
    """

    def __init__(self, storage: Storage, links: Links) -> None:
        self._storage = storage
        self._links = links

    def probe_links(self, images: Sequence[Mapping[str, Any]], *, skip_validation: bool) -> dict[str, Media]:
        """Learn what the linked images among these are."""
        links = list(dict.fromkeys(image["link"] for image in images if image.get("link")))
        return self._links.probe_all(links, skip_validation=skip_validation)

    def add(
        self,
        tx: Writer,
        dataset_id: int,
        images: Sequence[Mapping[str, Any]],
        linked: Mapping[str, Media],
        user_id: int,
    ) -> list[int]:
        """Store images; return their ids in order.

        :raises ConflictError: names are taken in the dataset.
        :raises RequestRejectedError: a hash is not stored here, or is not of an image.
        """
        edit_dataset_of(tx, dataset_id, "images")
        check_names(tx, dataset_id, [name_of(image) for image in images])
        known = self._known_media(tx, images)
        sources = {
            row["id"]: row
            for row in get_items(tx, [image["imageId"] for image in images if image.get("imageId")])
        }
        rows = [{**_shown(image, sources), **_file(image, known, linked, sources)} for image in images]
        return insert_items(tx, dataset_id, user_id, rows)

    def _known_media(self, tx: Writer, images: Sequence[Mapping[str, Any]]) -> dict[str, Media]:
        hashes = [image["hash"] for image in images if image.get("hash") and not image.get("link")]
        known = find_media(tx, self._storage, hashes)
        missing = sorted(set(hashes) - set(known))
        if missing:
            raise bad_request(
                f"{len(missing)} hashes are not stored on this server; upload the images first",
                type="HASHES_NOT_FOUND",
                hashes=missing,
            )
        strange = sorted(blob_hash for blob_hash, media in known.items() if media.width is None)
        if strange:
            raise bad_request("Not an image, by its content", type="NOT_AN_IMAGE", hashes=strange)
        return known


def _shown(image: Mapping[str, Any], sources: Mapping[int, sqlite3.Row]) -> dict[str, Any]:
    source = sources.get(image.get("imageId") or 0)
    meta = image.get("meta")
    return {
        "name": name_of(image),
        "parent_id": image.get("parentId"),
        "description": image.get("description") or "",
        "meta": source["meta"] if source is not None and meta is None else dumps(meta or {}),
    }


def _file(
    image: Mapping[str, Any],
    known: Mapping[str, Media],
    linked: Mapping[str, Media],
    sources: Mapping[int, sqlite3.Row],
) -> dict[str, Any]:
    if image.get("link"):
        link = image["link"]
        return {"hash": None, "link": link, **media_columns(linked.get(link))}
    if image.get("hash"):
        return {"hash": image["hash"], "link": None, **media_columns(known[image["hash"]])}
    if image.get("imageId"):
        source = sources[image["imageId"]]
        return {key: source[key] for key in ("hash", "link", "mime", "size", "width", "height")}
    raise bad_request(f"Image {name_of(image)!r} needs a hash, a link or an imageId")
