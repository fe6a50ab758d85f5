"""Datasets: a tree of named folders in a project."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from airflow_sv_versioning.server.behaviour.access import edit_project, get_dataset, get_project
from airflow_sv_versioning.server.behaviour.listing import Listing, Query, Where, project
from airflow_sv_versioning.server.database import Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request, name_taken
from airflow_sv_versioning.server.jsontext import JsonText, dumps, loads

DATASETS = Listing(
    "datasets",
    "datasets",
    {
        "id": "datasets.id",
        "name": "name",
        "projectId": "project_id",
        "parentId": "parent_id",
        "createdAt": "created_at",
        "updatedAt": "updated_at",
    },
    nullable=frozenset({"parentId"}),
    default_per_page=10000,
    max_per_page=20000,
)

_SUBTREE = (
    "WITH RECURSIVE subtree (id) AS (SELECT ? UNION SELECT datasets.id FROM datasets "
    "JOIN subtree ON datasets.parent_id = subtree.id) SELECT id FROM subtree"
)


def dataset_info(db: Reader, dataset_id: int) -> dict[str, Any]:
    """One dataset with its counters and custom data."""
    row = get_dataset(db, dataset_id)
    return _with_counts(db, [row], with_custom_data=True)[0]


def list_datasets(
    db: Reader, query: Query, project_id: int, *, recursive: bool, with_custom_data: bool
) -> JsonText:
    """A page of a project's datasets: those at the root, or all of the tree."""
    get_project(db, project_id)
    where = Where().add("project_id = ?", project_id)
    if not recursive and not query.filters_on("parentId"):
        where.add("parent_id IS NULL")
    found = DATASETS.run(db, query, where)
    entities = _with_counts(db, found.rows, with_custom_data=with_custom_data)
    return found.page([project(entity, query.fields) for entity in entities])


def subtree_ids(db: Reader, dataset_id: int) -> list[int]:
    """A dataset and everything below it."""
    return [row["id"] for row in db.all(_SUBTREE, (dataset_id,))]


def add_dataset(
    tx: Writer, project_id: int, name: str, values: Mapping[str, Any], user_id: int
) -> dict[str, Any]:
    """Make a dataset.

    :param values: ``description``, ``parentId``, ``customData``; all optional.
    """
    edit_project(tx, project_id)
    parent_id = values.get("parentId")
    if parent_id is not None:
        _check_parent(tx, project_id, parent_id)
    _check_name_free(tx, project_id, parent_id, name, None)
    dataset_id = tx.insert(
        "datasets",
        project_id=project_id,
        parent_id=parent_id,
        name=name,
        description=values.get("description") or "",
        custom_data=dumps(values.get("customData") or {}),
        created_by=user_id,
        created_at=tx.stamp,
        updated_at=tx.stamp,
    )
    return dataset_info(tx, dataset_id)


def edit_dataset_info(tx: Writer, dataset_id: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change what a dataset says about itself; ``parentId``, also ``null``, moves it in its tree."""
    row = get_dataset(tx, dataset_id)
    edit_project(tx, row["project_id"])
    parent_id = changes.get("parentId", row["parent_id"])
    name = row["name"] if changes.get("name") is None else changes["name"]
    if parent_id is not None and parent_id != row["parent_id"]:
        _check_parent(tx, row["project_id"], parent_id)
        _check_no_cycle(tx, dataset_id, parent_id)
    _check_name_free(tx, row["project_id"], parent_id, name, dataset_id)
    custom_data = changes.get("customData")
    tx.update(
        "datasets",
        dataset_id,
        name=name,
        parent_id=parent_id,
        description=row["description"] if changes.get("description") is None else changes["description"],
        custom_data=row["custom_data"] if custom_data is None else dumps(custom_data),
        updated_at=tx.stamp,
    )
    return dataset_info(tx, dataset_id)


def move_dataset(tx: Writer, dataset_id: int, parent_id: int | None) -> dict[str, Any]:
    """Hang a dataset below another one of its project."""
    return edit_dataset_info(tx, dataset_id, {"parentId": parent_id})


def remove_datasets(tx: Writer, dataset_ids: Iterable[int]) -> None:
    """Remove datasets with all they hold; media stay."""
    wanted = list(dataset_ids)
    for dataset_id in wanted:
        edit_project(tx, get_dataset(tx, dataset_id)["project_id"])
    tx.delete_among("datasets", "id", wanted)


def _check_parent(db: Reader, project_id: int, parent_id: int) -> None:
    if get_dataset(db, parent_id)["project_id"] != project_id:
        raise bad_request(f"Dataset {parent_id} is not in project {project_id}")


def _check_no_cycle(db: Reader, dataset_id: int, parent_id: int) -> None:
    if parent_id in subtree_ids(db, dataset_id):
        raise bad_request(f"Dataset {dataset_id} cannot move below itself (dataset {parent_id})")


def _check_name_free(
    db: Reader, project_id: int, parent_id: int | None, name: str, own_id: int | None
) -> None:
    holder = db.value(
        "SELECT id FROM datasets WHERE project_id = ? AND IFNULL(parent_id, 0) = ? AND name = ?",
        (project_id, parent_id or 0, name),
    )
    if holder not in (None, own_id):
        place = f"dataset {parent_id}" if parent_id else f"project {project_id}"
        raise name_taken(f"Dataset {name!r} exists in {place}", [{"name": name, "id": holder}])


def _with_counts(db: Reader, rows: list[sqlite3.Row], *, with_custom_data: bool) -> list[dict[str, Any]]:
    if not rows:
        return []
    counts = {
        row["dataset_id"]: row
        for row in db.all(
            "SELECT dataset_id, COUNT(*) AS items, IFNULL(SUM(size), 0) AS size FROM items "  # noqa: S608
            f"WHERE {in_list('dataset_id')} GROUP BY dataset_id",
            (json_list([row["id"] for row in rows]),),
        )
    }
    place = db.find(
        "SELECT workspaces.id, workspaces.team_id FROM projects "
        "JOIN workspaces ON workspaces.id = projects.workspace_id WHERE projects.id = ?",
        (rows[0]["project_id"],),
    )
    assert place is not None  # noqa: S101 - foreign keys guarantee it
    nothing: Mapping[str, Any] | sqlite3.Row = {"items": 0, "size": 0}
    return [_dataset_json(row, counts.get(row["id"], nothing), place, with_custom_data) for row in rows]


def _dataset_json(
    row: sqlite3.Row, counts: Mapping[str, Any] | sqlite3.Row, place: sqlite3.Row, with_custom_data: bool
) -> dict[str, Any]:
    entity = {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "size": str(counts["size"]),
        "projectId": row["project_id"],
        "parentId": row["parent_id"],
        "workspaceId": place["id"],
        "teamId": place["team_id"],
        "imagesCount": counts["items"],
        "itemsCount": counts["items"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "createdBy": row["created_by"],
        "referenceImageUrl": None,
    }
    return {**entity, "customData": loads(row["custom_data"])} if with_custom_data else entity
