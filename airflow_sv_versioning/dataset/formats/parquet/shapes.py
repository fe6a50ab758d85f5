"""What columns tell of geometries: the box around each, and its points."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_sv_versioning.compare.shapes import Bitmap, read_shape

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_WITH_POINTS = frozenset({"polygon", "line", "point"})


class _Points(msgspec.Struct):
    exterior: list[Point]
    interior: list[list[Point]] | None = None


class _Geometry(msgspec.Struct):
    points: _Points


_GEOMETRY = msgspec.json.Decoder(_Geometry)


def shape_columns(geometry_types: Iterable[str], texts: Iterable[str | None]) -> dict[str, pa.Array]:
    """Read geometries; what is malformed, or has no place on a picture, is null.

    :returns: ``bbox``, left, top, width and height; ``exterior``, the points of a polygon or a line, or the
        one of a point; ``interior``, the holes. All in pixels.
    """
    columns = _ShapeColumns()
    for geometry_type, text in zip(geometry_types, texts, strict=True):
        columns.append(geometry_type, text)
    return columns.finish()


class _ShapeColumns:
    """Columns in the making: a polygon's points are but numbers in them, not objects of Python."""

    def __init__(self) -> None:
        self._coordinates = array("d")
        # Of the exterior of each figure; None where it has no column.
        self._lengths: list[int | None] = []
        self._interiors: list[Sequence[Sequence[Point]] | None] = []
        self._boxes: dict[int, Box] = {}

    def append(self, geometry_type: str, text: str | None) -> None:
        """Read the next geometry."""
        if text is not None and geometry_type in _WITH_POINTS and (points := _points_of(text)):
            self._coordinates.extend(chain.from_iterable(points.exterior))
            self._lengths.append(len(points.exterior))
            self._interiors.append(points.interior)
            return
        if text is not None and (box := _box_of(geometry_type, text)):
            self._boxes[len(self._lengths)] = box
        self._lengths.append(None)
        self._interiors.append(None)

    def finish(self) -> dict[str, pa.Array]:
        """Make the columns."""
        import numpy as np
        import pyarrow as pa

        lengths = np.array([length or 0 for length in self._lengths], np.int32)
        has_none = pa.array([length is None for length in self._lengths], pa.bool_())
        ends = np.append(np.int32(0), lengths.cumsum(dtype=np.int32))
        points = np.frombuffer(self._coordinates, np.float64).reshape(-1, 2)
        pairs = _lists(np.arange(0, 2 * len(points) + 1, 2, dtype=np.int32), points)
        interior_type = pa.list_(pa.list_(pa.list_(pa.float64())))
        return {
            "bbox": self._boxes_around(points, lengths, ends),
            "exterior": pa.ListArray.from_arrays(ends, pairs, mask=has_none),
            "interior": pa.array(self._interiors, interior_type),
        }

    def _boxes_around(self, points: Any, lengths: Any, ends: Any) -> pa.Array:
        import numpy as np
        import pyarrow as pa

        edges = np.zeros((len(lengths), 4))
        has_points = lengths > 0
        if len(points):
            starts = ends[:-1][has_points]
            edges[has_points, :2] = np.minimum.reduceat(points, starts)
            edges[has_points, 2:] = np.maximum.reduceat(points, starts)
        for place, box in self._boxes.items():
            edges[place], has_points[place] = box, True
        edges[:, 2:] -= edges[:, :2]
        offsets = np.arange(0, 4 * len(edges) + 1, 4, dtype=np.int32)
        return pa.ListArray.from_arrays(offsets, pa.array(edges.ravel()), mask=pa.array(~has_points))


def _lists(offsets: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> pa.ListArray:
    import pyarrow as pa

    return pa.ListArray.from_arrays(offsets, pa.array(values.ravel()))


def _points_of(text: str) -> _Points | None:
    try:
        return _GEOMETRY.decode(text).points
    except (msgspec.MsgspecError, RecursionError):
        return None


def _box_of(geometry_type: str, text: str) -> Box | None:
    if geometry_type == "rectangle":
        points = _points_of(text)
        return _box_around(points.exterior) if points and points.exterior else None
    shape = read_shape(geometry_type, text)
    if shape is None:
        return None
    return _pixels_of(shape) if isinstance(shape, Bitmap) else shape.bounds


def _box_around(points: Sequence[Point]) -> Box:
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _pixels_of(shape: Bitmap) -> Box:
    """Tell the edges of a mask's pixels, which need not fill its picture."""
    (left, top), mask = shape.origin, shape.mask
    columns, rows = mask.any(axis=0).nonzero()[0], mask.any(axis=1).nonzero()[0]
    return left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]) + 1, top + int(rows[-1]) + 1
