"""What COCO has of polygons, many at once: a project has millions of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_sv_versioning.dataset.formats.coco_shapes import Drawn, Size
from airflow_sv_versioning.dataset.formats.geometry import Lost, Polygons, Ring
from airflow_sv_versioning.dataset.formats.polygon_texts import Outlines
from airflow_sv_versioning.dataset.formats.rle import runs_of_polygons

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]


class _Measured(NamedTuple):
    """Closed lines in whole pixels.

    :param pixels: of all lines one after the other, columns and rows by turns.
    :param ends: where each line ends among them, the first of none.
    :param boxes: of each left, top, width, height.
    :param double_areas: twice what the shoelace formula gives.
    """

    pixels: Numbers
    ends: Numbers
    boxes: Numbers
    double_areas: Numbers


class _Lines(NamedTuple):
    """The same as lists of one length."""

    outlines: list[list[int]]
    boxes: list[list[int]]
    areas: list[float]


def draw_outlines(outlines: Outlines, sizes: Sequence[Size]) -> pa.StringArray:
    """Write what COCO has of plain polygons, as :func:`~.coco_shapes.text_of` does of others.

    :param sizes: of all figures, also of those that are no such polygons.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    measured = _measure_points(outlines.points, outlines.lengths, _array(sizes)[outlines.is_plain])
    wholes, halves = np.divmod(measured.double_areas, 2)
    boxes = measured.boxes
    return pc.binary_join_element_wise(
        '"bbox":[',
        pc.binary_join_element_wise(*(_texts(boxes[:, side]) for side in range(4)), ","),
        '],"area":',
        _texts(wholes),
        pa.array([".0", ".5"]).take(pa.array(halves)),
        ',"segmentation":[[',
        pc.binary_join(
            pa.ListArray.from_arrays(pa.array(measured.ends, pa.int32()), _pixel_texts(measured.pixels)), ","
        ),
        "]]",
        "",
    )


def _texts(numbers: Numbers) -> pa.StringArray:
    import pyarrow as pa

    return pa.array(numbers).cast(pa.string())


def _pixel_texts(pixels: Numbers) -> pa.StringArray:
    """Write numbers of which most come again and again: each is looked up, which takes half as long."""
    import numpy as np
    import pyarrow as pa

    first, last = pixels.min(initial=0), pixels.max(initial=0)
    if last - first > len(pixels):
        return _texts(pixels)
    return _texts(np.arange(first, last + 1)).take(pa.array(pixels - first))


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
        end = place + len(_rings(shape))
        drawn.append(_draw(shape, size, _Lines(outlines[place:end], boxes[place:end], areas[place:end])))
        place = end
    return drawn


def _rings(shape: Polygons) -> list[Ring]:
    """List outlines, then holes."""
    return [part.exterior for part in shape.parts] + list(_holes(shape))


def _holes(shape: Polygons) -> Iterator[Ring]:
    return (hole for part in shape.parts for hole in part.interior or ())


def _draw(shape: Polygons, size: Size, rings: _Lines) -> Drawn | Lost:
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


def _measure(rings: Sequence[Ring], sizes: Sequence[Size]) -> _Lines:
    """Measure rings."""
    import numpy as np

    lengths = np.array(list(map(len, rings)))
    numbers = chain.from_iterable(chain.from_iterable(rings))
    points = np.fromiter(numbers, np.float64, 2 * int(lengths.sum())).reshape(-1, 2)
    measured = _measure_points(points, lengths, _array(sizes))
    pixels = measured.pixels.tolist()
    outlines = [pixels[begin:end] for begin, end in pairwise(measured.ends.tolist())]
    return _Lines(outlines, measured.boxes.tolist(), (measured.double_areas / 2).tolist())


def _array(sizes: Sequence[Size]) -> Numbers:
    import numpy as np

    return np.fromiter(chain.from_iterable(sizes), np.int64, 2 * len(sizes)).reshape(-1, 2)


def _measure_points(points: Numbers, lengths: Numbers, sizes: Numbers) -> _Measured:
    """Measure rings, whose points stand one after the other; a point on the far edge is of the last pixel."""
    import numpy as np

    ends = np.cumsum(lengths)
    begins = ends - lengths
    pixels = np.floor(points).astype(np.int64) - (points == np.repeat(sizes, lengths, axis=0))
    following = np.arange(1, len(pixels) + 1)
    following[ends - 1] = begins
    products = pixels[:, 0] * pixels[following, 1] - pixels[:, 1] * pixels[following, 0]
    corner, opposite = np.minimum.reduceat(pixels, begins), np.maximum.reduceat(pixels, begins)
    return _Measured(
        pixels=pixels.ravel(),
        ends=2 * np.append(0, ends),
        boxes=np.concatenate((corner, opposite - corner), axis=1),
        double_areas=np.abs(np.add.reduceat(products, begins)),
    )
