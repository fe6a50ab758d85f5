"""Images: items of an image project."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from airflow_sv_versioning.server.behaviour.access import (
    edit_items,
    get_items,
    get_project,
    get_row,
    projects_of_datasets,
)
from airflow_sv_versioning.server.behaviour.items import ITEMS, FileUrl, check_names, item_json, items_where
from airflow_sv_versioning.server.behaviour.listing import Query
from airflow_sv_versioning.server.behaviour.planes import volumes_among
from airflow_sv_versioning.server.behaviour.tags import tags_of_items
from airflow_sv_versioning.server.database import Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import JsonText, array, dumps, merge

IMAGES = replace(
    ITEMS,
    columns={
        **ITEMS.columns,
        "parentId": "items.parent_id",
        "customSort": "items.custom_sort",
        "labelsCount": "(SELECT COUNT(*) FROM figures WHERE figures.item_id = items.id)",
    },
    nullable=ITEMS.nullable | {"parentId", "customSort"},
)


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
    where = items_where(db, query, dataset_id=dataset_id, project_id=project_id, recursive=recursive)
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


def edit_image(tx: Writer, image_id: int, changes: Mapping[str, Any]) -> str:
    """Change the name, description, meta or links to others of an image, or of another type's item.

    :returns: the type of the item's project.
    """
    row = get_row(tx, "items", "Image", image_id)
    project_id = edit_items(tx, [image_id])[image_id]["project_id"]
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
    project_type: str = get_project(tx, project_id)["type"]
    return project_type


def set_links(tx: Writer, links: Sequence[tuple[int, str]]) -> None:
    """Point linked images to where their files are now.

    :raises RequestRejectedError: some are volumes, which are never linked.
    """
    volumes = sorted(volumes_among(tx, [image_id for image_id, _ in links]))
    if volumes:
        raise bad_request(f"Volumes {volumes} cannot be linked; upload their files", entityIds=volumes)
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


def _image_json(row: sqlite3.Row, project_id: int, file_url: FileUrl) -> dict[str, Any]:
    return {
        **item_json(row, file_url),
        "ext": (row["mime"] or "").partition("/")[2] or None,
        "width": row["width"],
        "height": row["height"],
        "projectId": project_id,
        "parentId": row["parent_id"],
        "customSort": row["custom_sort"],
        "relatedDataId": None,
        "downloadId": None,
        "offsetStart": None,
        "offsetEnd": None,
        "aiSearchMeta": None,
        "embeddingsUpdatedAt": None,
    }


def _label_counts(db: Reader, ids: Sequence[int]) -> dict[int, int]:
    return db.pairs(
        f"SELECT item_id, COUNT(*) FROM figures WHERE {in_list('item_id')} GROUP BY item_id",  # noqa: S608
        (json_list(ids),),
    )
