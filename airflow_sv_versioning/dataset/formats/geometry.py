"""Geometries of the platform as shapes with an area, or with key points.

Geometry comes from projects of others: what cannot be read, or is of absurd size, is told as lost, and never
breaks an export.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import cos, sin
from typing import TYPE_CHECKING, Annotated

import msgspec

from airflow_sv_versioning.project_types.masks import UnreadableMaskError, read_mask

if TYPE_CHECKING:
    from airflow_sv_versioning.project_types.masks import Mask

FARTHEST = 1_000_000
"""Pixels; farther away than any picture is wide."""
_Coordinate = Annotated[float, msgspec.Meta(ge=-FARTHEST, le=FARTHEST)]
Point = tuple[_Coordinate, _Coordinate]
"""Column and row, in pixels from the item's upper left corner; the first pixel's centre is (0.5, 0.5)."""
Ring = Annotated[list[Point], msgspec.Meta(min_length=3)]
_TwoPoints = Annotated[list[Point], msgspec.Meta(min_length=2, max_length=2)]

UNREADABLE = "unreadable"
POLYGON = "polygon"


class Lost(Exception):  # noqa: N818
    """A format cannot hold a figure, or something of it.

    :param what: a word for it, such as ``holes`` or ``unreadable``; empty where it is all of its geometry.
    """

    def __init__(self, what: str = "") -> None:
        super().__init__(what)
        self.what = what


class Part(msgspec.Struct, gc=False):
    """A closed line, and what is cut out of its inside."""

    exterior: Ring
    interior: list[Ring] | None = None


class Polygons(msgspec.Struct, frozen=True, gc=False):
    """One polygon, or several that are one figure."""

    parts: Sequence[Part]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return bounds([point for part in self.parts for point in part.exterior])


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; its right and bottom edges lie behind the last pixel."""

    bounds: tuple[float, float, float, float]

    @property
    def corners(self) -> Sequence[Point]:
        """From the upper left one clockwise."""
        left, top, right, bottom = self.bounds
        return (left, top), (right, top), (right, bottom), (left, bottom)


@dataclass(frozen=True, slots=True)
class TurnedBox:
    """A rectangle that was turned about its centre."""

    corners: Sequence[Point]
    area: float

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return bounds(self.corners)


@dataclass(frozen=True, slots=True)
class Bitmap:
    """Pixels, the first of which lies at left, top; each edge has some."""

    left: int
    top: int
    mask: Mask

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        height, width = self.mask.shape
        return self.left, self.top, self.left + width, self.top + height


class Node(msgspec.Struct, gc=False):
    """A key point."""

    loc: Point
    disabled: bool | None = False


@dataclass(frozen=True, slots=True)
class KeyPoints:
    """Nodes by the keys that their class has for them."""

    nodes: Mapping[str, Node]


Shape = Polygons | Box | TurnedBox | Bitmap | KeyPoints


def read_geometry(geometry_type: str, text: str | None) -> Shape:
    """Read a geometry.

    :param text: JSON.
    :raises Lost: no shape with an area and no key points, or nobody can read it.
    """
    reader = _READERS.get(geometry_type)
    if reader is None:
        raise Lost
    if text is None:
        raise Lost(UNREADABLE)
    try:
        return reader(text)
    except (msgspec.MsgspecError, UnreadableMaskError, RecursionError, UnicodeError) as error:
        raise Lost(UNREADABLE) from error


