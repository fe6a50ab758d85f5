"""Where the voxels of a volume are, and how the official client turns them before it uploads a volume.

Step by step and in the same arithmetic this does what its reader does, down to the signs of zeros, and with
two quirks: it mirrors the first axis of ``left-anterior-superior`` files instead of the second, and mirrors
the matrix of directions by columns where rows would be right, which tells only for oblique volumes. Both are
kept, because figures were drawn on volumes that lie so.

Source: ``supervisely.volume.read_nrrd_serie_volume``, observed with SDK 6.74.51 and SimpleITK 2.4.1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.project_types.volumes.nrrd import Nrrd, Vector

if TYPE_CHECKING:
    import numpy as np

RAS = "right-anterior-superior"
_RAS_NAMES = {RAS, "ras"}
_LAS_NAMES = {"left-anterior-superior", "las"}
Matrix = tuple[Vector, ...]
"""Rows; column ``i`` is the unit step along axis ``i``."""
_AXES = range(3)
_IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_ZERO: Vector = (0.0, 0.0, 0.0)
# Of the axes that lead to the right, to the front and up, as left-posterior-superior numbers say it.
_IS_POSITIVE = (False, False, True)
_INTO_RAS = (-1.0, -1.0, 1.0)
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class VolumeGeometry:
    """The place of a volume's voxels.

    :param sizes: voxels along each axis.
    :param spacing: millimetres from one voxel to the next, along each axis.
    :param origin: centre of the first voxel, in millimetres.
    :param directions: rows; each column is the direction of an axis.
    """

    sizes: tuple[int, ...]
    spacing: Vector
    origin: Vector
    directions: Matrix

    def as_nrrd(self, voxels: np.ndarray[Any, Any]) -> Nrrd:
        """Put voxels in this place."""
        steps = zip(*self.directions, strict=True)
        vectors = tuple(
            tuple(part * space for part in step) for step, space in zip(steps, self.spacing, strict=True)
        )
        return Nrrd(voxels, RAS, vectors, self.origin)

    def difference(self, meta: Mapping[str, Any]) -> str | None:
        """Say what of a volume's meta contradicts this place, if anything."""
        dimensions = meta.get("dimensionsIJK")
        if isinstance(dimensions, Mapping):
            dimensions = [dimensions.get(axis) for axis in "xyz"]
        compared = {
            "dimensionsIJK": (dimensions, self.sizes),
            "spacing": (meta.get("spacing"), self.spacing),
            "origin": (meta.get("origin"), self.origin),
            "directions": (meta.get("directions"), [part for row in self.directions for part in row]),
        }
        for name, (expected, actual) in compared.items():
            if expected is not None and not _are_close(expected, actual):
                return f"its {name} are {list(actual)}, not {expected}"
        return None


def stored_geometry(nrrd: Nrrd) -> VolumeGeometry:
    """Read the place as it stands in a file, in whatever space it is told."""
    spacing, steps = _steps(nrrd)
    return VolumeGeometry(nrrd.voxels.shape, spacing, nrrd.origin or _ZERO, tuple(zip(*steps, strict=True)))


def sizes_in_space(sizes: Sequence[int], axes: Sequence[Vector]) -> tuple[int, ...]:
    """Order sizes by the directions of space that the axes follow: to the right, to the front, up.

    :param axes: for each a vector along it, of any length.
    :raises ValueError: these are not three vectors that lead somewhere.
    """
    if len(axes) != len(_AXES) or not all(len(axis) == len(_AXES) and any(axis) for axis in axes):
        raise ValueError(f"{axes} are no axes of a volume")
    steps = [[part / math.hypot(*axis) for part in axis] for axis in axes]
    order, _ = _orientation(tuple(zip(*steps, strict=True)))
    return tuple(sizes[axis] for axis in order)


def is_ras(nrrd: Nrrd) -> bool:
    """Say whether the axes lead to the right, to the front and up, oblique or not, and are told in RAS."""
    order, flips = _orientation(_as_lps(nrrd).directions)
    return (nrrd.space or "").lower() in _RAS_NAMES and order == tuple(_AXES) and not any(flips)


