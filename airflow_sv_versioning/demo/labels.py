"""What is drawn on a picture: one label is one figure of a class.

Coordinates are ``[x, y]`` in pixels of the picture, origin at its top left, fractions allowed.
"""

from __future__ import annotations

import base64
import io
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

Points = Sequence[tuple[float, float]]
Tags = Mapping[str, Any]

ALPHA_MASK = "alpha_mask"


@dataclass(frozen=True)
class Label:
    """One figure.

    :param class_name: a class of :data:`~airflow_sv_versioning.demo.meta.META`.
    :param shape: ``polygon``, ``rectangle``, ``bitmap``, ...
    :param geometry: the platform's JSON for this shape.
    :param tags: tag name -> value, ``None`` for tags without one.
    """

    class_name: str
    shape: str
    geometry: dict[str, Any]
    tags: Tags = field(default_factory=dict)


def polygon(class_name: str, exterior: Points, *holes: Points, **tags: Any) -> Label:
    """An outline, with or without holes."""
    points = {"exterior": _as_lists(exterior), "interior": [_as_lists(hole) for hole in holes]}
    return Label(class_name, "polygon", {"points": points}, tags)


def box(class_name: str, left: float, top: float, right: float, bottom: float, **tags: Any) -> Label:
    """An upright rectangle."""
    corners = _as_lists([(left, top), (right, bottom)])
    return Label(class_name, "rectangle", {"points": {"exterior": corners, "interior": []}}, tags)


def line(class_name: str, points: Points, **tags: Any) -> Label:
    """A line through points."""
    return Label(class_name, "line", {"points": {"exterior": _as_lists(points), "interior": []}}, tags)


def point(class_name: str, x: float, y: float, **tags: Any) -> Label:
    """A single place."""
    return Label(class_name, "point", {"points": {"exterior": [[x, y]], "interior": []}}, tags)


def keypoints(
    class_name: str, nodes: Mapping[str, tuple[float, float]], hidden: Sequence[str] = (), **tags: Any
) -> Label:
    """A graph of named places.

    :param hidden: nodes that cannot be seen; their places are guesses.
    """
    placed: dict[str, dict[str, Any]] = {name: {"loc": list(place)} for name, place in nodes.items()}
    for name in hidden:
        placed[name]["disabled"] = True
    return Label(class_name, "graph", {"nodes": placed}, tags)


def bitmap(class_name: str, mask: Image, origin: tuple[int, int], **tags: Any) -> Label:
    """A mask of whole pixels: those of a one-bit picture that are set.

    :param origin: where the mask's top left lies in the photograph.
    """
    palette = mask.convert("L").point([int(level > 0) for level in range(256)])
    palette.putpalette([0, 0, 0, 255, 255, 255])
    geometry = {"bitmap": {"origin": list(origin), "data": _packed(palette)}}
    return Label(class_name, "bitmap", geometry, tags)


def alpha_mask(class_name: str, opacity: Image, origin: tuple[int, int], **tags: Any) -> Label:
    """A mask whose pixels count from 0 to 255."""
    geometry = {"origin": list(origin), "data": _packed(opacity.convert("L"))}
    return Label(class_name, ALPHA_MASK, geometry, tags)


def ellipse(x: float, y: float, x_radius: float, y_radius: float, corners: int = 36) -> Points:
    """The outline of an upright ellipse, to quarters of a pixel."""
    angles = [2 * math.pi * number / corners for number in range(corners)]
    return [
        (_quarters(x + x_radius * math.cos(angle)), _quarters(y + y_radius * math.sin(angle)))
        for angle in angles
    ]


def _packed(mask: Image) -> str:
    # Source: Bitmap.data_2_base64 and AlphaMask.data_2_base64 of the official SDK 6.74.51.
    buffer = io.BytesIO()
    mask.save(buffer, format="PNG", transparency=0)
    return base64.b64encode(zlib.compress(buffer.getvalue())).decode()


def _quarters(value: float) -> float:
    return round(value * 4) / 4


def _as_lists(points: Points) -> list[list[float]]:
    return [list(place) for place in points]
