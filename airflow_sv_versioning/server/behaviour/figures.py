"""Figures: one annotated geometry of a class on an item."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.server.behaviour.access import (
    edit_figures,
    edit_items,
    get_dataset,
    get_project,
    get_row,
    projects_of_datasets,
    stamp_sharing_items,
)
from airflow_sv_versioning.server.behaviour.annotation_objects import ObjectBook
from airflow_sv_versioning.server.behaviour.figure_writing import FigureWriter, inline_geometry
from airflow_sv_versioning.server.behaviour.geometry import extent, rounded
from airflow_sv_versioning.server.behaviour.listing import Listing, Query, Where, project
from airflow_sv_versioning.server.behaviour.placement import Placement
from airflow_sv_versioning.server.behaviour.tags import TagBook, put_tags, tags_of_figures
from airflow_sv_versioning.server.database import Reader, Writer
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import JsonText, dumps, dumps_or_none, loads, merge

FIGURES = Listing(
    "figures",
    "figures",
    {
        "id": "figures.id",
        "entityId": "figures.item_id",
        "imageId": "figures.item_id",
        "classId": "figures.class_id",
        "objectId": "figures.object_id",
        "geometryType": "figures.geometry_type",
        "datasetId": "figures.dataset_id",
        "projectId": "(SELECT project_id FROM datasets WHERE datasets.id = figures.dataset_id)",
        "createdAt": "figures.created_at",
        "updatedAt": "figures.updated_at",
    },
    nullable=frozenset({"objectId"}),
    default_per_page=20000,
    max_per_page=20000,
)
_MARKS_OF_FRACTIONS = (".", "e-", "e+")
"""Every number with a fraction is written with one of these; a text may have them for other reasons."""


_STORED = {
    "geometry": "geometry",
    "geometryMeta": "geometry_meta",
    "meta": "meta",
    "customData": "custom_data",
    "smartToolInput": "smart_tool_input",
}


def list_figures(
    db: Reader, query: Query, *, dataset_id: int | None, project_id: int | None, integer_coords: bool
) -> JsonText:
    """A page of figures of a dataset or of a project."""
    where = Where()
    # The plus keeps SQLite from walking through a whole dataset when it is asked for some items.
    column = "+figures.dataset_id" if query.filters_on("id", "entityId", "imageId") else "figures.dataset_id"
    if dataset_id is not None:
        get_dataset(db, dataset_id)
        where.add(f"{column} = ?", dataset_id)
    if project_id is not None:
        get_project(db, project_id)
        where.add(f"{column} IN (SELECT id FROM datasets WHERE project_id = ?)", project_id)  # noqa: S608
    found = FIGURES.run(db, query, where)
    return found.page(_figures_json(db, found.rows, query.fields, integer_coords))


def figure_info(db: Reader, figure_id: int, fields: frozenset[str] | None, integer_coords: bool) -> JsonText:
    """One figure."""
    row = get_row(db, "figures", "Figure", figure_id)
    return _figures_json(db, [row], fields, integer_coords)[0]


def add_figures(
    tx: Writer, figures: Sequence[Mapping[str, Any]], *, default_item: int | None, user_id: int, labeler: str
) -> list[int]:
    """Add figures to the items they name, or to one default item; return their ids in order."""
    owners = [_owner(figure, default_item) for figure in figures]
    items = edit_items(tx, owners)
    projects = {row["project_id"] for row in items.values()}
    if len(projects) > 1:
        raise bad_request(f"Figures of one request belong to one project, not to {sorted(projects)}")
    if not projects:
        return []
    writer = FigureWriter(tx, projects.pop(), user_id, labeler)
    return writer.add(
        [(owner, items[owner]["dataset_id"], figure) for owner, figure in zip(owners, figures, strict=True)]
    )


def edit_figure(tx: Writer, figure_id: int, changes: Mapping[str, Any], labeler: str) -> None:
    """Change a figure; a ``tags`` member replaces its tags."""
    row = edit_figures(tx, [figure_id])[figure_id]
    columns = {"updated_at": tx.stamp, **_changed_columns(changes)}
    if changes.get("meta") is not None:
        placement = Placement(tx, row["project_id"], [row["item_id"]])
        place = placement.place(row["item_id"], changes, row["geometry_type"])
        columns.update(frame=place.frame, meta=dumps(place.meta))
    geometry = changes.get("geometry")
    if geometry is not None:
        inline_geometry(row["geometry_type"], geometry, figure_id)
        columns["geometry"] = dumps(geometry)
        measured = extent(row["geometry_type"], geometry)
        columns["geometry_meta"] = dumps_or_none(changes.get("geometryMeta") or measured.meta)
        columns["area"] = measured.area
    tx.update("figures", figure_id, **columns)
    if changes.get("tags") is not None:
        book = TagBook(tx, row["project_id"])
        tx.run("DELETE FROM tags WHERE figure_id = ?", (figure_id,))
        put_tags(tx, [book.new(tag, row["item_id"], figure_id) for tag in changes["tags"]], labeler)


def set_custom_data(
    tx: Writer, figure_id: int, custom_data: Mapping[str, Any], *, replace: bool
) -> dict[str, Any]:
    """Merge into a figure's custom data, or replace it."""
    edit_figures(tx, [figure_id])
    kept = {} if replace else loads(get_row(tx, "figures", "Figure", figure_id)["custom_data"], {})
    stored = {**kept, **custom_data}
    tx.update("figures", figure_id, custom_data=dumps(stored), updated_at=tx.stamp)
    return {"id": figure_id, "customData": stored}


