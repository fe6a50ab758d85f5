"""Geometries of every type that the platform has, small enough for an image of 16 x 16 pixels."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Geometry = dict[str, Any]
_COORDINATES = frozenset({"exterior", "interior", "loc", "points"})
_NUMBER = st.integers(0, 7)
# Both hold two pixels, written by the official SDK.
_BITMAP = (
    "eJzrDPBz5+WS4mJgYOD19HAJAtJMQMzIyAwkz715exJIsQX4hLgC6f///y+9Of8uSLokyC+YweHZjTQgh8vTxTGk"
    "Yk6yBZB9iOFgUFx4IJDF4Onq57LOKaEJAIKPGfs="
)
_ALPHA = (
    "eJzrDPBz5+WS4mJgYOD19HAJAtJMQMzIASQYLnoqhIEESoL8ghkYyiaftQDyuD1dHEMq5iTnJACVsTE0qR6JAAkz"
    "eLr6uaxzSmgCAD0JEFQ="
)
_CORNERS = ("topleft", "topright", "bottomright", "bottomleft")
KEYPOINTS = {
    "nodes": {
        "a": {"loc": [2, 1], "label": "nose", "color": "#FF0000"},
        "b": {"loc": [4, 3], "label": "tail", "color": "#00FF00"},
    },
    "edges": [{"src": "a", "dst": "b", "color": "#0000FF"}],
}
"""The template of a class of keypoints."""


def _points(exterior: list[Any], interior: list[Any] | None = None) -> Geometry:
    return {"points": {"exterior": exterior, "interior": interior or []}}


def _rectangle(x: int, y: int) -> Geometry:
    return _points([[x, y], [x + 8, y + 6]])


def _polygon(x: int, y: int) -> Geometry:
    return _points([[x, y], [x + 8, y], [x + 8, y + 8], [x, y + 8]])


def _polygon_with_holes(x: int, y: int) -> Geometry:
    holes = [
        [[x + 1, y + 1], [x + 3, y + 1], [x + 3, y + 3]],
        [[x + 5, y + 5], [x + 7, y + 5], [x + 7, y + 7]],
    ]
    return {"points": {**_polygon(x, y)["points"], "interior": holes}}


def _line(x: int, y: int) -> Geometry:
    return _points([[x, y], [x + 3, y + 8], [x + 8, y + 1]])


def _point(x: int, y: int) -> Geometry:
    return _points([[x, y]])


def _bitmap(x: int, y: int) -> Geometry:
    return {"bitmap": {"origin": [x, y], "data": _BITMAP}}


def _keypoints(x: int, y: int) -> Geometry:
    return {"nodes": {"a": {"loc": [x, y]}, "b": {"loc": [x + 3, y + 4], "disabled": True}}}


def _cuboid(x: int, y: int) -> Geometry:
    near = [[x, y], [x + 5, y], [x + 5, y + 5], [x, y + 5]]
    far = [[x + 2, y + 2], [x + 7, y + 2], [x + 7, y + 7]]
    return {"points": [*near, *far], "faces": [[0, 1, 2, 3], [0, 4, 5, 1], [1, 5, 6, 2]]}


def _cuboid_2d(x: int, y: int) -> Geometry:
    square = ((0, 0), (4, 0), (4, 4), (0, 4))
    return {
        "vertices": {
            f"face{face}-{corner}": {"loc": [x + dx + 2 * face, y + dy + 2 * face]}
            for face in (1, 2)
            for corner, (dx, dy) in zip(_CORNERS, square, strict=True)
        }
    }


def _oriented_box(x: int, y: int) -> Geometry:
    return {**_rectangle(x, y), "angle": 0.2617993877991494}


_FLAT = {
    "rectangle": ("rectangle", _rectangle),
    "polygon": ("polygon", _polygon),
    "polygon with holes": ("polygon", _polygon_with_holes),
    "line": ("line", _line),
    "point": ("point", _point),
    "bitmap": ("bitmap", _bitmap),
    "keypoints": ("graph", _keypoints),
    "cuboid": ("cuboid", _cuboid),
    "cuboid_2d": ("cuboid_2d", _cuboid_2d),
    "oriented_bbox": ("oriented_bbox", _oriented_box),
}
FLAT = tuple(_FLAT)
"""What lies on an image, a frame or a slice."""


def type_of(name: str) -> str:
    """The platform's word for one of :data:`FLAT`."""
    return _FLAT[name][0]


def flat(name: str) -> st.SearchStrategy[Geometry]:
    """Geometries of one of :data:`FLAT`, in whole pixels."""
    return st.builds(_FLAT[name][1], _NUMBER, _NUMBER)


def alpha_masks() -> st.SearchStrategy[Geometry]:
    """What is uploaded apart from its figure, as JSON."""
    return st.builds(lambda x, y: {"origin": [x, y], "data": _ALPHA}, _NUMBER, _NUMBER)


def between_pixels(geometry: Any, part: float, inside: bool = False) -> Any:
    """Move every coordinate by a part of a pixel."""
    if isinstance(geometry, Mapping):
        return {
            key: between_pixels(value, part, inside or key in _COORDINATES) for key, value in geometry.items()
        }
    if isinstance(geometry, list):
        return [between_pixels(value, part, inside) for value in geometry]
    is_coordinate = inside and isinstance(geometry, (int, float)) and not isinstance(geometry, bool)
    return geometry + part if is_coordinate else geometry
