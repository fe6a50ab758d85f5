"""Geometry JSON: coordinates as ``[x, y]`` in pixels, origin at the top left of the image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

OUT_OF_LINE = frozenset({"alpha_mask", "mask_3d", "closed_surface_mesh"})
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


def bounds(geometry: Mapping[str, Any] | None) -> dict[str, list[float]] | None:
    """``{"bbox": [top, left, bottom, right]}`` of a geometry made of points, ``None`` for any other."""
    points = _points(geometry)
    if not points:
        return None
    columns, rows = [point[0] for point in points], [point[1] for point in points]
    return {"bbox": [min(rows), min(columns), max(rows), max(columns)]}


def area(geometry_type: str, geometry: Mapping[str, Any] | None) -> str | None:
    """Square pixels of a rectangle or polygon as text, ``None`` for any other geometry."""
    points = _points(geometry)
    if geometry is None or not points or geometry_type not in ("rectangle", "polygon"):
        return None
    if geometry_type == "rectangle":
        (left, top), (right, bottom) = points[0], points[-1]
        return str(abs((right - left) * (bottom - top)))
    holes = geometry["points"].get("interior") or []
    return str(_ring_area(points) - sum(_ring_area(hole) for hole in holes))


def _points(geometry: Mapping[str, Any] | None) -> list[list[float]]:
    points = (geometry or {}).get("points")
    exterior = points.get("exterior") if isinstance(points, Mapping) else None
    if not isinstance(exterior, list) or not all(_is_point(point) for point in exterior):
        return []
    return exterior


def _is_point(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(number, (int, float)) for number in value)
    )


def _ring_area(ring: Sequence[Sequence[float]]) -> float:
    shifted = [*ring[1:], ring[0]] if ring else []
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, shifted, strict=True))) / 2
