"""The line that YOLO has of a shape, in parts of the picture's width and height.

Coordinates keep their parts of pixels; what lies beyond the picture's edges is cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from airflow_sv_versioning.dataset.formats.contours import Contours, find_contours
from airflow_sv_versioning.dataset.formats.geometry import (
    OUTSIDE,
    Bitmap,
    Box,
    KeyPoints,
    Lost,
    Node,
    Point,
    Polygons,
    Shape,
    TurnedBox,
    bounds,
    within,
)
from airflow_sv_versioning.dataset.formats.skeletons import Skeleton

_DIGITS = 6
_NOT_THERE, _HIDDEN, _SEEN = 0, 1, 2


class Setting(NamedTuple):
    """What a shape is on, and the key points that it can have.

    :param skeleton: of its class, ``None`` where that has none.
    :param most: how many key points the class with the most has.
    """

    width: int
    height: int
    skeleton: Skeleton | None = None
    most: int = 0


class Label(NamedTuple):
    """A line without its class.

    :param lost: what is not in it, as words.
    """

    numbers: str
    lost: Sequence[str] = ()


def detect(shape: Shape, on: Setting) -> Label:
    """Write the box around an area: its centre, width and height.

    :raises Lost: it has no area.
    """
    if isinstance(shape, KeyPoints):
        raise Lost
    _check(shape.bounds, on)
    return Label(_box(shape.bounds, on))


def segment(shape: Shape, on: Setting) -> Label:
    """Write the outline of an area, of several the largest.

    :raises Lost: it has no area.
    """
    if isinstance(shape, KeyPoints):
        raise Lost
    found = _outlines(shape, on)
    if not found.parts:
        raise Lost(OUTSIDE)
    lost = [word for word, is_lost in (("parts", len(found.parts) > 1), ("holes", found.holes)) if is_lost]
    return Label(_points(max(found.parts, key=_enclosed), on), lost)


def pose(shape: Shape, on: Setting) -> Label:
    """Write the box around key points, then each with 0 (not there), 1 (hidden) or 2 (seen).

    :raises Lost: it is no graph of a class with key points.
    """
    if not isinstance(shape, KeyPoints) or on.skeleton is None:
        raise Lost
    if not shape.nodes.keys() <= set(on.skeleton.keys):
        raise Lost("nodes that its class has not")
    nodes = [shape.nodes.get(key) for key in on.skeleton.keys]
    seen = [node if node and _is_on(node.loc, on) else None for node in nodes]
    places = [node.loc for node in seen if node]
    if not places:
        raise Lost(OUTSIDE)
    padded = [*seen, *[None] * (on.most - len(seen))]
    numbers = " ".join((_box(bounds(places), on), *(_key_point(node, on) for node in padded)))
    return Label(numbers, ["nodes outside the item"] if len(places) < len(shape.nodes) else ())


def obb(shape: Shape, on: Setting) -> Label:
    """Write the four corners of a box, turned or not.

    :raises Lost: it is no box.
    """
    if not isinstance(shape, (Box, TurnedBox)):
        raise Lost
    _check(bounds(shape.corners), on)
    return Label(_points(shape.corners, on))


TASKS: Mapping[str, Callable[[Shape, Setting], Label]] = {
    "detect": detect,
    "segment": segment,
    "pose": pose,
    "obb": obb,
}


def _outlines(shape: Polygons | Box | TurnedBox | Bitmap, on: Setting) -> Contours:
    if isinstance(shape, Bitmap):
        return find_contours(within(shape, on.width, on.height))
    if isinstance(shape, Polygons):
        holes = [hole for part in shape.parts for hole in part.interior or ()]
        return Contours([ring for part in shape.parts for ring in _cut_off(part.exterior, on)], holes)
    return Contours(_cut_off(shape.corners, on), [])


def _cut_off(ring: Sequence[Point], on: Setting) -> list[Sequence[Point]]:
    """Tell what of an outline lies on the picture: nothing, one outline, or several."""
    left, top, right, bottom = bounds(ring)
    if left >= 0 and top >= 0 and right <= on.width and bottom <= on.height:
        return [ring]
    import shapely

    polygon = shapely.make_valid(shapely.Polygon(ring))
    seen = shapely.intersection(polygon, shapely.box(0, 0, on.width, on.height))
    # Twice, for a collection may hold several polygons as one; lines and points are edges that it touches.
    parts = shapely.get_parts(shapely.get_parts(seen))
    return [list(part.exterior.coords)[:-1] for part in parts if part.geom_type == "Polygon" and part.area]


def _key_point(node: Node | None, on: Setting) -> str:
    if node is None:
        return f"{_points([(0.0, 0.0)], on)} {_NOT_THERE}"
    return f"{_points([node.loc], on)} {_HIDDEN if node.disabled else _SEEN}"


def _is_on(point: Point, on: Setting) -> bool:
    return 0 <= point[0] <= on.width and 0 <= point[1] <= on.height


def _enclosed(ring: Sequence[Point]) -> float:
    following = [*ring[1:], ring[0]]
    return abs(sum(x * next_y - y * next_x for (x, y), (next_x, next_y) in zip(ring, following, strict=True)))


def _box(around: tuple[float, float, float, float], on: Setting) -> str:
    left, top, right, bottom = around
    left, right = (_share(each, on.width) for each in (left, right))
    top, bottom = (_share(each, on.height) for each in (top, bottom))
    return _written((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)


def _check(around: tuple[float, float, float, float], on: Setting) -> None:
    left, top, right, bottom = around
    if right <= 0 or bottom <= 0 or left >= on.width or top >= on.height:
        raise Lost(OUTSIDE)


def _points(points: Sequence[Point], on: Setting) -> str:
    return _written(*(each for x, y in points for each in (_share(x, on.width), _share(y, on.height))))


def _share(place: float, whole: int) -> float:
    return min(max(place / whole, 0.0), 1.0)


def _written(*numbers: float) -> str:
    return " ".join(f"{number:.{_DIGITS}f}" for number in numbers)
