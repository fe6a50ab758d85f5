"""What COCO has of polygons, many at once: a project has millions of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_sv_versioning.dataset.formats.coco_shapes import Drawn, Size
from airflow_sv_versioning.dataset.formats.geometry import Lost, Polygons, Ring
from airflow_sv_versioning.dataset.formats.polygon_texts import read_outlines
from airflow_sv_versioning.dataset.formats.rle import runs_of_polygons

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]


class _Measured(NamedTuple):
    """Closed lines in whole pixels, in lists of one length.

    :param outlines: of each its columns and rows by turns.
    :param boxes: of each left, top, width, height.
    :param areas: by the shoelace formula.
    """

    outlines: list[list[int]]
    boxes: list[list[int]]
    areas: list[float]


def draw_polygons(shapes: Sequence[tuple[Polygons, Size]]) -> list[Drawn | Lost]:
    """Say what COCO has of each, or why it has nothing of it."""
    if not shapes:
        return []
    rings: list[Ring] = []
    sizes: list[Size] = []
    for shape, size in shapes:
        of_shape = _rings(shape)
        rings += of_shape
        sizes += [size] * len(of_shape)
    outlines, boxes, areas = _measure(rings, sizes)
    drawn: list[Drawn | Lost] = []
    place = 0
    for shape, size in shapes:
        if _is_simple(shape):
            drawn.append(Drawn(boxes[place], areas[place], [outlines[place]]))
            place += 1
        else:
            end = place + len(_rings(shape))
            own = _Measured(outlines[place:end], boxes[place:end], areas[place:end])
            drawn.append(_draw(shape, size, own))
            place = end
    return drawn


def draw_plain_polygons(texts: Sequence[str | None], sizes: Sequence[Size]) -> list[Drawn | None]:
    """Say the same of polygons without holes by their JSON texts; ``None`` of whatever else is among them."""

    drawn: list[Drawn | None] = [None] * len(texts)
    outlines = read_outlines(texts)
    if outlines is None or not len(outlines.places):
        return drawn
    measured = _measure_points(outlines.points, outlines.lengths, _array(sizes)[outlines.places])
    for place, outline, box, area in zip(outlines.places.tolist(), *measured, strict=True):
        drawn[place] = Drawn(box, area, [outline])
    return drawn


def _is_simple(shape: Polygons) -> bool:
    return len(shape.parts) == 1 and not shape.parts[0].interior


def _rings(shape: Polygons) -> list[Ring]:
    """List outlines, then holes."""
    outlines = [part.exterior for part in shape.parts]
    return outlines if _is_simple(shape) else outlines + list(_holes(shape))


def _holes(shape: Polygons) -> Iterator[Ring]:
    return (hole for part in shape.parts for hole in part.interior or ())


def _draw(shape: Polygons, size: Size, rings: _Measured) -> Drawn | Lost:
    """Draw several polygons, or one with holes."""
    count = len(shape.parts)
    box, area = _around(rings.boxes[:count]), sum(rings.areas[:count]) - sum(rings.areas[count:])
    if len(rings.areas) == count:
        return Drawn(box, area, rings.outlines)
    try:
        runs = runs_of_polygons(shape.parts, size.width, size.height)
    except Lost as lost:
        return lost
    return Drawn(box, area, {"size": runs.size, "counts": runs.counts})


def _around(boxes: Sequence[Sequence[int]]) -> Sequence[int]:
    left, top = (min(box[axis] for box in boxes) for axis in (0, 1))
    right, bottom = (max(box[axis] + box[axis + 2] for box in boxes) for axis in (0, 1))
    return left, top, right - left, bottom - top


def _measure(rings: Sequence[Ring], sizes: Sequence[Size]) -> _Measured:
    """Measure rings; a point on its item's far edge is of the last pixel."""
    import numpy as np

    lengths = np.array(list(map(len, rings)))
    numbers = chain.from_iterable(chain.from_iterable(rings))
    points = np.fromiter(numbers, np.float64, 2 * int(lengths.sum())).reshape(-1, 2)
    return _measure_points(points, lengths, _array(sizes))


def _array(sizes: Sequence[Size]) -> Numbers:
    import numpy as np

    return np.fromiter(chain.from_iterable(sizes), np.int64, 2 * len(sizes)).reshape(-1, 2)


def _measure_points(points: Numbers, lengths: Numbers, sizes: Numbers) -> _Measured:
    """Measure rings, whose points stand one after the other."""
    import numpy as np

    ends = np.cumsum(lengths)
    begins = ends - lengths
    pixels = np.floor(points).astype(np.int64) - (points == np.repeat(sizes, lengths, axis=0))
    following = np.arange(1, len(pixels) + 1)
    following[ends - 1] = begins
    products = pixels[:, 0] * pixels[following, 1] - pixels[:, 1] * pixels[following, 0]
    areas = np.abs(np.add.reduceat(products, begins)) / 2
    corner, opposite = np.minimum.reduceat(pixels, begins), np.maximum.reduceat(pixels, begins)
    boxes = np.concatenate((corner, opposite - corner), axis=1)
    flat = pixels.ravel().tolist()
    outlines = [flat[2 * begin : 2 * end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]
    return _Measured(outlines, boxes.tolist(), areas.tolist())