def turn_to_ras(nrrd: Nrrd) -> tuple[np.ndarray[Any, Any], VolumeGeometry]:
    """Turn a volume as the official client does; the voxels are a view of the old ones."""
    geometry = _as_lps(nrrd)
    order, flips = _orientation(geometry.directions)
    geometry = _mirrored(_permuted(geometry, order), flips)
    voxels = nrrd.voxels.transpose(order)[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    origin = tuple(factor * part for factor, part in zip(_INTO_RAS, geometry.origin, strict=True))
    # By columns, not rows: see above.
    directions = tuple(
        tuple(factor * part for factor, part in zip(_INTO_RAS, row, strict=True))
        for row in geometry.directions
    )
    return voxels, _assigned(geometry, origin, directions)


def _as_lps(nrrd: Nrrd) -> VolumeGeometry:
    factors = _into_lps((nrrd.space or "").lower())
    spacing, steps = _steps(nrrd)
    turned = [tuple(part * factor for part, factor in zip(step, factors, strict=True)) for step in steps]
    origin = tuple(part * factor for part, factor in zip(nrrd.origin or _ZERO, factors, strict=True))
    unset = VolumeGeometry(nrrd.voxels.shape, spacing, _ZERO, _IDENTITY)
    return _assigned(unset, origin, tuple(zip(*turned, strict=True)))


def _into_lps(space: str) -> Vector:
    """Give the factors that turn a space into left-posterior-superior; unknown ones are taken for that."""
    space = space.replace(" ", "-")
    if space in _RAS_NAMES:
        return (-1.0, -1.0, 1.0)
    return (-1.0, 1.0, 1.0) if space in _LAS_NAMES else (1.0, 1.0, 1.0)


def _steps(nrrd: Nrrd) -> tuple[Vector, Matrix]:
    """Cut the steps between voxels into lengths and directions."""
    if nrrd.directions is None:
        return nrrd.spacings or (1.0, 1.0, 1.0), _IDENTITY
    lengths = tuple(math.sqrt(_sum(part * part for part in vector)) for vector in nrrd.directions)
    steps = tuple(
        tuple(part * (1.0 / length) for part in vector)
        for vector, length in zip(nrrd.directions, lengths, strict=True)
    )
    return lengths, steps


def _orientation(directions: Matrix) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Match axes and the directions of space, the closest first.

    :returns: for each direction of space the axis that follows it, and whether it does so backwards.
    """
    free_places = list(product(_AXES, _AXES))
    axes = {}
    while free_places:
        # Of equal ones the last: an order as good as any, but that of the official client.
        row, column = max(free_places, key=lambda place: (abs(directions[place[0]][place[1]]), place))
        axes[row] = column
        free_places = [place for place in free_places if place[0] != row and place[1] != column]
    flips = tuple((directions[row][axes[row]] > 0) is not _IS_POSITIVE[row] for row in _AXES)
    return tuple(axes[row] for row in _AXES), flips


def _permuted(geometry: VolumeGeometry, order: Sequence[int]) -> VolumeGeometry:
    directions = tuple(tuple(row[axis] for axis in order) for row in geometry.directions)
    return replace(
        _assigned(geometry, geometry.origin, directions),
        sizes=tuple(geometry.sizes[axis] for axis in order),
        spacing=tuple(geometry.spacing[axis] for axis in order),
    )


def _mirrored(geometry: VolumeGeometry, flips: Sequence[bool]) -> VolumeGeometry:
    last = [size - 1 if flip else 0 for size, flip in zip(geometry.sizes, flips, strict=True)]
    origin = tuple(
        _sum(
            (
                start,
                *(
                    part * space * index
                    for part, space, index in zip(row, geometry.spacing, last, strict=True)
                ),
            )
        )
        for start, row in zip(geometry.origin, geometry.directions, strict=True)
    )
    directions = tuple(
        tuple(-part if flip else part for part, flip in zip(row, flips, strict=True))
        for row in geometry.directions
    )
    return _assigned(geometry, origin, directions)


def _assigned(geometry: VolumeGeometry, origin: Vector, directions: Matrix) -> VolumeGeometry:
    """Assign as the library behind the official client does: what is equal stays, a zero with its sign."""
    return replace(
        geometry,
        origin=geometry.origin if geometry.origin == origin else origin,
        directions=tuple(
            tuple(old if old == new else new for old, new in zip(old_row, new_row, strict=True))
            for old_row, new_row in zip(geometry.directions, directions, strict=True)
        ),
    )


def _sum(numbers: Any) -> float:
    """Add one by one; newer versions of Python's own sum round less often than others do."""
    total = None
    for number in numbers:
        total = number if total is None else total + number
    return total or 0.0


def _are_close(expected: Any, actual: Sequence[float]) -> bool:
    try:
        return len(expected) == len(actual) and all(
            math.isclose(float(one), other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
            for one, other in zip(expected, actual, strict=True)
        )
    except (TypeError, ValueError):
        return False
