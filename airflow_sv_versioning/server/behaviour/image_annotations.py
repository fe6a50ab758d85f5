"""Image annotations: an image's tags and figures as one document."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from airflow_sv_versioning.server.behaviour.access import (
    annotate_items,
    get_dataset,
    get_items,
    get_row,
)
from airflow_sv_versioning.server.behaviour.figure_writing import FigureWriter
from airflow_sv_versioning.server.behaviour.figures import geometry_text
from airflow_sv_versioning.server.behaviour.images import IMAGES
from airflow_sv_versioning.server.behaviour.listing import Query, Where
from airflow_sv_versioning.server.behaviour.tags import put_tags, tags_of_figures, tags_of_items
from airflow_sv_versioning.server.database import Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import JsonText, array, dumps, loads

NOT_GEOMETRY = frozenset(
    {
        "id", "classId", "classTitle", "objectId", "description", "tags", "geometryType", "shape",
        "nnCreated", "nnUpdated", "labelerLogin", "createdAt", "updatedAt", "customData", "meta",
        "priority", "area", "geometry", "geometryMeta", "instance", "entityId", "imageId", "trackId",
        "smartToolInput",
    }
)  # fmt: skip
"""Members of an annotation's object that are about it; all others are its geometry."""

ANNOTATIONS = replace(
    IMAGES,
    columns={**IMAGES.columns, "imageId": IMAGES.columns["id"], "imageName": IMAGES.columns["name"]},
)


def add_annotations(
    tx: Writer,
    annotations: Sequence[Mapping[str, Any]],
    user_id: int,
    labeler: str,
    *,
    checks_bounds: bool,
) -> None:
    """Replace the annotations of images: their tags, figures and descriptions.

    The same tag may come twice here, whatever the project's settings say about single tags.
    """
    documents = [_document(annotation) for annotation in annotations]
    items = annotate_items(tx, [image_id for image_id, _ in documents])
    projects = {row["project_id"] for row in items.values()}
    if len(projects) > 1:
        raise bad_request(f"Annotations of one request belong to one project, not to {sorted(projects)}")
    if projects:
        _clear(tx, list(items))
        writer = FigureWriter(tx, projects.pop(), user_id, labeler, checks_bounds=checks_bounds)
        _describe(tx, documents)
        _add_tags(tx, writer, documents, labeler)
        writer.add(
            [
                (image_id, items[image_id]["dataset_id"], _as_figure(label))
                for image_id, document in documents
                for label in document.get("objects") or []
            ]
        )


def annotation_of(
    db: Reader, image_id: int, *, integer_coords: bool, with_custom_data: bool
) -> dict[str, Any]:
    """One image's annotation."""
    row = get_row(db, "items", "Image", image_id)
    return _annotations(db, [row], integer_coords, with_custom_data)[0]


def annotations_of(
    db: Reader,
    dataset_id: int | None,
    image_ids: Sequence[int],
    *,
    integer_coords: bool,
    with_custom_data: bool,
) -> JsonText:
    """The annotations of images in the order asked for."""
    rows = get_items(db, image_ids)
    strangers = [row["id"] for row in rows if dataset_id not in (None, row["dataset_id"])]
    if strangers:
        raise bad_request(f"Image {strangers[0]} is not in dataset {dataset_id}")
    return array([dumps(entity) for entity in _annotations(db, rows, integer_coords, with_custom_data)])


def list_annotations(
    db: Reader, query: Query, dataset_id: int, *, integer_coords: bool, with_custom_data: bool
) -> JsonText:
    """A page of a dataset's annotations."""
    get_dataset(db, dataset_id)
    found = ANNOTATIONS.run(db, query, Where().add("items.dataset_id = ?", dataset_id))
    return found.page(_annotations(db, found.rows, integer_coords, with_custom_data))


