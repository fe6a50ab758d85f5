"""Images: items of an image project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from airflow_sv_versioning.server.behaviour.access import edit_items, get_items, get_project, get_row
from airflow_sv_versioning.server.behaviour.entities import NULL, Entities, text, verbatim
from airflow_sv_versioning.server.behaviour.items import (
    EXTENSION,
    FIGURES_COUNT,
    ITEM_MEMBERS,
    ITEMS,
    FileUrl,
    check_names,
    items_where,
    with_addresses,
)
from airflow_sv_versioning.server.behaviour.listing import Query
from airflow_sv_versioning.server.behaviour.planes import volumes_among
from airflow_sv_versioning.server.behaviour.tags import ITEM_TAGS
from airflow_sv_versioning.server.database import Reader, Writer
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import JsonText, dumps

IMAGES = replace(
    ITEMS,
    columns={
        **ITEMS.columns,
        "parentId": "items.parent_id",
        "customSort": "items.custom_sort",
        "labelsCount": FIGURES_COUNT,
    },
    nullable=ITEMS.nullable | {"parentId", "customSort"},
)
_ENTITIES = Entities(
    "items",
    {
        **ITEM_MEMBERS,
        "ext": EXTENSION,
        "width": verbatim("items.width"),
        "height": verbatim("items.height"),
        "projectId": ITEMS.columns["projectId"],
        "parentId": verbatim("items.parent_id"),
        "customSort": text("items.custom_sort"),
        "relatedDataId": NULL,
        "downloadId": NULL,
        "offsetStart": NULL,
        "offsetEnd": NULL,
        "aiSearchMeta": NULL,
        "embeddingsUpdatedAt": NULL,
        "tags": ITEM_TAGS,
        "labelsCount": FIGURES_COUNT,
        "meta": verbatim("items.meta"),
    },
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
    found = IMAGES.page(db, query, where)
    return found.around(_ENTITIES.write(db, found.ids, with_addresses(file_url), query.fields))


def image_info(db: Reader, image_id: int, file_url: FileUrl) -> JsonText:
    """One image."""
    get_row(db, "items", "Image", image_id)
    return _ENTITIES.write_one(db, image_id, with_addresses(file_url))


def images_by_id(db: Reader, image_ids: Sequence[int], file_url: FileUrl) -> JsonText:
    """Images in the order asked for."""
    get_items(db, image_ids)
    return _ENTITIES.write(db, image_ids, with_addresses(file_url))


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
