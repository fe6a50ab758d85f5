"""Plain polygons out of JSON texts, many at once: a project has millions, and nearly all have one outline.

Plain is a polygon without holes, written as the platform and the SDK write it. What is written otherwise is
no worse, but it has to be read by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_sv_versioning.dataset.formats.geometry import POLYGON

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

# Up to 999,999.9: farther away than any picture is wide.
_NUMBER = r"-?(?:0|[1-9][0-9]{0,5})(?:\.[0-9]+)?"
_POINT = rf"\[{_NUMBER}, ?{_NUMBER}\]"
_PLAIN = rf'^\{{"points": ?\{{"exterior": ?\[{_POINT}(?:, ?{_POINT}){{2,}}\], ?"interior": ?\[\]\}}\}}$'
# Of a plain polygon there is left ``x1,2,3,4,5,6,``; the letter is that of its exterior.
_BEGIN, _END_OF_NUMBER = b"x,"
_LEFT_OUT = bytes(set(range(256)) - set(b"0123456789.-x,"))


class Outlines(NamedTuple):
    """The outlines of some polygons.

    :param is_plain: of all figures, whether they are such polygons.
    :param points: of these one after the other, columns and rows.
    :param lengths: how many points each has.
    """

    is_plain: Numbers
    points: Numbers
    lengths: Numbers


def read_outlines(geometry_types: pa.StringArray, geometries: pa.StringArray) -> Outlines:
    """Read those of some figures that are plain polygons."""
    import pyarrow.compute as pc

    is_written_so = pc.fill_null(pc.match_substring_regex(geometries, _PLAIN), False)
    is_plain = pc.and_(is_written_so, pc.equal(geometry_types, POLYGON))
    coordinates, counts = _numbers(geometries.filter(is_plain))
    return Outlines(is_plain.to_numpy(zero_copy_only=False), coordinates.reshape(-1, 2), counts // 2)


def _numbers(texts: pa.StringArray) -> tuple[Numbers, Numbers]:
    """Read all numbers in plain polygons, and count those of each."""
    import numpy as np
    import pyarrow as pa

    left = joined_text(texts, "").to_pybytes().translate(None, _LEFT_OUT)
    characters = np.frombuffer(left, np.uint8)
    begins, ends = np.flatnonzero(characters == _BEGIN), np.flatnonzero(characters == _END_OF_NUMBER)
    counts = np.diff(np.append(ends.searchsorted(begins), len(ends)))
    # Where numbers end when nothing stands between them.
    ends -= np.arange(len(ends)) + np.repeat(np.arange(1, len(begins) + 1), counts)
    digits = pa.py_buffer(left.translate(None, b"x,"))
    offsets = pa.py_buffer(np.append(0, ends).astype(np.int32))
    numbers = pa.StringArray.from_buffers(len(ends), offsets, digits)
    return numbers.cast(pa.float64()).to_numpy(), counts


def joined_text(texts: pa.StringArray, between: str) -> pa.Buffer:
    """Put texts one behind the other."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts), between)[0].as_buffer()