def _document(annotation: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    image_id, document = annotation.get("imageId"), annotation.get("annotation")
    if not isinstance(image_id, int) or not isinstance(document, Mapping):
        raise bad_request("Every annotation needs an imageId and an annotation object")
    return image_id, document


def _clear(tx: Writer, item_ids: Sequence[int]) -> None:
    tx.delete_among("figures", "item_id", item_ids)
    tx.delete_among("tags", "item_id", item_ids)


def _describe(tx: Writer, documents: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    tx.run_many(
        "UPDATE items SET description = IFNULL(?, description), custom_data = IFNULL(?, custom_data) "
        "WHERE id = ?",
        [
            (
                document.get("description"),
                None if document.get("customBigData") is None else dumps(document["customBigData"]),
                image_id,
            )
            for image_id, document in documents
        ],
    )


def _add_tags(
    tx: Writer, writer: FigureWriter, documents: Sequence[tuple[int, Mapping[str, Any]]], labeler: str
) -> None:
    tags = [
        writer.new_tag(tag, image_id)
        for image_id, document in documents
        for tag in document.get("tags") or []
    ]
    put_tags(tx, tags, labeler)


def _as_figure(label: Mapping[str, Any]) -> dict[str, Any]:
    geometry = label.get("geometry") or {
        key: value for key, value in label.items() if key not in NOT_GEOMETRY
    }
    return {**label, "geometry": geometry}


def _annotations(
    db: Reader, rows: Sequence[sqlite3.Row], integer_coords: bool, with_custom_data: bool
) -> list[dict[str, Any]]:
    ids = [row["id"] for row in rows]
    tags = tags_of_items(db, ids)
    objects = _objects(db, ids, integer_coords)
    return [
        _annotation_json(row, tags.get(row["id"], []), objects[row["id"]], with_custom_data) for row in rows
    ]


def _annotation_json(
    row: sqlite3.Row, tags: Sequence[Any], objects: Sequence[Any], with_custom_data: bool
) -> dict[str, Any]:
    custom_data = {"customBigData": loads(row["custom_data"])} if with_custom_data else {}
    return {
        "imageId": row["id"],
        "imageName": row["name"],
        "datasetId": row["dataset_id"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "annotation": {
            "description": row["description"],
            "size": {"height": row["height"], "width": row["width"]},
            "tags": tags,
            "objects": objects,
            **custom_data,
        },
    }


def _objects(db: Reader, item_ids: Sequence[int], integer_coords: bool) -> dict[int, list[dict[str, Any]]]:
    rows = db.all(
        "SELECT figures.*, classes.name AS class_title, users.login FROM figures "  # noqa: S608
        "JOIN classes ON classes.id = figures.class_id LEFT JOIN users ON users.id = figures.created_by "
        f"WHERE {in_list('figures.item_id')} ORDER BY figures.id",
        (json_list(item_ids),),
    )
    tags = tags_of_figures(db, [row["id"] for row in rows])
    objects: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        objects[row["item_id"]].append(_object_json(row, tags.get(row["id"], []), integer_coords))
    return objects


def _labelling(row: sqlite3.Row) -> dict[str, Any]:
    """What labels carry only if somebody gave it."""
    given = {"smartToolInput": loads(row["smart_tool_input"], None), "instance": row["instance"]}
    return {member: value for member, value in given.items() if value is not None}


def _object_json(row: sqlite3.Row, tags: Sequence[Any], integer_coords: bool) -> dict[str, Any]:
    return {
        "id": row["id"],
        "classId": row["class_id"],
        "classTitle": row["class_title"],
        "objectId": row["object_id"],
        "description": row["description"],
        "geometryType": row["geometry_type"],
        "shape": row["geometry_type"],
        "labelerLogin": row["login"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "nnCreated": bool(row["nn_created"]),
        "nnUpdated": bool(row["nn_updated"]),
        "priority": row["priority"],
        "meta": loads(row["meta"]),
        "customData": loads(row["custom_data"]),
        "tags": tags,
        **_labelling(row),
        **loads(geometry_text(row, integer_coords), {}),
    }