def remove_figures(tx: Writer, figure_ids: Sequence[int]) -> None:
    """Remove figures with their tags."""
    rows = edit_figures(tx, figure_ids)
    objects = ObjectBook(tx, {row["object_id"] or 0 for row in rows.values() if row["frame"] is not None})
    stamp_sharing_items(tx, objects.sharing_datasets())
    tx.delete_among("figures", "id", figure_ids)


def geometry_text(row: sqlite3.Row, integer_coords: bool) -> str | None:
    """A figure's geometry as JSON text, in whole pixels if asked."""
    text: str | None = row["geometry"]
    if text is None or not integer_coords or not any(mark in text for mark in _MARKS_OF_FRACTIONS):
        return text
    return dumps(rounded(loads(text)))


def _owner(figure: Mapping[str, Any], default_item: int | None) -> int:
    for key in ("entityId", "imageId"):
        if isinstance(figure.get(key), int):
            owner: int = figure[key]
            return owner
    if default_item is None:
        raise bad_request("Every figure needs an entityId, or the request one for all")
    return default_item


def _changed_columns(changes: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for member, column in (("nnCreated", "nn_created"), ("nnUpdated", "nn_updated")):
        if changes.get(member) is not None:
            columns[column] = int(bool(changes[member]))
    if changes.get("customData") is not None:
        columns["custom_data"] = dumps(changes["customData"])
    for member in ("priority", "description"):
        if changes.get(member) is not None:
            columns[member] = changes[member]
    return columns


def _figures_json(
    db: Reader, rows: Sequence[sqlite3.Row], fields: frozenset[str] | None, integer_coords: bool
) -> list[JsonText]:
    wants_tags = fields is None or "tags" in fields
    tags = tags_of_figures(db, [row["id"] for row in rows]) if wants_tags else {}
    projects = projects_of_datasets(db, {row["dataset_id"] for row in rows})
    shown = None if fields is None else fields | {"id", "entityId"}
    return [
        _figure_json(row, projects[row["dataset_id"]], tags.get(row["id"], []), shown, integer_coords)
        for row in rows
    ]


def _figure_json(
    row: sqlite3.Row,
    project_id: int,
    tags: Sequence[Mapping[str, Any]],
    fields: frozenset[str] | None,
    integer_coords: bool,
) -> JsonText:
    plain = {
        "id": row["id"],
        "entityId": row["item_id"],
        "imageId": row["item_id"],
        "objectId": row["object_id"],
        "classId": row["class_id"],
        "projectId": project_id,
        "datasetId": row["dataset_id"],
        "geometryType": row["geometry_type"],
        "tags": [{key: value for key, value in tag.items() if key != "name"} for tag in tags]
        if tags
        else tags,
        "area": row["area"],
        "priority": row["priority"],
        "description": row["description"],
        "nnCreated": bool(row["nn_created"]),
        "nnUpdated": bool(row["nn_updated"]),
        "trackId": row["track_id"],
        "createdBy": row["created_by"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }
    stored = {key: row[column] for key, column in _STORED.items() if fields is None or key in fields}
    if "geometry" in stored:
        stored["geometry"] = geometry_text(row, integer_coords)
    return merge(plain if fields is None else project(plain, fields), stored)
