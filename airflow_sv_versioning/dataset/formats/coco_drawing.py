"""What COCO has of figures: of plain polygons by their columns, of all others one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_sv_versioning.dataset.figures import FigureRows
from airflow_sv_versioning.dataset.formats.coco_polygons import draw_outlines, draw_polygons
from airflow_sv_versioning.dataset.formats.coco_shapes import Drawn, Size, draw, text_of
from airflow_sv_versioning.dataset.formats.geometry import Lost, Polygons, read_geometry
from airflow_sv_versioning.dataset.formats.polygon_texts import read_outlines
from airflow_sv_versioning.dataset.formats.skeletons import Skeleton

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

Skeletons = Mapping[str, Skeleton]
"""Class name -> its key points."""


class Drawings(NamedTuple):
    """What COCO has of some figures.

    :param texts: of each, as :func:`~.coco_shapes.text_of` writes it; null where it has nothing.
    :param lost: place of such a figure -> a word for what it has nothing of.
    """

    texts: pa.StringArray
    lost: Mapping[int, str]


def draw_figures(rows: FigureRows, sizes: Sequence[Size], skeletons: Skeletons) -> Drawings:
    """Say what COCO has of each figure.

    :param sizes: of each figure's picture.
    """
    import numpy as np
    import pyarrow as pa

    outlines = read_outlines(rows.geometry_types, rows.geometries)
    plain = draw_outlines(outlines, sizes)
    if outlines.is_plain.all():
        return Drawings(plain, {})
    is_other = ~outlines.is_plain
    others = _draw_others(rows, sizes, is_other, skeletons)
    places = np.flatnonzero(is_other)
    lost = {
        place: each.what
        for place, each in zip(places.tolist(), others, strict=True)
        if isinstance(each, Lost)
    }
    texts = pa.array([None if isinstance(each, Lost) else text_of(each) for each in others], pa.string())
    order = np.append(np.flatnonzero(outlines.is_plain), places).argsort()
    return Drawings(pa.concat_arrays([plain, texts]).take(pa.array(order)), lost)


def _draw_others(
    rows: FigureRows, sizes: Sequence[Size], chosen: Flags, skeletons: Skeletons
) -> list[Drawn | Lost]:
    geometries = (texts.filter(chosen).to_pylist() for texts in (rows.geometry_types, rows.geometries))
    own_sizes = list(compress(sizes, chosen))
    own_skeletons = (skeletons.get(name) for name in compress(rows.class_names, chosen))
    shapes = [_read(*each) for each in zip(*geometries, own_sizes, own_skeletons, strict=True)]
    polygons = iter(draw_polygons(_polygons(zip(shapes, own_sizes, strict=True))))
    return [next(polygons) if isinstance(shape, Polygons) else shape for shape in shapes]


def _read(
    geometry_type: str, text: str | None, size: Size, skeleton: Skeleton | None
) -> Polygons | Drawn | Lost:
    """Read a figure, and draw it if it is no polygon."""
    try:
        shape = read_geometry(geometry_type, text)
        return shape if isinstance(shape, Polygons) else draw(shape, size, skeleton)
    except Lost as lost:
        return Lost(lost.what or geometry_type)


def _polygons(shapes: Iterable[tuple[Polygons | Drawn | Lost, Size]]) -> list[tuple[Polygons, Size]]:
    return [(shape, size) for shape, size in shapes if isinstance(shape, Polygons)]
