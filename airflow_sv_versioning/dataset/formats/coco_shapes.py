"""What COCO has of a shape: box, area, segmentation, key points.

Coordinates are whole pixels, and boxes reach from the first pixel to the last, so that they are the same as
the official converter makes of the same project. Source: ``Annotation.to_coco`` and
``_to_pixel_coordinate_system_json`` of SDK 6.74.51.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor
from typing import Any, NamedTuple

import msgspec

from airflow_sv_versioning.dataset.formats.geometry import (
    Bitmap,
    Box,
    KeyPoints,
    Lost,
    Node,
    TurnedBox,
    bounds,
    within,
)
from airflow_sv_versioning.dataset.formats.rle import runs_of_bitmap
from airflow_sv_versioning.dataset.formats.skeletons import Skeleton

# A pixel is of a box from which a larger share of it is.
_LEFT_OUT = 0.7
_TAKEN_IN = 0.3
_NOT_THERE = (0, 0, 0)
_HIDDEN, _SEEN = 1, 2


class Size(NamedTuple):
    """The size of what a shape lies on."""

    width: int
    height: int


class Drawn(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Members of an annotation, in their order.

    :param bbox: left, top, width, height.
    :param segmentation: polygons, each as one list of columns and rows; a mask; or nothing.
    """

    bbox: Sequence[float]
    area: float
    segmentation: Any
    keypoints: Sequence[float] | None = None
    num_keypoints: int | None = None


def text_of(drawn: Drawn) -> str:
    """Write it as JSON without the braces."""
    return msgspec.json.encode(drawn)[1:-1].decode()


def draw(shape: Box | TurnedBox | Bitmap | KeyPoints, size: Size, skeleton: Skeleton | None) -> Drawn:
    """Say what COCO has of a shape that is no polygon; see :mod:`coco_polygons` for those.

    :param size: of the item.
    :param skeleton: the key points of its class, if that has some.
    :raises Lost: it has nothing of it.
    """
    if isinstance(shape, KeyPoints):
        return _key_points(shape, size, skeleton)
    return _DRAWERS[type(shape)](shape, size)


def _box(shape: Box, _: Size) -> Drawn:
    left, top, right, bottom = shape.bounds
    first_column, last_column = _from_to(left, right)
    first_row, last_row = _from_to(top, bottom)
    if floor(left) == floor(right) and floor(top) == floor(bottom):
        return Drawn((floor(left), floor(top), 0, 0), 1, ())
    wide, high = last_column - first_column, last_row - first_row
    return Drawn((first_column, first_row, wide, high), (wide + 1) * (high + 1), ())


def _from_to(first: float, last: float) -> tuple[int, int]:
    """Tell the first and the last pixel of a box in one direction."""
    begin = ceil(first) if first % 1 >= _LEFT_OUT else floor(first)
    end = ceil(last) if last % 1 >= _TAKEN_IN else floor(last)
    return begin, max(begin, end - 1)


def _turned_box(shape: TurnedBox, _: Size) -> Drawn:
    """The official converter leaves turned boxes out; here they keep their parts of pixels."""
    left, top, right, bottom = (round(each, 2) for each in shape.bounds)
    outline = [round(each, 2) for corner in shape.corners for each in corner]
    return Drawn((left, top, round(right - left, 2), round(bottom - top, 2)), round(shape.area, 2), [outline])


def _bitmap(shape: Bitmap, size: Size) -> Drawn:
    seen = within(shape, size.width, size.height)
    runs = runs_of_bitmap(seen, size.width, size.height)
    high, wide = seen.mask.shape
    bbox = (seen.left, seen.top, wide - 1, high - 1)
    return Drawn(bbox, runs.area, {"size": runs.size, "counts": runs.counts})


def _key_points(shape: KeyPoints, size: Size, skeleton: Skeleton | None) -> Drawn:
    """The official converter takes nodes that are not there for points at 0, 0; here they do not count."""
    if skeleton is None:
        raise Lost
    if not shape.nodes.keys() <= set(skeleton.keys):
        raise Lost("nodes that its class has not")
    triples = [_triple(shape.nodes.get(key), size) for key in skeleton.keys]
    there = [triple for triple in triples if triple is not _NOT_THERE]
    left, top, right, bottom = bounds([(column, row) for column, row, _ in there])
    bbox = (left, top, right - left, bottom - top)
    return Drawn(bbox, bbox[2] * bbox[3], (), [each for triple in triples for each in triple], len(there))


def _triple(node: Node | None, size: Size) -> tuple[int, int, int]:
    if node is None:
        return _NOT_THERE
    column, row = (floor(each) - (each == far) for each, far in zip(node.loc, size, strict=True))
    return column, row, _HIDDEN if node.disabled else _SEEN


_DRAWERS: Mapping[type, Callable[[Any, Size], Drawn]] = {
    Box: _box,
    TurnedBox: _turned_box,
    Bitmap: _bitmap,
}
