"""How much two shapes have in common, and how far apart they are.

A geometry may be anything: what cannot be read as a shape of its type has none, and so overlaps nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.masks import read_mask

if TYPE_CHECKING:
    import numpy as np
    from shapely.geometry.base import BaseGeometry

    Mask = np.ndarray[Any, Any]
    Point = tuple[float, float]

# Points that are a tenth of the item's diagonal apart have nothing in common.
_FAR = 0.1


@dataclass(frozen=True)
class Overlap:
    """What two shapes have in common.

    :param score: from 0, nothing, to 1, all; what pairs are chosen by.
    :param iou: shared area over united area; ``None`` for shapes without an area.
    """

    score: float
    iou: float | None = None


NOTHING = Overlap(0.0)


@dataclass(frozen=True)
class Region:
    """A shape with an area, in pixels."""

    geometry: BaseGeometry

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        left, top, right, bottom = self.geometry.bounds
        return left, top, right, bottom

    @property
    def area(self) -> float:
        """In square pixels."""
        return float(self.geometry.area)

    @property
    def centre(self) -> Point:
        """Its centre of mass."""
        return self.geometry.centroid.x, self.geometry.centroid.y


@dataclass(frozen=True)
class Bitmap:
    """A mask of pixels; its origin is that of its upper left corner."""

    origin: tuple[int, int]
    mask: Mask

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        height, width = self.mask.shape
        left, top = self.origin
        return left, top, left + width, top + height

    @property
    def area(self) -> float:
        """In pixels."""
        return float(self.mask.sum())

    @property
    def centre(self) -> Point:
        """Its centre of mass."""
        ys, xs = self.mask.nonzero()
        return float(self.origin[0] + xs.mean() + 0.5), float(self.origin[1] + ys.mean() + 0.5)


@dataclass(frozen=True)
class Nodes:
    """Points that have names, or a row of points."""

    points: Mapping[str, Point]
    is_line: bool = False

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        xs, ys = zip(*self.points.values(), strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def centre(self) -> Point:
        """The mean of its points."""
        xs, ys = zip(*self.points.values(), strict=True)
        return sum(xs) / len(xs), sum(ys) / len(ys)


@dataclass(frozen=True)
class Voxels:
    """A mask in space."""

    mask: Mask

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Those of the whole volume, which masks fill."""
        return 0, 0, self.mask.shape[0], self.mask.shape[1]

    @property
    def area(self) -> float:
        """In voxels."""
        return float(self.mask.sum())

    @property
    def centre(self) -> tuple[float, ...]:
        """Its centre of mass, in voxels."""
        return tuple(float(axis.mean()) for axis in self.mask.nonzero()) if self.mask.any() else (0, 0, 0)


Shape = Region | Bitmap | Nodes | Voxels
ShapeT = TypeVar("ShapeT", bound=Shape)


def read_shape(geometry_type: str, text: str | None) -> Shape | None:
    """Read a geometry; ``None`` for what is no shape on a picture, or cannot be read."""
    reader = _READERS.get(geometry_type)
    return None if reader is None or text is None else _readable(lambda: reader(json.loads(text)))


def read_voxels(path: Path) -> Voxels | None:
    """Read the file of a mask in space; ``None`` if there is none, or it cannot be read."""
    from airflow_sv_versioning.project_types.volumes.nrrd import read_nrrd

    return _readable(lambda: Voxels(read_nrrd(path.read_bytes(), path.name).voxels != 0))


def _readable(read: Callable[[], ShapeT]) -> ShapeT | None:
    import shapely
    from PIL import Image

    try:
        shape = read()
        is_whole = all(math.isfinite(number) for number in shape.bounds)
    except (*_UNREADABLE, shapely.errors.ShapelyError, Image.DecompressionBombError):
        return None
    return shape if is_whole else None


def overlap(one: Shape, other: Shape, diagonal: float) -> Overlap:
    """Tell what two shapes have in common; shapes of different kinds have nothing.

    :param diagonal: of the item, in pixels; 0 where nobody knows.
    """
    if isinstance(one, Region) and isinstance(other, Region):
        return _shared_area(one.geometry.intersection(other.geometry).area, one.area, other.area)
    if isinstance(one, Bitmap) and isinstance(other, Bitmap):
        return _shared_area(_shared_pixels(one, other), one.area, other.area)
    if isinstance(one, Voxels) and isinstance(other, Voxels):
        if one.mask.shape != other.mask.shape:
            return NOTHING
        return _shared_area(float((one.mask & other.mask).sum()), one.area, other.area)
    if isinstance(one, Nodes) and isinstance(other, Nodes) and one.is_line == other.is_line:
        distance = _line_distance(one, other) if one.is_line else _node_distance(one, other)
        far = _FAR * (diagonal or _extent(one, other))
        return Overlap(max(0.0, 1 - distance / far) if far else float(not distance))
    return NOTHING


def _extent(one: Shape, other: Shape) -> float:
    """The diagonal of the box around both."""
    (x1, y1, x2, y2), (x3, y3, x4, y4) = one.bounds, other.bounds
    return math.hypot(max(x2, x4) - min(x1, x3), max(y2, y4) - min(y1, y3))


