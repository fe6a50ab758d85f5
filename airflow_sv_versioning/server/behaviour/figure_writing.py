"""Writing figures: classes, objects and tags looked up, geometry measured, rows made."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_project, stamp_sharing_items
from airflow_sv_versioning.server.behaviour.annotation_objects import ClassBook, ObjectBook
from airflow_sv_versioning.server.behaviour.frames import check_frame, framed_items
from airflow_sv_versioning.server.behaviour.geometry import OUT_OF_LINE, extent
from airflow_sv_versioning.server.behaviour.tags import NewTag, TagBook, put_tags
from airflow_sv_versioning.server.database import Writer
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import dumps, dumps_or_none, loads

_COLUMNS = (
    "id, item_id, dataset_id, class_id, object_id, frame, geometry_type, geometry, geometry_meta, meta, "
    "custom_data, description, area, priority, nn_created, nn_updated, track_id, smart_tool_input, "
    "created_by, created_at, updated_at"
)
_INSERT = f"INSERT INTO figures ({_COLUMNS}) VALUES ({', '.join('?' * 21)})"  # noqa: S608
Place = tuple[int, int | None]
"""Class and frame of a figure; an image has no frames."""


class FigureWriter:
    """Adds figures, with their tags, to items of one project."""

    def __init__(self, tx: Writer, project_id: int, user_id: int, labeler: str) -> None:
        self._tx = tx
        self._is_framed = get_project(tx, project_id)["type"] == "videos"
        self._user_id = user_id
        self._labeler = labeler
        self._book = TagBook(tx, project_id)
        self._classes = ClassBook(tx, project_id)

    def add(self, figures: Sequence[tuple[int, int, Mapping[str, Any]]]) -> list[int]:
        """Store figures; return their ids in order.

        :param figures: item id, dataset id and the figure as it came; its tags may be given by name or id.
        :raises RequestRejectedError: unknown class, object or tag, a frame past the end of the video, or
            geometry that must be uploaded separately.
        """
        places = self._places(figures)
        ids = list(self._tx.new_ids(len(figures)))
        rows = [
            self._row(new_id, *figure, *place)
            for new_id, figure, place in zip(ids, figures, places, strict=True)
        ]
        tags = [
            self._book.new(tag, item_id, new_id)
            for new_id, (item_id, _, figure) in zip(ids, figures, strict=True)
            for tag in figure.get("tags") or []
        ]
        self._tx.run_many(_INSERT, rows)
        put_tags(self._tx, tags, self._labeler)
        return ids

    def new_tag(self, tag: Mapping[str, Any], item_id: int) -> NewTag:
        """Read a tag of an item."""
        return self._book.new(tag, item_id)

    def _places(self, figures: Sequence[tuple[int, int, Mapping[str, Any]]]) -> list[Place]:
        """Class and frame of each figure; in a video the class is that of the figure's object."""
        if not self._is_framed:
            return [(self._classes.find(figure), None) for _, _, figure in figures]
        items = {row["id"]: row for row in framed_items(self._tx, {item_id for item_id, _, _ in figures})}
        objects = ObjectBook(self._tx, {figure.get("objectId") or 0 for _, _, figure in figures})
        stamp_sharing_items(self._tx, objects.sharing_datasets())
        return [
            (objects.class_of(figure.get("objectId"), items[item_id]), frame_of(items[item_id], figure))
            for item_id, _, figure in figures
        ]

    def _row(
        self,
        new_id: int,
        item_id: int,
        dataset_id: int,
        figure: Mapping[str, Any],
        class_id: int,
        frame: int | None,
    ) -> tuple[Any, ...]:
        geometry_type = figure.get("geometryType") or figure.get("shape") or self._shape(class_id)
        geometry = inline_geometry(geometry_type, figure.get("geometry"))
        measured = extent(geometry_type, geometry)
        given_area = figure.get("area")
        return (
            new_id,
            item_id,
            dataset_id,
            class_id,
            figure.get("objectId"),
            frame,
            geometry_type,
            dumps_or_none(geometry),
            dumps_or_none(figure.get("geometryMeta") or measured.meta),
            dumps(figure.get("meta") or {}),
            dumps(figure.get("customData") or {}),
            figure.get("description") or "",
            measured.area if given_area is None else str(given_area),
            1 if figure.get("priority") is None else figure["priority"],
            int(bool(figure.get("nnCreated"))),
            int(bool(figure.get("nnUpdated"))),
            _track_id(figure.get("trackId")),
            dumps_or_none(figure.get("smartToolInput")),
            self._user_id,
            self._tx.stamp,
            self._tx.stamp,
        )

    def _shape(self, class_id: int) -> str:
        shape: str = loads(self._classes.definition(class_id))["shape"]
        return shape


def inline_geometry(geometry_type: str, geometry: Any) -> Mapping[str, Any] | None:
    """The geometry to be stored with the figure; large kinds are stored apart from it.

    :raises RequestRejectedError: such a kind came inline, or another kind came without geometry.
    """
    if geometry_type in OUT_OF_LINE:
        if geometry:
            raise bad_request(
                'Please, use "figures.bulk.upload.geometry" method to update figures '
                f'with "geometryType" {geometry_type}'
            )
        return None
    if not isinstance(geometry, Mapping):
        raise bad_request(f"A figure of type {geometry_type!r} needs a geometry object")
    return geometry


def frame_of(item: sqlite3.Row, figure: Mapping[str, Any]) -> int:
    """The frame that a figure is given for, if its video has it."""
    return check_frame(item, (figure.get("meta") or {}).get("frame"), "A figure")


def _track_id(given: Any) -> str | None:
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, int):
        return str(given)
    raise bad_request(f'"trackId" must be a text or a number, not {given!r}', type="VALIDATION_ERROR")
