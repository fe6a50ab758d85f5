"""Figures: one annotated geometry of a class on an item."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from airflow_sv_versioning.server.behaviour.access import (
    annotate_items,
    edit_figures,
    get_dataset,
    get_project,
    get_row,
    stamp_sharing_items,
)
from airflow_sv_versioning.server.behaviour.annotation_objects import ObjectBook
from airflow_sv_versioning.server.behaviour.datasets import subtree_ids
from airflow_sv_versioning.server.behaviour.entities import Entities, flag, gap, text, verbatim
from airflow_sv_versioning.server.behaviour.figure_writing import FigureWriter, inline_geometry
from airflow_sv_versioning.server.behaviour.geometry import extent, rounded
from airflow_sv_versioning.server.behaviour.listing import Listing, Query, Where
from airflow_sv_versioning.server.behaviour.placement import Placement
from airflow_sv_versioning.server.behaviour.tags import FIGURE_TAGS, TagBook, put_tags
from airflow_sv_versioning.server.database import Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import JsonText, dumps, dumps_or_none, loads

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

_ENTITIES = Entities(
    "figures",
    {
        "id": verbatim("figures.id"),
        "entityId": verbatim("figures.item_id"),
        "imageId": verbatim("figures.item_id"),
        "objectId": verbatim("figures.object_id"),
        "classId": verbatim("figures.class_id"),
        "projectId": FIGURES.columns["projectId"],
        "datasetId": verbatim("figures.dataset_id"),
        "geometryType": text("figures.geometry_type"),
        "tags": FIGURE_TAGS,
        "area": text("figures.area"),
        "priority": verbatim("figures.priority"),
        "description": text("figures.description"),
        "nnCreated": flag("figures.nn_created"),
        "nnUpdated": flag("figures.nn_updated"),
        "trackId": text("figures.track_id"),
        "createdBy": verbatim("figures.created_by"),
        "createdAt": text("figures.created_at"),
        "updatedAt": text("figures.updated_at"),
        "geometry": verbatim("figures.geometry"),
        "geometryMeta": verbatim("figures.geometry_meta"),
        "meta": verbatim("figures.meta"),
        "customData": verbatim("figures.custom_data"),
        "smartToolInput": verbatim("figures.smart_tool_input"),
        "instance": text("figures.instance"),
    },
    always=frozenset({"id", "entityId"}),
)
_IN_WHOLE_PIXELS = replace(_ENTITIES, members={**_ENTITIES.members, "geometry": gap("figures.geometry")})


def list_figures(
    db: Reader,
    query: Query,
    *,
    dataset_id: int | None,
    project_id: int | None,
    recursive: bool = False,
    integer_coords: bool,
) -> JsonText:
    """A page of figures of a dataset, of the tree below it, or of a project."""
    where = Where()
    # The plus keeps SQLite from walking through a whole dataset when it is asked for some items.
    column = "+figures.dataset_id" if query.filters_on("id", "entityId", "imageId") else "figures.dataset_id"
    if dataset_id is not None:
        get_dataset(db, dataset_id)
        if recursive:
            where.add(in_list(column), json_list(subtree_ids(db, dataset_id)))
        else:
            where.add(f"{column} = ?", dataset_id)
    if project_id is not None:
        get_project(db, project_id)
        where.add(f"{column} IN (SELECT id FROM datasets WHERE project_id = ?)", project_id)  # noqa: S608
    found = FIGURES.page(db, query, where)
    entities = _IN_WHOLE_PIXELS if integer_coords else _ENTITIES
    return found.around(entities.write(db, found.ids, whole_pixels, query.fields))


def figure_info(db: Reader, figure_id: int, fields: frozenset[str] | None, integer_coords: bool) -> JsonText:
    """One figure."""
    get_row(db, "figures", "Figure", figure_id)
    entities = _IN_WHOLE_PIXELS if integer_coords else _ENTITIES
    return entities.write_one(db, figure_id, whole_pixels, fields)


def add_figures(
    tx: Writer,
    figures: Sequence[Mapping[str, Any]],
    *,
    default_item: int | None,
    checks_bounds: bool,
    user_id: int,
    labeler: str,
) -> list[int]:
    """Add figures to the items they name, or to one default item; return their ids in order.

    :param checks_bounds: refuse those that reach out of their item, unless its project allows it.
    """
    owners = [_owner(figure, default_item) for figure in figures]
    items = annotate_items(tx, owners)
    projects = {row["project_id"] for row in items.values()}
    if len(projects) > 1:
        raise bad_request(f"Figures of one request belong to one project, not to {sorted(projects)}")
    if not projects:
        return []
    writer = FigureWriter(tx, projects.pop(), user_id, labeler, checks_bounds=checks_bounds)
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
    geometry: str | None = row["geometry"]
    return whole_pixels(geometry) if geometry and integer_coords else geometry


def whole_pixels(geometry: str) -> str:
    """A geometry, as JSON text, with its coordinates rounded."""
    if any(mark in geometry for mark in _MARKS_OF_FRACTIONS):
        return dumps(rounded(loads(geometry)))
    return geometry


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
