"""Annotation objects as entities of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_dataset, get_row
from airflow_sv_versioning.server.behaviour.datasets import subtree_ids
from airflow_sv_versioning.server.behaviour.listing import Listing, Query, Where
from airflow_sv_versioning.server.behaviour.tags import tags_by_object
from airflow_sv_versioning.server.database import Reader, in_list, json_list
from airflow_sv_versioning.server.jsontext import JsonText

OBJECTS = Listing(
    "objects",
    "objects",
    {
        "id": "objects.id",
        "datasetId": "objects.dataset_id",
        "classId": "objects.class_id",
        "entityId": "objects.item_id",
        "createdAt": "objects.created_at",
        "updatedAt": "objects.updated_at",
    },
    nullable=frozenset({"entityId"}),
    default_per_page=5000,
    max_per_page=20000,
)


def list_objects(db: Reader, query: Query, dataset_id: int, *, recursive: bool) -> JsonText:
    """A page of the objects of a dataset, or of the tree below it."""
    get_dataset(db, dataset_id)
    datasets = subtree_ids(db, dataset_id) if recursive else [dataset_id]
    found = OBJECTS.run(db, query, Where().add(in_list("objects.dataset_id"), json_list(datasets)))
    return found.page(_objects_json(db, found.rows))


def object_info(db: Reader, object_id: int) -> dict[str, Any]:
    """One object."""
    return _objects_json(db, [get_row(db, "objects", "Object", object_id)])[0]


def _objects_json(db: Reader, rows: Sequence[sqlite3.Row]) -> list[dict[str, Any]]:
    tags = tags_by_object(db, [row["id"] for row in rows])
    return [
        {
            "id": row["id"],
            "description": "",
            "datasetId": row["dataset_id"],
            "classId": row["class_id"],
            "entityId": row["item_id"],
            "tags": [{"objectId": row["id"], **tag} for tag in tags.get(row["id"], [])],
            "meta": {},
            "createdBy": row["created_by"],
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
        }
        for row in rows
    ]
