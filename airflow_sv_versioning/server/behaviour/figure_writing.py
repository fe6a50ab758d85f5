"""Writing figures: classes and tags looked up, geometry measured, rows made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.server.behaviour.geometry import OUT_OF_LINE, extent
from airflow_sv_versioning.server.behaviour.meta import CLASSES, definitions
from airflow_sv_versioning.server.behaviour.tags import NewTag, TagBook, put_tags
from airflow_sv_versioning.server.database import Writer
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import dumps, dumps_or_none, loads

_COLUMNS = (
    "id, item_id, dataset_id, class_id, object_id, geometry_type, geometry, geometry_meta, meta, "
    "custom_data, description, area, priority, nn_created, nn_updated, track_id, smart_tool_input, "
    "created_by, created_at, updated_at"
)


_INSERT = f"INSERT INTO figures ({_COLUMNS}) VALUES ({', '.join('?' * 20)})"  # noqa: S608


class FigureWriter:
    """Adds figures, with their tags, to items of one project."""

    def __init__(self, tx: Writer, project_id: int, user_id: int, labeler: str) -> None:
        self._tx = tx
        self._project_id = project_id
        self._user_id = user_id
        self._labeler = labeler
        self._book = TagBook(tx, project_id)
        rows = definitions(tx, CLASSES, project_id)
        self._shapes = {row["id"]: loads(row["definition"])["shape"] for row in rows}
        self._class_ids = {row["name"]: row["id"] for row in rows}

    def add(self, figures: Sequence[tuple[int, int, Mapping[str, Any]]]) -> list[int]:
        """Store figures; return their ids in order.

        :param figures: item id, dataset id and the figure as it came; its tags may be given by name or id.
        :raises RequestRejectedError: unknown class or tag, or geometry that must be uploaded separately.
        """
        ids = list(self._tx.new_ids(len(figures)))
        rows = [self._row(new_id, *figure) for new_id, figure in zip(ids, figures, strict=True)]
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

    def _row(self, new_id: int, item_id: int, dataset_id: int, figure: Mapping[str, Any]) -> tuple[Any, ...]:
        class_id = self._class_id(figure)
        geometry_type = figure.get("geometryType") or figure.get("shape") or self._shapes[class_id]
        geometry = inline_geometry(geometry_type, figure.get("geometry"))
        measured = extent(geometry_type, geometry)
        given_area = figure.get("area")
        return (
            new_id,
            item_id,
            dataset_id,
            class_id,
            figure.get("objectId"),
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
            figure.get("trackId"),
            dumps_or_none(figure.get("smartToolInput")),
            self._user_id,
            self._tx.stamp,
            self._tx.stamp,
        )

    def _class_id(self, figure: Mapping[str, Any]) -> int:
        given: int | None = figure.get("classId")
        class_id = given if given in self._shapes else self._class_ids.get(figure.get("classTitle") or "")
        if class_id is None:
            wanted = given or figure.get("classTitle")
            raise bad_request(f"Project {self._project_id} has no class {wanted!r}", type="UNKNOWN_CLASS")
        return class_id


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
