"""The exact outlines of a mask: along the edges of its pixels, from corner to corner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.dataset.formats.geometry import Bitmap, Lost, Point, Ring

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, np.dtype[np.intp]]

# No picture of anything has more; noise has.
_MAX_CORNERS = 500_000


@dataclass(frozen=True, slots=True)
class Contours:
    """What goes round the parts of a mask, pixels that touch at a corner being of one part, and its holes."""

    parts: list[Sequence[Point]]
    holes: Sequence[Ring]


def find_contours(bitmap: Bitmap) -> Contours:
    """Find the outlines of a mask, in pixels of its item.

    :raises Lost: it has more corners than anything that was drawn.
    """
    import numpy as np

    mask = np.pad(bitmap.mask, 1)
    rows, columns, next_down = _corners(mask)
    parts: list[Sequence[Point]] = []
    holes: list[Ring] = []
    for ring in _rings(next_down):
        points = [
            (float(bitmap.left + x), float(bitmap.top + y))
            for x, y in zip(columns[ring].tolist(), rows[ring].tolist(), strict=True)
        ]
        # The uppermost corner, the leftmost of those, is the first; right below it is what the ring encloses.
        is_part = mask[rows[ring[0]] + 1, columns[ring[0]] + 1]
        (parts if is_part else holes).append(points)
    return Contours(parts, holes)


def _corners(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[Numbers, Numbers, Numbers]:
    """Find where outlines turn, row by row, and to which corner each goes on in its column.

    Where two pixels touch at a corner alone, two outlines turn.
    """
    import numpy as np

    upper_left, upper_right = mask[:-1, :-1], mask[:-1, 1:]
    lower_left, lower_right = mask[1:, :-1], mask[1:, 1:]
    is_corner = upper_left ^ upper_right ^ lower_left ^ lower_right
    touches = (upper_left == lower_right) & (upper_right == lower_left) & (upper_left != upper_right)
    if int(is_corner.sum()) > _MAX_CORNERS:
        raise Lost("too ragged")
    how_many = is_corner.astype(np.int8) + 2 * touches
    rows, columns = (np.repeat(axis, how_many[how_many > 0]) for axis in np.nonzero(how_many))
    # Of two at one place the first ends the edge on the left. It also ends the edge above, but where that
    # would cut pixels apart that touch; there the second one does.
    is_second = np.concatenate(([False], (np.diff(rows) == 0) & (np.diff(columns) == 0)))
    ends_below = touches[rows, columns] & upper_left[rows, columns]
    turn = np.where(ends_below, ~is_second, is_second)
    order = np.lexsort((turn, rows, columns))
    next_down = np.empty_like(order)
    next_down[order[0::2]], next_down[order[1::2]] = order[1::2], order[0::2]
    return rows, columns, next_down


def _rings(next_down: Numbers) -> list[list[int]]:
    """Go round by turns along rows and columns; each ring begins with the first of its corners."""
    down = next_down.tolist()
    is_left = [True] * len(down)
    found = []
    for first in range(len(down)):
        ring: list[int] = []
        corner = first
        while is_left[corner]:
            # Corners stand row by row, so that each edge along a row joins two neighbours.
            other = corner ^ 1
            is_left[corner] = is_left[other] = False
            ring += [corner, other]
            corner = down[other]
        if ring:
            found.append(ring)
    return found
