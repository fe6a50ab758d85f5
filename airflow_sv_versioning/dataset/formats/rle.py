"""Masks as COCO writes them: how many pixels are outside, inside, outside, ... down the columns of the item.

Source: ``maskApi.c`` of pycocotools, for the order and for how counts are written as characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.dataset.formats.geometry import OUTSIDE, UNREADABLE, Bitmap, Lost, Part, Ring

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, np.dtype[np.int64]]

# Readers count pixels in 32 bits.
_MAX_PIXELS = 2**32 - 1
# How often lines may cross columns of an item: only who wants to do harm has more.
_MAX_CROSSINGS = 4_000_000


@dataclass(frozen=True, slots=True)
class Runs:
    """Pixels of an item, counted down its columns: each run begins in ``starts`` and ends before ``ends``."""

    starts: Numbers
    ends: Numbers
    size: tuple[int, int]
    """Height and width of the item."""

    @property
    def area(self) -> int:
        """In pixels."""
        return int((self.ends - self.starts).sum())

    @property
    def counts(self) -> str:
        """How many pixels are outside and inside, by turns, as characters."""
        import numpy as np

        edges = np.empty(2 * len(self.starts) + 2, np.int64)
        edges[0], edges[-1] = 0, self.size[0] * self.size[1]
        edges[1:-1:2], edges[2:-1:2] = self.starts, self.ends
        counts = np.diff(edges)
        # Where the last pixel is inside, nothing stands behind it.
        return _as_characters(counts if counts[-1] else counts[:-1])


def runs_of_bitmap(bitmap: Bitmap, width: int, height: int) -> Runs:
    """Find the runs of a mask that lies within its item."""
    import numpy as np

    _check_size(width, height)
    edges = np.diff(np.pad(bitmap.mask.T.view(np.int8), ((0, 0), (1, 1))), axis=1)
    starts, ends = (
        (bitmap.left + columns) * height + bitmap.top + rows
        for columns, rows in (np.nonzero(edges == 1), np.nonzero(edges == -1))
    )
    return _joined(starts, ends, (height, width))


def runs_of_polygons(parts: Sequence[Part], width: int, height: int) -> Runs:
    """Find the runs of pixels whose centres lie in one of the polygons, and not in a hole of it."""
    import numpy as np

    _check_size(width, height)
    edges = [
        np.sort(_crossings([part.exterior, *(part.interior or ())], width, height)).reshape(-1, 2)
        for part in parts
    ]
    starts, ends = np.concatenate(edges).T
    return _joined(starts, ends, (height, width))


def _check_size(width: int, height: int) -> None:
    if width * height > _MAX_PIXELS:
        raise Lost("too large for a mask")


def _crossings(rings: Iterable[Ring], width: int, height: int) -> Numbers:
    """Tell before which pixels the middle lines of columns cross the rings."""
    import numpy as np

    found = [np.empty(0, np.int64)]
    for ring in rings:
        x, y = np.asarray(ring).T
        next_x, next_y = np.roll(x, -1), np.roll(y, -1)
        first = np.clip(np.ceil(np.minimum(x, next_x) - 0.5), 0, width).astype(np.int64)
        beyond = np.clip(np.ceil(np.maximum(x, next_x) - 0.5), 0, width).astype(np.int64)
        how_many = beyond - first
        if how_many.sum() > _MAX_CROSSINGS:
            raise Lost(UNREADABLE)
        line = np.repeat(np.arange(len(x)), how_many)
        column = np.arange(len(line)) - np.repeat(np.cumsum(how_many) - how_many, how_many) + first[line]
        slope = (next_y[line] - y[line]) / (next_x[line] - x[line])
        row = np.ceil(y[line] + (column + 0.5 - x[line]) * slope - 0.5)
        found.append(column * height + np.clip(row, 0, height).astype(np.int64))
    return np.concatenate(found)


def _joined(starts: Numbers, ends: Numbers, size: tuple[int, int]) -> Runs:
    """Join runs that overlap or touch."""
    import numpy as np

    places, which = np.unique(np.concatenate((starts, ends)), return_inverse=True)
    changes = np.bincount(which[: len(starts)], minlength=len(places))
    changes -= np.bincount(which[len(starts) :], minlength=len(places))
    is_inside = np.cumsum(changes) > 0
    was_inside = np.concatenate(([False], is_inside[:-1]))
    if not is_inside.any():
        raise Lost(OUTSIDE)
    return Runs(places[is_inside & ~was_inside], places[~is_inside & was_inside], size)


def _as_characters(counts: Numbers) -> str:
    """Write each count as its difference to the last but one, five bits a character, the lowest first."""
    import numpy as np

    left = counts.copy()
    left[3:] -= counts[1:-2]
    columns, is_used = [], []
    more = np.ones(len(left), np.bool_)
    while more.any():
        is_used.append(more)
        low = left & 0x1F
        left >>= 5
        more = more & np.where(low & 0x10, left != -1, left != 0)
        columns.append(low + np.where(more, 0x20 + 48, 48))
    characters = np.stack(columns, axis=1).astype(np.uint8)
    return characters[np.stack(is_used, axis=1)].tobytes().decode("ascii")