def bounds(points: Sequence[Point]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of some points."""
    columns, rows = zip(*points, strict=True)
    return min(columns), min(rows), max(columns), max(rows)


class _Polygon(msgspec.Struct, gc=False):
    points: Part


class _Multipolygon(msgspec.Struct, gc=False):
    parts: Annotated[list[Part], msgspec.Meta(min_length=1)]


class _Corners(msgspec.Struct, gc=False):
    exterior: _TwoPoints


class _Box(msgspec.Struct, gc=False):
    # The SDK nests the corners of turned boxes otherwise than the platform does.
    points: _Corners | _TwoPoints
    angle: float | None = None


class _Graph(msgspec.Struct, gc=False):
    nodes: Annotated[dict[str, Node], msgspec.Meta(min_length=1)]


class _Picture(msgspec.Struct, gc=False):
    origin: Point
    data: str


class _Mask(msgspec.Struct, gc=False):
    """The mask of a figure stands under its type; one that is fetched apart stands alone."""

    bitmap: _Picture | None = None
    alpha_mask: _Picture | None = None
    origin: Point | None = None
    data: str | None = None


_polygon_decoder = msgspec.json.Decoder(_Polygon)
_multipolygon_decoder = msgspec.json.Decoder(_Multipolygon)
_box_decoder = msgspec.json.Decoder(_Box)
_graph_decoder = msgspec.json.Decoder(_Graph)
_mask_decoder = msgspec.json.Decoder(_Mask)


def _polygon(text: str) -> Polygons:
    return Polygons((_polygon_decoder.decode(text).points,))


def _multipolygon(text: str) -> Polygons:
    return Polygons(_multipolygon_decoder.decode(text).parts)


def _rectangle(text: str) -> Box:
    return _upright(_box_decoder.decode(text))


def _upright(box: _Box) -> Box:
    points = box.points.exterior if isinstance(box.points, _Corners) else box.points
    return Box(bounds(points))


def _oriented_box(text: str) -> TurnedBox:
    """Turn a rectangle about its centre, clockwise, by radians. Source: observed with SDK 6.74.51."""
    stated = _box_decoder.decode(text)
    left, top, right, bottom = _upright(stated).bounds
    x, y, angle = (left + right) / 2, (top + bottom) / 2, stated.angle or 0.0
    across, along = partial(_turned, cos(angle), sin(angle)), ((right - left) / 2, (bottom - top) / 2)
    moves = [across(along[0] * sign_x, along[1] * sign_y) for sign_x, sign_y in _AROUND]
    return TurnedBox([(x + dx, y + dy) for dx, dy in moves], (right - left) * (bottom - top))


def _turned(cosine: float, sine: float, x: float, y: float) -> Point:
    return x * cosine - y * sine, x * sine + y * cosine


def _key_points(text: str) -> KeyPoints:
    return KeyPoints(_graph_decoder.decode(text).nodes)


def _bitmap(text: str) -> Bitmap:
    stated = _mask_decoder.decode(text)
    picture = stated.bitmap or stated.alpha_mask
    origin, data = (picture.origin, picture.data) if picture else (stated.origin, stated.data)
    if origin is None:
        raise Lost(UNREADABLE)
    return _tight(int(origin[0] // 1), int(origin[1] // 1), read_mask(data))


def _tight(left: int, top: int, mask: Mask) -> Bitmap:
    rows, columns = mask.any(axis=1).nonzero()[0], mask.any(axis=0).nonzero()[0]
    first_row, first_column = int(rows[0]), int(columns[0])
    inner = mask[first_row : int(rows[-1]) + 1, first_column : int(columns[-1]) + 1]
    return Bitmap(left + first_column, top + first_row, inner)


def within(bitmap: Bitmap, width: int, height: int) -> Bitmap:
    """Cut a mask off at the edges of its item.

    :raises Lost: nothing of it lies on the item.
    """
    left, top = max(bitmap.left, 0), max(bitmap.top, 0)
    mask = bitmap.mask[
        top - bitmap.top : max(height - bitmap.top, 0), left - bitmap.left : max(width - bitmap.left, 0)
    ]
    if mask.shape == bitmap.mask.shape:
        return bitmap
    if not mask.any():
        raise Lost(OUTSIDE)
    return _tight(left, top, mask)


OUTSIDE = "outside the item"
_AROUND = ((-1, -1), (1, -1), (1, 1), (-1, 1))
_READERS: Mapping[str, Callable[[str], Shape]] = {
    "rectangle": _rectangle,
    "oriented_bbox": _oriented_box,
    POLYGON: _polygon,
    "multipolygon": _multipolygon,
    "graph": _key_points,
    "bitmap": _bitmap,
    "alpha_mask": _bitmap,
}
