"""Shapes for made-up figures: each has a place of its own, so that two of them overlap only on purpose."""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

SIZE = 1000
"""Width and height of items, in pixels."""
PLACES = 64
"""How many places an item has."""
SLABS = 12
"""How many places it has for masks in space."""
_CELL = SIZE // 8
_SIDE = 40

Geometry = Any


def _points(*exterior: tuple[float, float]) -> Geometry:
    return {"points": {"exterior": [list(point) for point in exterior], "interior": []}}


def _rectangle(x: float, y: float) -> Geometry:
    return _points((x, y), (x + _SIDE, y + _SIDE))


def _polygon(x: float, y: float) -> Geometry:
    return _points((x, y + 5), (x + 20, y), (x + _SIDE, y + 10), (x + 35, y + _SIDE), (x + 3, y + 38))


def _line(x: float, y: float) -> Geometry:
    return _points((x, y), (x + 13, y + 37), (x + _SIDE, y + 5))


def _point(x: float, y: float) -> Geometry:
    return _points((x, y))


def _keypoints(x: float, y: float) -> Geometry:
    nodes = {"a": {"loc": [x, y]}, "b": {"loc": [x + 30, y + 35]}, "c": {"loc": [x + 5, y + 30]}}
    return {"nodes": nodes}


def _bitmap(x: float, y: float) -> Geometry:
    return {"bitmap": {"origin": [int(x), int(y)], "data": _mask()}}


def _alpha_mask(x: float, y: float) -> Geometry:
    return {"origin": [int(x), int(y)], "data": _mask()}


@cache
def _mask() -> str:
    from PIL import Image

    file = io.BytesIO()
    picture = Image.new("RGBA", (_SIDE, _SIDE), (255, 255, 255, 255))
    picture.putpixel((0, 0), (0, 0, 0, 0))
    picture.save(file, "PNG")
    return base64.b64encode(zlib.compress(file.getvalue())).decode()


_SHAPES: dict[str, Callable[[float, float], Geometry]] = {
    "rectangle": _rectangle,
    "polygon": _polygon,
    "line": _line,
    "point": _point,
    "graph": _keypoints,
    "bitmap": _bitmap,
    "alpha_mask": _alpha_mask,
}
FLAT = ("rectangle", "polygon", "line", "point", "graph", "bitmap")
"""Types of figures that any item can have."""


def geometry(geometry_type: str, place: int, shift: int = 0) -> str:
    """Write a geometry as JSON.

    :param place: which of :data:`PLACES` it is at.
    :param shift: how many pixels it is moved, of which a few leave most of it where it was.
    """
    row, column = divmod(place % PLACES, SIZE // _CELL)
    x, y = column * _CELL + 10 + shift, row * _CELL + 10 + shift
    return json.dumps(_SHAPES[geometry_type](x, y), sort_keys=True, separators=(",", ":"))


def mask_in_space(place: int, shift: int = 0) -> bytes:
    """Write a mask in space, one slice thick, as a file.

    :param place: which of :data:`SLABS` it is at.
    :param shift: how many of its voxels are not set.
    """
    import numpy as np

    from tests.support.volumes import nrrd

    voxels = np.zeros((6, 6, SLABS), np.uint8)
    voxels[:, :, place % SLABS] = 1
    voxels[:shift, 0, place % SLABS] = 0
    return nrrd(voxels)
