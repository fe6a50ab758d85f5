"""Items: what a dataset holds, whatever the project's type."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from airflow_sv_versioning.server.behaviour.access import (
    edit_dataset,
    edit_items,
    get_dataset,
    get_project,
    stamp_sharing_items,
)
from airflow_sv_versioning.server.behaviour.datasets import subtree_ids
from airflow_sv_versioning.server.behaviour.entities import Fill, Members, gap, text, verbatim
from airflow_sv_versioning.server.behaviour.listing import Listing, Query, Where
from airflow_sv_versioning.server.database import Reader, Writer, in_list, insert_statement, json_list
from airflow_sv_versioning.server.errors import bad_request, name_taken
from airflow_sv_versioning.server.jsontext import dumps, loads

FileUrl = Callable[[str, str], str]
"""Address of a stored file, from its hash and name."""

ITEMS = Listing(
    "items",
    "items",
    {
        "id": "items.id",
        "name": "items.name",
        "title": "items.name",
        "datasetId": "items.dataset_id",
        "projectId": "(SELECT project_id FROM datasets WHERE datasets.id = items.dataset_id)",
        "hash": "items.hash",
        "link": "items.link",
        "mime": "items.mime",
        "size": "items.size",
        "width": "items.width",
        "height": "items.height",
        "description": "items.description",
        "createdBy": "items.created_by",
        "createdAt": "items.created_at",
        "updatedAt": "items.updated_at",
    },
    nullable=frozenset({"hash", "link", "mime", "size", "width", "height"}),
    default_per_page=10000,
    max_per_page=20000,
)


# What is linked has the link as its address; the address of a stored file is filled in.
_FILE = gap("json_array(items.hash, items.name)")
_ADDRESS = f"CASE WHEN items.link <> '' THEN {text('items.link')} ELSE {_FILE} END"
ITEM_MEMBERS: Members = {
    "id": verbatim("items.id"),
    "name": text("items.name"),
    "title": text("items.name"),
    "description": text("items.description"),
    "link": text("items.link"),
    "hash": text("items.hash"),
    "mime": text("items.mime"),
    "size": verbatim("items.size"),
    "datasetId": verbatim("items.dataset_id"),
    "pathOriginal": _ADDRESS,
    "fullStorageUrl": _ADDRESS,
    "createdBy": verbatim("items.created_by"),
    "createdAt": text("items.created_at"),
    "updatedAt": text("items.updated_at"),
}
"""What an item of any type is to the platform."""

EXTENSION = text("NULLIF(substr(items.mime, NULLIF(instr(items.mime, '/'), 0) + 1), '')")
PROCESSING_PATH = "'\"1/' || items.id || '\"'"
OBJECTS_COUNT = "(SELECT COUNT(*) FROM objects WHERE objects.item_id = items.id)"
FIGURES_COUNT = "(SELECT COUNT(*) FROM figures WHERE figures.item_id = items.id)"
_PLACE = (
    "FROM datasets JOIN projects ON projects.id = datasets.project_id "
    "JOIN workspaces ON workspaces.id = projects.workspace_id WHERE datasets.id = items.dataset_id"
)
PLACE_MEMBERS: Members = {
    "projectId": f"(SELECT projects.id {_PLACE})",
    "workspaceId": f"(SELECT workspaces.id {_PLACE})",
    "teamId": f"(SELECT workspaces.team_id {_PLACE})",
}


def with_addresses(file_url: FileUrl) -> Fill:
    """What fills in the addresses of stored files."""

    @lru_cache(maxsize=1)  # An item has its address twice.
    def address(file: str) -> str:
        blob_hash, name = loads(file)
        return dumps(file_url(blob_hash, name))

    return address


def items_where(
    db: Reader, query: Query, *, dataset_id: int | None, project_id: int | None, recursive: bool = False
) -> Where:
    """The items of a dataset, of the tree below it, or of a whole project."""
    where = Where()
    # The plus keeps SQLite from walking through a whole dataset when it is asked for some ids.
    column = "+items.dataset_id" if query.filters_on("id") else "items.dataset_id"
    if dataset_id is not None:
        get_dataset(db, dataset_id)
        if recursive:
            return where.add(in_list(column), json_list(subtree_ids(db, dataset_id)))
        return where.add(f"{column} = ?", dataset_id)
    if project_id is None:
        raise bad_request("A list of items needs a datasetId or a projectId")
    get_project(db, project_id)
    return where.add(f"{column} IN (SELECT id FROM datasets WHERE project_id = ?)", project_id)  # noqa: S608


def edit_dataset_of(tx: Writer, dataset_id: int, project_type: str) -> sqlite3.Row:
    """Get the project of a dataset in order to add items to it.

    :raises RequestRejectedError: the project holds items of another type.
    """
    project = get_project(tx, edit_dataset(tx, dataset_id)["project_id"])
    if project["type"] != project_type:
        raise bad_request(f"Project {project['id']} holds {project['type']}, not {project_type}")
    return project


def insert_items(tx: Writer, dataset_id: int, user_id: int, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Store items; all rows have the same columns. Return their ids in order."""
    ids = list(tx.new_ids(len(rows)))
    common = {
        "dataset_id": dataset_id,
        "created_by": user_id,
        "created_at": tx.stamp,
        "updated_at": tx.stamp,
    }
    complete = [{"id": new_id, **common, **row} for new_id, row in zip(ids, rows, strict=True)]
    if complete:
        tx.run_many(insert_statement("items", complete[0]), [tuple(row.values()) for row in complete])
    return ids


def remove_items(tx: Writer, item_ids: Sequence[int]) -> None:
    """Remove items with their annotations; the media stay, since versions refer to them."""
    datasets = {row["dataset_id"] for row in edit_items(tx, item_ids).values()}
    tx.delete_among("items", "id", item_ids)
    shared = tx.all(
        f"SELECT DISTINCT dataset_id FROM objects WHERE item_id IS NULL AND {in_list('dataset_id')}",  # noqa: S608
        (json_list(datasets),),
    )
    stamp_sharing_items(tx, [row["dataset_id"] for row in shared])


def name_of(item: Mapping[str, Any]) -> str:
    """The name that an item is to be added with."""
    name = item.get("title") or item.get("name")
    if not isinstance(name, str):
        raise bad_request("Every item needs a title")
    return name


def check_names(db: Reader, dataset_id: int, names: Sequence[str]) -> None:
    """Refuse names that repeat, or that the dataset has."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise bad_request(f"The request names {len(repeated)} items twice, such as {repeated[0]!r}")
    rows = db.all(
        f"SELECT name, id FROM items WHERE dataset_id = ? AND {in_list('name')} ORDER BY id",  # noqa: S608
        (dataset_id, json_list(names)),
    )
    if rows:
        taken = [{"name": row["name"], "id": row["id"]} for row in rows]
        raise name_taken(
            f"{len(taken)} names are taken in dataset {dataset_id}, such as {taken[0]['name']!r}", taken
        )
