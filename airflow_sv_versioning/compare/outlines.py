"""Draw geometries of the platform as SVG, in the pixels of their item.

Geometry comes from projects of others: it may be broken, or of absurd size. What cannot be drawn is told with
a reason, never an exception; what is drawn has at most some hundred points, and consists of digits alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from airflow_sv_versioning.compare.mask_contours import Allowance, mask_contours
from airflow_sv_versioning.compare.undrawable import Undrawable

Point = tuple[float, float]
Points = list[Point]
Box = tuple[float, float, float, float]

_MAX_JSON = 4_000_000
_MAX_POINTS_READ = 50_000
_MAX_RINGS_READ = 2_000
_MAX_RINGS_DRAWN = 40
_MAX_POINTS_DRAWN = 240
_FEW_POINTS = 40
# Simplifying is quadratic in the worst case; beyond it every second point is passed over, or more.
_MAX_POINTS_SIMPLIFIED = 4_000
_FAR_AWAY = 1_000_000
# The first step that points are thinned out by, of the outline's size: pictures have some 600 pixels.
_FINE = 1 / 600

# Source: observed with SDK 6.74.51, which names the corners of a cuboid_2d so.
_CORNERS = ("topleft", "topright", "bottomright", "bottomleft")


@dataclass(frozen=True)
class Outline:
    """A drawn geometry.

    :param svg: ``path`` elements without colours. Class ``o`` is a line that encloses nothing, ``d`` are
        dots: lines without length, to be drawn with round ends.
    :param box: left, top, right, bottom.
    """

    svg: str
    box: Box


@dataclass(frozen=True)
class NoOutline:
    """A geometry that was not drawn.

    :param reason: a few words, such as ``is no JSON``, to stand behind "not drawn: ".
    """

    reason: str


@dataclass(frozen=True)
class Shapes:
    """What a geometry consists of.

    :param rings: closed; where an odd number of them overlap is inside.
    """

    rings: Sequence[Points] = ()
    lines: Sequence[Points] = ()
    dots: Sequence[Point] = ()


def draw_outline(
    geometry_type: str | None, geometry: str | None, allowance: Allowance | None = None
) -> Outline | NoOutline:
    """Draw one geometry.

    :param geometry_type: the platform's word, such as ``polygon``.
    :param geometry: JSON text.
    :param allowance: what masks may cost, where many geometries are drawn.
    """
    try:
        return _draw(_read(geometry_type or "", geometry, allowance or Allowance()))
    except Undrawable as error:
        return NoOutline(str(error))


def _read(geometry_type: str, geometry: str | None, allowance: Allowance) -> Shapes:
    if geometry_type in _MASKS:
        return _mask(_parse(geometry), allowance)
    read = _READERS.get(geometry_type)
    if read is None:
        raise Undrawable(_NOT_FLAT.get(geometry_type, "a geometry of unknown type"))
    return read(_parse(geometry))


def _parse(geometry: str | None) -> Mapping[str, Any]:
    import msgspec

    if geometry is None:
        raise Undrawable("its geometry is not told")
    if len(geometry) > _MAX_JSON:
        raise Undrawable(f"its geometry has {len(geometry) / 1e6:.0f} MB")
    try:
        return _mapping(msgspec.json.decode(geometry))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Undrawable("its geometry is no JSON") from error


def _draw(shapes: Shapes) -> Outline:
    every = [point for part in (*shapes.rings, *shapes.lines, shapes.dots) for point in part]
    if not every:
        raise Undrawable("its geometry has no points")
    columns, rows = [x for x, _ in every], [y for _, y in every]
    box = (min(columns), min(rows), max(columns), max(rows))
    shapes = _thinned_out(shapes, max(box[2] - box[0], box[3] - box[1]) * _FINE)
    drawn = (
        _path("".join(_line(ring) + "Z" for ring in shapes.rings)),
        _path("".join(map(_line, shapes.lines)), ' class="o"'),
        _path("".join(f"M{_point(dot)}h0" for dot in shapes.dots), ' class="d"'),
    )
    return Outline("".join(drawn), box)


def _path(steps: str, attributes: str = "") -> str:
    return f'<path{attributes} d="{steps}"/>' if steps else ""


def _line(points: Points) -> str:
    return "M" + " ".join(map(_point, points))


def _point(point: Point) -> str:
    return f"{_digits(point[0])} {_digits(point[1])}"


def _digits(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _thinned_out(shapes: Shapes, step: float) -> Shapes:
    """Leave out points that nobody would see, then more, until few enough are left."""
    if len(shapes.dots) > _MAX_POINTS_DRAWN:
        raise Undrawable(f"its geometry has {len(shapes.dots):,} key points")
    rings, lines = _largest(shapes.rings), _largest(shapes.lines)
    enough = _FEW_POINTS
    while _number_of_points(rings, lines) > enough:
        rings = [_simplified([*ring, ring[0]], step)[:-1] for ring in rings]
        lines = [_simplified(line, step) for line in lines]
        # What is left of a small hole may be a line there and back.
        rings = [ring for ring in rings if len(ring) > 2] or rings[:1]
        step, enough = step * 2, _MAX_POINTS_DRAWN
    return Shapes(rings, lines, shapes.dots)


def _number_of_points(*parts: Sequence[Points]) -> int:
    return sum(len(points) for part in parts for points in part)


def _largest(parts: Sequence[Points]) -> Sequence[Points]:
    """Keep the rings with the most points, in their order; each has some to spend."""
    if len(parts) <= _MAX_RINGS_DRAWN:
        return parts
    shortest = sorted(map(len, parts))[-_MAX_RINGS_DRAWN]
    return [part for part in parts if len(part) >= shortest][:_MAX_RINGS_DRAWN]


def _simplified(points: Points, step: float) -> Points:
    import shapely

    if len(points) < 3:
        return points
    few = points[:: len(points) // _MAX_POINTS_SIMPLIFIED + 1]
    line = shapely.simplify(shapely.LineString([*few, points[-1]]), step, preserve_topology=False)
    return [(x, y) for x, y in line.coords]


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Undrawable("its geometry is malformed")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Undrawable("its geometry is malformed")
    return value


def _read_points(value: Any) -> Points:
    points = _list(value)
    if len(points) > _MAX_POINTS_READ:
        raise Undrawable(f"its geometry has {len(points):,} points")
    return [_read_point(point) for point in points]


def _read_point(value: Any) -> Point:
    point = _list(value)
    if len(point) != 2:
        raise Undrawable("its geometry is malformed")
    return _coordinate(point[0]), _coordinate(point[1])


def _coordinate(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise Undrawable("its geometry is malformed")
    if not -_FAR_AWAY <= value <= _FAR_AWAY:
        raise Undrawable("its coordinates are out of range")
    return float(value)


def _exterior(geometry: Mapping[str, Any]) -> Points:
    """Read the points of a geometry; the SDK and the platform nest them differently."""
    points = geometry.get("points")
    return _read_points(points.get("exterior") if isinstance(points, Mapping) else points)


def _corners(geometry: Mapping[str, Any]) -> Box:
    """Read the two opposite corners of a rectangle, in whatever order they come."""
    points = _exterior(geometry)
    if len(points) != 2:
        raise Undrawable("its geometry is malformed")
    (x, y), (other_x, other_y) = points
    return min(x, other_x), min(y, other_y), max(x, other_x), max(y, other_y)


def _rectangle(geometry: Mapping[str, Any]) -> Shapes:
    left, top, right, bottom = _corners(geometry)
    return Shapes(rings=[[(left, top), (right, top), (right, bottom), (left, bottom)]])


def _oriented_box(geometry: Mapping[str, Any]) -> Shapes:
    """Turn a rectangle about its centre, clockwise, by radians. Source: observed with SDK 6.74.51."""
    from math import cos, sin

    left, top, right, bottom = _corners(geometry)
    angle = _coordinate(geometry.get("angle") or 0)
    x, y, wide, high = (left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2
    corners = ((-wide, -high), (wide, -high), (wide, high), (-wide, high))
    turned = [
        (x + dx * cos(angle) - dy * sin(angle), y + dx * sin(angle) + dy * cos(angle)) for dx, dy in corners
    ]
    return Shapes(rings=[turned])


def _rings(part: Mapping[str, Any]) -> list[Points]:
    holes = _list(part.get("interior") or [])
    if len(holes) > _MAX_RINGS_READ:
        raise Undrawable(f"its geometry has {len(holes):,} holes")
    return [_read_points(part.get("exterior")), *map(_read_points, holes)]


def _polygon(geometry: Mapping[str, Any]) -> Shapes:
    return Shapes(rings=_rings(_mapping(geometry.get("points"))))


def _multipolygon(geometry: Mapping[str, Any]) -> Shapes:
    parts = _list(geometry.get("parts"))
    return Shapes(rings=[ring for part in parts for ring in _rings(_mapping(part))])


def _polyline(geometry: Mapping[str, Any]) -> Shapes:
    return Shapes(lines=[_exterior(geometry)])


def _dot(geometry: Mapping[str, Any]) -> Shapes:
    return Shapes(dots=_exterior(geometry))


def _mask(geometry: Mapping[str, Any], allowance: Allowance) -> Shapes:
    mask = _mapping(geometry.get("bitmap") or geometry.get("alpha_mask") or geometry)
    left, top = _read_point(mask.get("origin"))
    rings = mask_contours(mask.get("data"), allowance)
    return Shapes(rings=[[(x + left, y + top) for x, y in ring] for ring in rings])


def _nodes(geometry: Mapping[str, Any], member: str) -> dict[str, Point]:
    nodes = _mapping(geometry.get(member))
    return {name: _read_point(_mapping(node).get("loc")) for name, node in nodes.items()}


def _key_points(geometry: Mapping[str, Any]) -> Shapes:
    """Draw nodes alone: which of them are joined, only the class says."""
    return Shapes(dots=list(_nodes(geometry, "nodes").values()))


def _cuboid(geometry: Mapping[str, Any]) -> Shapes:
    """Draw faces, each of which names four of the points."""
    points = _exterior(geometry)
    faces = [_list(face) for face in _list(geometry.get("faces"))]
    if any(index not in range(len(points)) for face in faces for index in face):
        raise Undrawable("its geometry is malformed")
    return Shapes(lines=[[points[index] for index in (*face, face[0])] for face in faces if face])


def _cuboid_2d(geometry: Mapping[str, Any]) -> Shapes:
    """Draw two faces, and what joins their corners; only dots where corners have other names."""
    nodes = _nodes(geometry, "vertices" if "vertices" in geometry else "nodes")
    if not nodes.keys() >= {f"face{face}-{corner}" for face in (1, 2) for corner in _CORNERS}:
        return Shapes(dots=list(nodes.values()))
    near, far = ([nodes[f"face{face}-{corner}"] for corner in _CORNERS] for face in (1, 2))
    joined = [list(pair) for pair in zip(near, far, strict=True)]
    return Shapes(lines=[[*near, near[0]], [*far, far[0]], *joined])


_MASKS = frozenset({"bitmap", "alpha_mask"})
_READERS: Mapping[str, Callable[[Mapping[str, Any]], Shapes]] = MappingProxyType(
    {
        "rectangle": _rectangle,
        "polygon": _polygon,
        "multipolygon": _multipolygon,
        "line": _polyline,
        "point": _dot,
        "graph": _key_points,
        "cuboid": _cuboid,
        "cuboid_2d": _cuboid_2d,
        "oriented_bbox": _oriented_box,
    }
)
_NOT_FLAT = MappingProxyType(
    {
        "mask_3d": "a mask in space has no outline",
        "closed_surface_mesh": "a mesh in space has no outline",
        "mesh": "a mesh in space has no outline",
        "cuboid_3d": "a cuboid in space has no outline",
        "point_3d": "a point in space has no outline",
        "polyline_3d": "a line in space has no outline",
        "point_cloud": "points in space have no outline",
    }
)
