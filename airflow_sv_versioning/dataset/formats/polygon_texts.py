"""Plain polygons out of JSON texts, many at once: a project has millions, and nearly all have one outline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_sv_versioning.dataset.formats.geometry import FARTHEST

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

_NOTHING = "{}"
_LEAST_POINTS = 3


class Outlines(NamedTuple):
    """The outlines of some polygons.

    :param places: of those that have one, ascending.
    :param points: of all of them one after the other, columns and rows.
    :param lengths: how many points each has.
    """

    places: Numbers
    points: Numbers
    lengths: Numbers


def read_outlines(texts: Sequence[str | None]) -> Outlines | None:
    """Read those of the texts that are polygons without holes.

    :returns: ``None`` where they cannot be read together, for at least one is something else than polygons
        are: then each has to be looked at.
    """
    import pyarrow as pa
    import pyarrow.json as pj

    lines = "\n".join(text or _NOTHING for text in texts)
    if lines.count("\n") >= len(texts):
        return None
    content = lines.encode()
    try:
        rows = pj.read_json(
            pa.BufferReader(content),
            pj.ReadOptions(use_threads=False, block_size=len(content) + 1),
            pj.ParseOptions(explicit_schema=_schema(), unexpected_field_behavior="ignore"),
        )
    except pa.ArrowInvalid:
        return None
    return _outlines(rows["points"].combine_chunks()) if rows.num_rows == len(texts) else None


def _schema() -> pa.Schema:
    import pyarrow as pa

    ring = pa.list_(pa.list_(pa.float64()))
    return pa.schema([("points", pa.struct([("exterior", ring), ("interior", pa.list_(ring))]))])


def _outlines(polygons: pa.StructArray) -> Outlines | None:
    import numpy as np
    import pyarrow.compute as pc

    exteriors, holes = (pc.struct_field(polygons, name) for name in ("exterior", "interior"))
    points = exteriors.flatten()
    if points.null_count or not (pc.list_value_length(points).to_numpy() == 2).all():
        return None
    coordinates = points.flatten().to_numpy(zero_copy_only=False).reshape(-1, 2)
    # Nothing is not a number here.
    if not (np.abs(coordinates) <= FARTHEST).all():
        return None
    lengths = _lengths(exteriors)
    is_plain = (lengths >= _LEAST_POINTS) & (_lengths(holes) == 0)
    kept = coordinates if is_plain.all() else coordinates[np.repeat(is_plain, lengths)]
    return Outlines(np.flatnonzero(is_plain), kept, lengths[is_plain])


def _lengths(lists: pa.ListArray) -> Numbers:
    import pyarrow.compute as pc

    lengths: Numbers = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    return lengths