def at_most(one: Shape, other: Shape) -> float:
    """Tell what an overlap cannot exceed, by boxes and areas alone: a filter before the real one."""
    if isinstance(one, Nodes) or isinstance(other, Nodes):
        return 1.0
    left, top, right, bottom = one.bounds
    x1, y1, x2, y2 = other.bounds
    shared = max(0.0, min(right, x2) - max(left, x1)) * max(0.0, min(bottom, y2) - max(top, y1))
    larger = max(one.area, other.area)
    return min(shared, one.area, other.area) / larger if larger else 0.0


def shift_between(one: Shape, other: Shape) -> float:
    """Tell how far the centre moved, in pixels."""
    centres = one.centre, other.centre
    return math.dist(*centres) if len(centres[0]) == len(centres[1]) else math.inf


def largest_deviation(one: Any, other: Any) -> float:
    """Tell how far two geometries, as JSON values, lie apart at most; infinite if they differ in more.

    Every number counts as a coordinate.
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        if one.keys() != other.keys():
            return math.inf
        return _largest((one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return _largest(zip(one, other, strict=True)) if len(one) == len(other) else math.inf
    if _is_number(one) and _is_number(other):
        return float(abs(one - other))
    return 0.0 if one == other else math.inf


def _largest(pairs: Iterable[tuple[Any, Any]]) -> float:
    return max((largest_deviation(one, other) for one, other in pairs), default=0.0)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shared_area(shared: float, one: float, other: float) -> Overlap:
    united = one + other - shared
    iou = float(shared / united) if united else 0.0
    return Overlap(iou, iou)


def _shared_pixels(one: Bitmap, other: Bitmap) -> float:
    left, top = (max(first, second) for first, second in zip(one.origin, other.origin, strict=True))
    right, bottom = (
        min(first, second) for first, second in zip(one.bounds[2:], other.bounds[2:], strict=True)
    )
    if right <= left or bottom <= top:
        return 0.0
    cut_out = [
        shape.mask[
            top - shape.origin[1] : int(bottom) - shape.origin[1],
            left - shape.origin[0] : int(right) - shape.origin[0],
        ]
        for shape in (one, other)
    ]
    return float((cut_out[0] & cut_out[1]).sum())


def _node_distance(one: Nodes, other: Nodes) -> float:
    """The mean distance of nodes of one name; far, where too few have a pair."""
    names = one.points.keys() & other.points.keys()
    if 2 * len(names) < max(len(one.points), len(other.points)):
        return math.inf
    return sum(math.dist(one.points[name], other.points[name]) for name in names) / len(names)


def _line_distance(one: Nodes, other: Nodes) -> float:
    """The mean distance of the points of each line to the other line."""
    import shapely

    lines = [shapely.LineString(list(line.points.values())) for line in (one, other)]
    distances = [
        shapely.distance(shapely.points(list(points.points.values())), line).mean()
        for points, line in ((one, lines[1]), (other, lines[0]))
    ]
    return float(sum(distances) / 2)


def _rectangle(geometry: Any) -> Region:
    import shapely

    (x1, y1), (x2, y2) = geometry["points"]["exterior"]
    return Region(shapely.box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)))


def _oriented_box(geometry: Any) -> Region:
    import shapely.affinity

    turned = shapely.affinity.rotate(
        _rectangle(geometry).geometry, float(geometry["angle"]), origin="center", use_radians=True
    )
    return Region(turned)


def _polygon(geometry: Any) -> Region:
    import shapely

    points = geometry["points"]
    outline = shapely.Polygon(points["exterior"], points.get("interior") or [])
    return Region(outline if outline.is_valid else shapely.make_valid(outline))


def _hull(points: Iterable[Any]) -> Region:
    import shapely

    return Region(shapely.MultiPoint([tuple(point) for point in points]).convex_hull)


def _cuboid(geometry: Any) -> Region:
    return _hull(geometry["points"])


def _cuboid_2d(geometry: Any) -> Region:
    return _hull(vertex["loc"] for vertex in geometry["vertices"].values())


def _graph(geometry: Any) -> Nodes:
    return Nodes({name: _point_of(node["loc"]) for name, node in geometry["nodes"].items()})


def _line(geometry: Any) -> Nodes:
    points = [_point_of(point) for point in geometry["points"]["exterior"]]
    # A line of one point is the way from there to itself.
    points = points * 2 if len(points) == 1 else points
    return Nodes({str(number): point for number, point in enumerate(points)}, is_line=True)


def _point(geometry: Any) -> Nodes:
    (point,) = geometry["points"]["exterior"]
    return Nodes({"": _point_of(point)})


def _point_of(point: Any) -> Point:
    x, y = point
    return float(x), float(y)


def _bitmap(geometry: Any) -> Bitmap:
    # The mask of a figure stands under its type; one that is fetched apart stands alone.
    stated = geometry.get("bitmap") or geometry.get("alpha_mask") or geometry
    x, y = stated["origin"]
    return Bitmap((int(x), int(y)), read_mask(stated["data"]))


_READERS: Mapping[str, Callable[[Any], Shape]] = {
    "rectangle": _rectangle,
    "oriented_bbox": _oriented_box,
    "polygon": _polygon,
    "cuboid": _cuboid,
    "cuboid_2d": _cuboid_2d,
    "graph": _graph,
    "line": _line,
    "point": _point,
    "bitmap": _bitmap,
    "alpha_mask": _bitmap,
}
# What is raised at data of any shape, beside the errors of the libraries.
_UNREADABLE = (
    FormatError,
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)
