"""Annotation objects: what the figures of a video or volume show, from frame to frame or slice to slice.

An object belongs to one item, or to a dataset: then all items of the dataset share it, as the views of a
multi-view project do. A shared object is part of the annotation of those items that have figures or tags of
it, and of all items of its dataset as long as none has.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from airflow_sv_versioning.server.behaviour.access import (
    annotate_items,
    check_all_found,
    edit_dataset,
    get_project,
    stamp_sharing_items,
)
from airflow_sv_versioning.server.behaviour.meta import CLASSES, definitions
from airflow_sv_versioning.server.behaviour.tags import TagBook, put_tags, tags_of_objects
from airflow_sv_versioning.server.database import Reader, Writer, in_list, insert_statement, json_list
from airflow_sv_versioning.server.errors import bad_request

_SEEN = """
SELECT objects.*, classes.name AS class_title, users.login FROM objects
JOIN classes ON classes.id = objects.class_id LEFT JOIN users ON users.id = objects.created_by
WHERE objects.item_id = ?1 OR (
    objects.dataset_id = ?2 AND objects.item_id IS NULL AND (
        EXISTS (SELECT 1 FROM figures WHERE figures.object_id = objects.id AND figures.item_id = ?1)
        OR EXISTS (SELECT 1 FROM tags WHERE tags.object_id = objects.id AND tags.item_id = ?1)
        OR NOT (
            EXISTS (SELECT 1 FROM figures WHERE figures.object_id = objects.id)
            OR EXISTS (SELECT 1 FROM tags WHERE tags.object_id = objects.id)
        )
    )
) ORDER BY objects.id
"""


def add_objects(tx: Writer, dataset_id: int, objects: Sequence[Mapping[str, Any]], user_id: int) -> list[int]:
    """Add objects to items of a dataset, or to the dataset itself; return their ids in order.

    :raises RequestRejectedError: an item is of another dataset, or a class of another project.
    """
    project_id = edit_dataset(tx, dataset_id)["project_id"]
    owners = [item["entityId"] for item in objects if item.get("entityId") is not None]
    _check_in_dataset(annotate_items(tx, owners), dataset_id)
    if len(owners) < len(objects):
        _check_shareable(tx, project_id)
        stamp_sharing_items(tx, [dataset_id])
    book = ClassBook(tx, project_id)
    ids = tx.new_ids(len(objects))
    rows = [
        {
            "id": new_id,
            "dataset_id": dataset_id,
            "item_id": item.get("entityId"),
            "class_id": book.find(item),
            "created_by": user_id,
            "created_at": tx.stamp,
            "updated_at": tx.stamp,
        }
        for new_id, item in zip(ids, objects, strict=True)
    ]
    if rows:
        tx.run_many(insert_statement("objects", rows[0]), [tuple(row.values()) for row in rows])
    return list(ids)


def remove_objects(tx: Writer, object_ids: Sequence[int]) -> None:
    """Remove objects with their figures and tags."""
    rows = edit_objects(tx, object_ids)
    for dataset_id in {row["dataset_id"] for row in rows.values()}:
        tx.run(
            f"DELETE FROM figures WHERE {in_list('object_id')} AND dataset_id = ?",  # noqa: S608
            (json_list(object_ids), dataset_id),
        )
    tx.delete_among("objects", "id", object_ids)


def tag_objects(
    tx: Writer,
    tags: Sequence[Mapping[str, Any]],
    *,
    project_id: int | None,
    default_item: int | None,
    labeler: str,
) -> list[int]:
    """Put tags on objects; return their ids in order.

    :param default_item: where the tags of shared objects are seen, unless a tag names an item itself.
    :raises RequestRejectedError: unknown object or tag, or a tag of a shared object that names no item.
    """
    rows = edit_objects(tx, [tag["objectId"] for tag in tags])
    if not rows:
        return []
    projects = {row["project_id"] for row in rows.values()}
    if len(projects) > 1 or project_id not in (None, *projects):
        raise bad_request(f"Objects of one request belong to one project, not to {sorted(projects)}")
    owners = [_tagged_item(rows[tag["objectId"]], tag.get("entityId") or default_item) for tag in tags]
    items = annotate_items(tx, owners)
    for tag, owner in zip(tags, owners, strict=True):
        _check_in_dataset({owner: items[owner]}, rows[tag["objectId"]]["dataset_id"])
    book = TagBook(tx, projects.pop())
    new = [book.new(tag, owner, object_id=tag["objectId"]) for tag, owner in zip(tags, owners, strict=True)]
    return put_tags(tx, new, labeler)


def edit_objects(tx: Writer, object_ids: Iterable[int]) -> dict[int, sqlite3.Row]:
    """Get objects in order to change them; all items whose annotation shows them are stamped.

    :returns: id -> row with ``id``, ``item_id``, ``dataset_id``, ``project_id``.
    """
    wanted = set(object_ids)
    rows = tx.all(
        "SELECT objects.id, objects.item_id, objects.dataset_id, datasets.project_id FROM objects "  # noqa: S608
        f"JOIN datasets ON datasets.id = objects.dataset_id WHERE {in_list('objects.id')}",
        (json_list(wanted),),
    )
    found = {row["id"]: row for row in rows}
    check_all_found("Object", wanted, found)
    annotate_items(tx, {row["item_id"] for row in rows if row["item_id"] is not None})
    stamp_sharing_items(tx, {row["dataset_id"] for row in rows if row["item_id"] is None})
    return found


def objects_of_item(db: Reader, item: sqlite3.Row) -> list[sqlite3.Row]:
    """The objects that an item's annotation shows, with ``class_title`` and their maker's ``login``."""
    return db.all(_SEEN, (item["id"], item["dataset_id"]))


def objects_json(
    db: Reader, item: sqlite3.Row, tag_json: Callable[[dict[str, Any]], dict[str, Any]]
) -> list[dict[str, Any]]:
    """The objects that an item's annotation shows, with their tags.

    :param tag_json: how annotations of the item's type write a tag.
    """
    tags = tags_of_objects(db, item["id"])
    return [
        {
            "id": row["id"],
            "classId": row["class_id"],
            "classTitle": row["class_title"],
            "labelerLogin": row["login"],
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
            "tags": [tag_json(tag) for tag in tags.get(row["id"], [])],
        }
        for row in objects_of_item(db, item)
    ]


class ObjectBook:
    """The objects that figures of one request are of, to look up and to check their items with."""

    def __init__(self, db: Reader, object_ids: Collection[int]) -> None:
        self._rows = {row["id"]: row for row in db.among("objects", "id", object_ids)}

    def class_of(self, object_id: int | None, item: sqlite3.Row) -> int:
        """Class of an object that figures of the item may be of.

        :raises RequestRejectedError: there is no such object on the item.
        """
        row = self._rows.get(object_id or 0)
        if row is None or row["dataset_id"] != item["dataset_id"] or row["item_id"] not in (None, item["id"]):
            raise bad_request(
                f"A figure is of object {object_id}, which item {item['id']} {item['name']!r} does not have; "
                "add it with annotation-objects.bulk.add first",
                type="UNKNOWN_OBJECT",
                entityId=item["id"],
                objectId=object_id,
            )
        class_id: int = row["class_id"]
        return class_id

    def sharing_datasets(self) -> set[int]:
        """Datasets whose shared objects are among these."""
        return {row["dataset_id"] for row in self._rows.values() if row["item_id"] is None}


class ClassBook:
    """The classes of one project, to look up by id or by name."""

    def __init__(self, db: Reader, project_id: int) -> None:
        self._project_id = project_id
        rows = definitions(db, CLASSES, project_id)
        self._definitions = {row["id"]: row["definition"] for row in rows}
        self._ids = {row["name"]: row["id"] for row in rows}

    def find(self, owner: Mapping[str, Any]) -> int:
        """Class of what is given with ``classId``, or with ``classTitle`` where the id is another project's.

        :raises RequestRejectedError: unknown class.
        """
        given: int | None = owner.get("classId")
        class_id = given if given in self._definitions else self._ids.get(owner.get("classTitle") or "")
        if class_id is None:
            wanted = given or owner.get("classTitle")
            item_id = owner.get("entityId") or owner.get("imageId")
            place = f", wanted on item {item_id}" if item_id else ""
            raise bad_request(
                f"Project {self._project_id} has no class {wanted!r}{place}", type="UNKNOWN_CLASS"
            )
        return class_id

    def definition(self, class_id: int) -> str:
        """A class's definition, as JSON."""
        text: str = self._definitions[class_id]
        return text


def _tagged_item(row: sqlite3.Row, named: int | None) -> int:
    owner: int | None = row["item_id"] or named
    if owner is None:
        raise bad_request(
            f"Object {row['id']} is shared by the items of dataset {row['dataset_id']}; "
            "say with entityId on which of them the tag is",
            type="ENTITY_REQUIRED",
            objectId=row["id"],
        )
    if named not in (None, owner):
        raise bad_request(f"Object {row['id']} belongs to item {owner}, not to {named}")
    return owner


def _check_shareable(tx: Writer, project_id: int) -> None:
    if get_project(tx, project_id)["type"] == "volumes":
        raise bad_request(
            "An object of a volume project belongs to one volume: name it with entityId",
            type="ENTITY_REQUIRED",
        )


def _check_in_dataset(items: Mapping[int, sqlite3.Row], dataset_id: int) -> None:
    strangers = sorted(item_id for item_id, row in items.items() if row["dataset_id"] != dataset_id)
    if strangers:
        raise bad_request(f"Items {strangers} are not in dataset {dataset_id}", entityIds=strangers)
