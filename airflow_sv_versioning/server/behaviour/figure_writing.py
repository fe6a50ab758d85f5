"""Writing figures: classes, objects and tags looked up, geometry measured, rows made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_project, stamp_sharing_items
from airflow_sv_versioning.server.behaviour.annotation_objects import ClassBook, ObjectBook
from airflow_sv_versioning.server.behaviour.bounds import check_bounds
from airflow_sv_versioning.server.behaviour.frames import framed_items
from airflow_sv_versioning.server.behaviour.geometry import OUT_OF_LINE, extent
from airflow_sv_versioning.server.behaviour.placement import Place, Placement
from airflow_sv_versioning.server.behaviour.tags import NewTag, TagBook, put_tags
from airflow_sv_versioning.server.database import Writer
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import dumps, dumps_or_none, loads

_COLUMNS = (
    "id, item_id, dataset_id, class_id, object_id, frame, geometry_type, geometry, geometry_meta, meta, "
    "custom_data, description, area, priority, nn_created, nn_updated, track_id, smart_tool_input, instance, "
    "created_by, created_at, updated_at"
)
_INSERT = f"INSERT INTO figures ({_COLUMNS}) VALUES ({', '.join('?' * 22)})"  # noqa: S608
NewFigure = tuple[int, int, Mapping[str, Any]]
"""Item id, dataset id and the figure as it came."""


class FigureWriter:
    """Adds figures, with their tags, to items of one project.

    :param checks_bounds: refuse figures that reach out of their item, unless the project allows it.
    """

    def __init__(
        self, tx: Writer, project_id: int, user_id: int, labeler: str, *, checks_bounds: bool
    ) -> None:
        self._tx = tx
        self._project_id = project_id
        self._has_objects = get_project(tx, project_id)["type"] != "images"
        self._checks_bounds = checks_bounds
        self._user_id = user_id
        self._labeler = labeler
        self._book = TagBook(tx, project_id)
        self._classes = ClassBook(tx, project_id)

    def add(self, figures: Sequence[NewFigure]) -> list[int]:
        """Store figures; return their ids in order.

        :param figures: their tags may be given by name or id.
        :raises RequestRejectedError: unknown class, object or tag, a frame or slice that the item does not
            have, or geometry that must be uploaded separately.
        """
        if self._checks_bounds:
            check_bounds(self._tx, self._project_id, figures)
        class_ids = self._class_ids(figures)
        types = [
            figure.get("geometryType") or figure.get("shape") or self._shape(class_id)
            for (_, _, figure), class_id in zip(figures, class_ids, strict=True)
        ]
        placement = Placement(self._tx, self._project_id, {item_id for item_id, _, _ in figures})
        ids = list(self._tx.new_ids(len(figures)))
        rows = [
            self._row(
                new_id,
                new,
                class_id,
                geometry_type,
                inline_geometry(geometry_type, new[2].get("geometry"), position),
                placement.place(new[0], new[2], geometry_type),
            )
            for position, (new_id, new, class_id, geometry_type) in enumerate(
                zip(ids, figures, class_ids, types, strict=True)
            )
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

    def _class_ids(self, figures: Sequence[NewFigure]) -> list[int]:
        """Class of each figure; that of its object where the project has objects."""
        if not self._has_objects:
            return [self._classes.find(figure) for _, _, figure in figures]
        items = {row["id"]: row for row in framed_items(self._tx, {item_id for item_id, _, _ in figures})}
        objects = ObjectBook(self._tx, {figure.get("objectId") or 0 for _, _, figure in figures})
        stamp_sharing_items(self._tx, objects.sharing_datasets())
        return [objects.class_of(figure.get("objectId"), items[item_id]) for item_id, _, figure in figures]

    def _row(
        self,
        new_id: int,
        new: NewFigure,
        class_id: int,
        geometry_type: str,
        geometry: Mapping[str, Any] | None,
        place: Place,
    ) -> tuple[Any, ...]:
        item_id, dataset_id, figure = new
        measured = extent(geometry_type, geometry)
        given_area = figure.get("area")
        return (
            new_id,
            item_id,
            dataset_id,
            class_id,
            figure.get("objectId"),
            place.frame,
            geometry_type,
            dumps_or_none(geometry),
            dumps_or_none(figure.get("geometryMeta") or measured.meta),
            dumps(place.meta),
            dumps(figure.get("customData") or {}),
            figure.get("description") or "",
            measured.area if given_area is None else str(given_area),
            1 if figure.get("priority") is None else figure["priority"],
            int(bool(figure.get("nnCreated"))),
            int(bool(figure.get("nnUpdated"))),
            _track_id(figure.get("trackId")),
            dumps_or_none(figure.get("smartToolInput")),
            figure.get("instance"),
            self._user_id,
            self._tx.stamp,
            self._tx.stamp,
        )

    def _shape(self, class_id: int) -> str:
        shape: str = loads(self._classes.definition(class_id))["shape"]
        return shape


def inline_geometry(geometry_type: str, geometry: Any, figure: int) -> Mapping[str, Any] | None:
    """The geometry to be stored with the figure; large kinds are stored apart from it.

    :param figure: its id, or its position among new ones, for the details of the error.

    :raises RequestRejectedError: such a kind came inline, or another kind came without geometry.
    """
    if geometry_type in OUT_OF_LINE:
        if geometry:
            raise bad_request(
                'Please, use "figures.bulk.upload.geometry" method to update figures '
                f'with "geometryType" {geometry_type}',
                figures=[figure],
            )
        return None
    if not isinstance(geometry, Mapping):
        raise bad_request(f"A figure of type {geometry_type!r} needs a geometry object")
    return geometry


def _track_id(given: Any) -> str | None:
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, int):
        return str(given)
    raise bad_request(f'"trackId" must be a text or a number, not {given!r}', type="VALIDATION_ERROR")
