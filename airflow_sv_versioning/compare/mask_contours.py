"""Contours of the masks that bitmaps hold."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.undrawable import Undrawable
from airflow_sv_versioning.project_types.masks import UnreadableMaskError, read_mask

if TYPE_CHECKING:
    import numpy as np
    from shapely import LinearRing

    Mask = np.ndarray[Any, np.dtype[np.bool_]]
    Indices = np.ndarray[Any, np.dtype[np.intp]]

Points = list[tuple[float, float]]

# Decoded with four bytes a pixel; beyond it comparing would need more memory than it may.
_MAX_PIXELS = 25_000_000
# Longer sides are made smaller: contours become coarser by a part of what a picture can show.
_MAX_SIDE = 160
# Joining more takes seconds; only noise has so many.
_MAX_RUNS = 1_000
# Pixels of smaller masks can be seen one by one.
_COARSE = 48


@dataclass
class Allowance:
    """How many pixels of masks may still be read: a million takes some 20 ms."""

    pixels: int = 400_000_000

    def take(self, pixels: int) -> None:
        """Take pixels.

        :raises Undrawable: where so many are not left.
        """
        if pixels > self.pixels:
            raise Undrawable("masks before it took the time there is")
        self.pixels -= pixels


def mask_contours(data: Any, allowance: Allowance) -> list[Points]:
    """Go round the pixels of a mask, outside and around holes.

    :param data: base64 of a PNG, which zlib may have packed.
    :return: closed lines, in pixels from the mask's top left.
    :raises Undrawable: where it is no mask, too large or empty.
    """
    mask = _read_mask(data, allowance)
    step = -(-max(mask.shape) // _MAX_SIDE)
    while len((runs := _runs(_made_smaller(mask, step)))[0]) > _MAX_RUNS:
        step *= 2
    rings = _go_round(*runs, step)
    return rings if max(mask.shape) < _COARSE else _rounded(rings, step)


def _read_mask(data: Any, allowance: Allowance) -> Mask:
    try:
        return read_mask(data, _MAX_PIXELS, allowance.take)
    except UnreadableMaskError as error:
        raise Undrawable(str(error)) from error


def _made_smaller(mask: Mask, step: int) -> Mask:
    """Let each pixel stand for ``step`` x ``step`` others, of which a third or more are of the mask."""
    import numpy as np

    if step == 1:
        return mask
    height, width = mask.shape
    padded = np.pad(mask, ((0, -height % step), (0, -width % step)))
    blocks = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step)
    shares = blocks.mean(axis=(1, 3), dtype=np.float32)
    small: Mask = shares >= 1 / 3
    return small if small.any() else shares > 0


def _runs(mask: Mask) -> tuple[Indices, Indices, Indices]:
    """Find where each row begins and ends to be of the mask.

    :return: rows, first columns, and columns after the last.
    """
    import numpy as np

    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    return rows, starts, np.nonzero(edges == -1)[1]


def _go_round(rows: Indices, starts: Indices, ends: Indices, step: int) -> list[Points]:
    """Join runs to polygons, and take their edges."""
    import shapely

    runs = shapely.box(starts * step, rows * step, ends * step, (rows + 1) * step)
    joined = shapely.get_parts(shapely.union_all(runs))
    lines = [ring for polygon in joined for ring in (polygon.exterior, *polygon.interiors)]
    return [_points(shapely.simplify(line, 0)) for line in lines]


def _rounded(rings: list[Points], step: int) -> list[Points]:
    """Cut corners by half a pixel: slanted edges are stairs, and become straight lines."""
    import shapely

    cut = [shapely.LinearRing(_without_corners(ring, step / 2)) for ring in rings]
    return [_points(shapely.simplify(ring, step / 2)) for ring in cut]


def _points(ring: LinearRing) -> Points:
    return [(x, y) for x, y in ring.coords[:-1]]


def _without_corners(ring: Points, length: float) -> Points:
    cut = []
    for (x, y), (next_x, next_y) in pairwise([*ring, ring[0]]):
        part = length / (abs(next_x - x) + abs(next_y - y))
        for share in (part, 1 - part):
            cut.append((x + (next_x - x) * share, y + (next_y - y) * share))
    return cut
