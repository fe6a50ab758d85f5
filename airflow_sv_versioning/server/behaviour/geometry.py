"""Geometry JSON: coordinates as ``[x, y]`` in pixels, origin at the top left of the image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

OUT_OF_LINE = frozenset({"alpha_mask", "mask_3d", "closed_surface_mesh"})
Ring = Sequence[Sequence[float]]
_COORDINATE_MEMBERS = frozenset({"exterior", "interior", "loc", "origin", "points", "vertices"})


def rounded(geometry: Any, inside: bool = False) -> Any:
    """The geometry with whole pixels: every coordinate rounded half up, everything else as it is.

    :param inside: whether the value stands below a member that holds coordinates.
    """
    if isinstance(geometry, Mapping):
        return {key: rounded(value, inside or key in _COORDINATE_MEMBERS) for key, value in geometry.items()}
    if isinstance(geometry, list):
        return [rounded(value, inside) for value in geometry]
    if inside and isinstance(geometry, float) and math.isfinite(geometry):
        return math.floor(geometry + 0.5)
    return geometry


@dataclass(frozen=True)
class Extent:
    """Where a geometry is and how large.

    :param meta: ``{"bbox": [top, left, bottom, right]}`` in pixels, ``None`` for what is not made of points.
    :param area: square pixels of a rectangle or polygon as text, ``None`` for anything else.
    """

    meta: dict[str, list[float]] | None
    area: str | None


UNKNOWN = Extent(None, None)


def extent(geometry_type: str, geometry: Mapping[str, Any] | None) -> Extent:
    """Measure a geometry; one that is not made of points, or malformed, is of unknown extent."""
    try:
        points = (geometry or {})["points"]
        exterior = points["exterior"]
        columns, rows = [point[0] for point in exterior], [point[1] for point in exterior]
        meta = {"bbox": [min(rows), min(columns), max(rows), max(columns)]}
        return Extent(meta, _area(geometry_type, exterior, points.get("interior") or []))
    except (KeyError, TypeError, ValueError, IndexError):
        return UNKNOWN


def _area(geometry_type: str, exterior: Ring, holes: Sequence[Ring]) -> str | None:
    if geometry_type == "rectangle":
        (left, top), (right, bottom) = exterior[0], exterior[-1]
        return str(abs((right - left) * (bottom - top)))
    if geometry_type == "polygon":
        return str(_ring_area(exterior) - sum(_ring_area(hole) for hole in holes))
    return None


def _ring_area(ring: Ring) -> float:
    doubled = ring[-1][0] * ring[0][1] - ring[0][0] * ring[-1][1]
    for (x, y), (next_x, next_y) in pairwise(ring):
        doubled += x * next_y - next_x * y
    return abs(doubled) / 2
