"""Figures that reach out of their image or video."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_project
from airflow_sv_versioning.server.database import Reader
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import loads

# The platform's manual names the switch "Skip boundary validation checks", but not its key: this is the
# name of the flag that requests have.
SWITCH = "skipBoundsValidation"
# Members that hold points: [x, y] in pixels.
_RINGS = ("exterior", "interior")


def check_bounds(db: Reader, project_id: int, figures: Sequence[tuple[int, int, Mapping[str, Any]]]) -> None:
    """Refuse figures with a point outside of their item, unless the project's settings allow it.

    :param figures: item id, dataset id and figure. What is not made of points fits, and all fits into an
        item of unknown size.
    """
    project = get_project(db, project_id)
    if project["type"] not in {"images", "videos"} or loads(project["settings"]).get(SWITCH):
        return
    rows = db.among("items", "id", {item_id for item_id, _, _ in figures}, "id, width, height")
    sizes = {row["id"]: (row["width"], row["height"]) for row in rows if row["width"] and row["height"]}
    for index, (item_id, _, figure) in enumerate(figures):
        if item_id not in sizes:
            continue
        width, height = sizes[item_id]
        outside = [
            (x, y) for x, y in _points(figure.get("geometry")) if not (0 <= x <= width and 0 <= y <= height)
        ]
        if outside:
            raise bad_request(
                f"Figure {index} of the request has the point {outside[0]} outside of item {item_id}, "
                f"which is {width} x {height}",
                type="OUT_OF_BOUNDS",
                figures=[index],
            )


def _points(geometry: Any) -> Iterator[tuple[float, float]]:
    points = geometry.get("points") if isinstance(geometry, Mapping) else None
    if isinstance(points, Mapping):
        for name in _RINGS:
            yield from _flat(points.get(name))


def _flat(value: Any) -> Iterator[tuple[float, float]]:
    """The points of a ring, or of a list of rings."""
    if not isinstance(value, list):
        return
    if len(value) == 2 and all(isinstance(number, (int, float)) for number in value):
        yield value[0], value[1]
        return
    for part in value:
        yield from _flat(part)
