"""Images: items of an image project."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_sv_versioning.server.behaviour.access import (
    edit_items,
    get_dataset,
    get_items,
    get_project,
    get_row,
    projects_of_datasets,
)
from airflow_sv_versioning.server.behaviour.datasets import subtree_ids
from airflow_sv_versioning.server.behaviour.image_adding import check_names
from airflow_sv_versioning.server.behaviour.listing import Listing, Query, Where
from airflow_sv_versioning.server.behaviour.tags import tags_of_items
from airflow_sv_versioning.server.database import Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import JsonText, array, dumps, merge

IMAGES = Listing(
    "items",
    "items",
    {
        "id": "items.id",
        "name": "items.name",
        "datasetId": "items.dataset_id",
        "projectId": "(SELECT project_id FROM datasets WHERE datasets.id = items.dataset_id)",
        "parentId": "items.parent_id",
        "hash": "items.hash",
        "link": "items.link",
        "mime": "items.mime",
        "size": "items.size",
        "width": "items.width",
        "height": "items.height",
        "description": "items.description",
        "customSort": "items.custom_sort",
        "createdBy": "items.created_by",
        "createdAt": "items.created_at",
        "updatedAt": "items.updated_at",
        "labelsCount": "(SELECT COUNT(*) FROM figures WHERE figures.item_id = items.id)",
    },
    nullable=frozenset({"parentId", "hash", "link", "mime", "size", "width", "height", "customSort"}),
)


FileUrl = Callable[[str, str], str]
"""Address of a stored file, from its hash and name."""


def list_images(
    db: Reader,
    query: Query,
    file_url: FileUrl,
    *,
    dataset_id: int | None,
    project_id: int | None,
    recursive: bool,
) -> JsonText:
    """A page of images of a dataset, of the tree below it, or of a whole project."""
    where = Where()
    # The plus keeps SQLite from walking through a whole dataset when it is asked for some ids.
    column = "+items.dataset_id" if query.filters_on("id") else "items.dataset_id"
    if dataset_id is not None:
        get_dataset(db, dataset_id)
        if recursive:
            where.add(in_list(column), json_list(subtree_ids(db, dataset_id)))
        else:
            where.add(f"{column} = ?", dataset_id)
    elif project_id is not None:
        get_project(db, project_id)
        where.add(f"{column} IN (SELECT id FROM datasets WHERE project_id = ?)", project_id)  # noqa: S608
    else:
        raise bad_request("images.list needs a datasetId or a projectId")
    found = IMAGES.run(db, query, where)
    return found.page(images_json(db, found.rows, file_url, query.fields))


def image_info(db: Reader, image_id: int, file_url: FileUrl) -> JsonText:
    """One image."""
    return images_json(db, [get_row(db, "items", "Image", image_id)], file_url)[0]


def images_by_id(db: Reader, image_ids: Sequence[int], file_url: FileUrl) -> JsonText:
    """Images in the order asked for."""
    return array(images_json(db, get_items(db, image_ids), file_url))


def images_json(
    db: Reader, rows: Sequence[sqlite3.Row], file_url: FileUrl, fields: frozenset[str] | None = None
) -> list[JsonText]:
    """Images as the platform writes them."""
    ids = [row["id"] for row in rows]
    tags = tags_of_items(db, ids) if fields is None or "tags" in fields else {}
    labels = _label_counts(db, ids) if fields is None or "labelsCount" in fields else {}
    projects = projects_of_datasets(db, {row["dataset_id"] for row in rows})
    texts = []
    for row in rows:
        plain = _image_json(row, projects[row["dataset_id"]], file_url)
        plain["tags"] = [{"entityId": row["id"], **tag} for tag in tags.get(row["id"], [])]
        plain["labelsCount"] = labels.get(row["id"], 0)
        shown = plain if fields is None else {key: plain[key] for key in plain if key in fields}
        texts.append(merge(shown, {"meta": row["meta"]} if fields is None or "meta" in fields else {}))
    return texts


def edit_image(tx: Writer, image_id: int, changes: Mapping[str, Any]) -> None:
    """Change an image's name, description, meta or links to others."""
    row = get_row(tx, "items", "Image", image_id)
    edit_items(tx, [image_id])
    columns: dict[str, Any] = {}
    if changes.get("name") is not None and changes["name"] != row["name"]:
        check_names(tx, row["dataset_id"], [changes["name"]])
        columns["name"] = changes["name"]
    if changes.get("description") is not None:
        columns["description"] = changes["description"]
    if changes.get("meta") is not None:
        columns["meta"] = dumps(changes["meta"])
    if "parentId" in changes:
        columns["parent_id"] = changes["parentId"]
    if changes.get("customSort") is not None:
        columns["custom_sort"] = changes["customSort"]
    if columns:
        tx.update("items", image_id, **columns)


def set_links(tx: Writer, links: Sequence[tuple[int, str]]) -> None:
    """Point linked images to where their files are now."""
    edit_items(tx, [image_id for image_id, _ in links])
    tx.run_many(
        "UPDATE items SET link = ?, hash = NULL WHERE id = ?", [(link, image_id) for image_id, link in links]
    )


def set_custom_sort(tx: Writer, values: Sequence[tuple[int, str]]) -> None:
    """Give images a place in a sorting of the user's own."""
    edit_items(tx, [image_id for image_id, _ in values])
    tx.run_many(
        "UPDATE items SET custom_sort = ? WHERE id = ?", [(value, image_id) for image_id, value in values]
    )


def remove_images(tx: Writer, image_ids: Sequence[int]) -> None:
    """Remove images with their annotations; the media stay, since versions refer to them."""
    edit_items(tx, image_ids)
    tx.delete_among("items", "id", image_ids)


def _image_json(row: sqlite3.Row, project_id: int, file_url: FileUrl) -> dict[str, Any]:
    url = row["link"] or file_url(row["hash"], row["name"])
    return {
        "id": row["id"],
        "name": row["name"],
        "title": row["name"],
        "description": row["description"],
        "link": row["link"],
        "hash": row["hash"],
        "mime": row["mime"],
        "ext": (row["mime"] or "").partition("/")[2] or None,
        "size": row["size"],
        "width": row["width"],
        "height": row["height"],
        "datasetId": row["dataset_id"],
        "projectId": project_id,
        "parentId": row["parent_id"],
        "customSort": row["custom_sort"],
        "pathOriginal": url,
        "fullStorageUrl": url,
        "relatedDataId": None,
        "downloadId": None,
        "offsetStart": None,
        "offsetEnd": None,
        "aiSearchMeta": None,
        "embeddingsUpdatedAt": None,
        "createdBy": row["created_by"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def _label_counts(db: Reader, ids: Sequence[int]) -> dict[int, int]:
    return db.pairs(
        f"SELECT item_id, COUNT(*) FROM figures WHERE {in_list('item_id')} GROUP BY item_id",  # noqa: S608
        (json_list(ids),),
    )
