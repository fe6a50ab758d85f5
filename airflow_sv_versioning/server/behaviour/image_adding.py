"""Adding images: by hash, by link, or as copies of other images."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.server.behaviour.access import (
    edit_dataset,
    get_items,
    get_project,
)
from airflow_sv_versioning.server.behaviour.media import Links, Media, find_media, media_columns
from airflow_sv_versioning.server.database import Reader, Writer, in_list, insert_statement, json_list
from airflow_sv_versioning.server.errors import bad_request, name_taken
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
        project = get_project(tx, edit_dataset(tx, dataset_id)["project_id"])
        if project["type"] != "images":
            raise bad_request(f"Project {project['id']} holds {project['type']}, not images")
        check_names(tx, dataset_id, [_name(image) for image in images])
        known = self._known_media(tx, images)
        sources = {
            row["id"]: row
            for row in get_items(tx, [image["imageId"] for image in images if image.get("imageId")])
        }
        ids = list(tx.new_ids(len(images)))
        common = {
            "dataset_id": dataset_id,
            "created_by": user_id,
            "created_at": tx.stamp,
            "updated_at": tx.stamp,
        }
        rows = [
            {"id": new_id, **common, **_shown(image, sources), **_file(image, known, linked, sources)}
            for new_id, image in zip(ids, images, strict=True)
        ]
        if rows:
            tx.run_many(insert_statement("items", rows[0]), [tuple(row.values()) for row in rows])
        return ids

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


def _name(image: Mapping[str, Any]) -> str:
    name = image.get("title") or image.get("name")
    if not isinstance(name, str):
        raise bad_request("Every image needs a title")
    return name


def check_names(db: Reader, dataset_id: int, names: Sequence[str]) -> None:
    """Refuse names that come twice, or that items of the dataset have.

    :raises ConflictError: names are taken; the details tell by whom.
    """
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise bad_request(f"The request names {len(repeated)} images twice, such as {repeated[0]!r}")
    rows = db.all(
        f"SELECT name, id FROM items WHERE dataset_id = ? AND {in_list('name')} ORDER BY id",  # noqa: S608
        (dataset_id, json_list(names)),
    )
    if rows:
        taken = [{"name": row["name"], "id": row["id"]} for row in rows]
        raise name_taken(f"{len(taken)} image names are taken in dataset {dataset_id}", taken)


def _shown(image: Mapping[str, Any], sources: Mapping[int, sqlite3.Row]) -> dict[str, Any]:
    source = sources.get(image.get("imageId") or 0)
    meta = image.get("meta")
    return {
        "name": _name(image),
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
    raise bad_request(f"Image {_name(image)!r} needs a hash, a link or an imageId")
