"""Rows as Arrow data, with the columns that tell of geometries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.dataset.formats.parquet.shapes import shape_columns

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]
# Whose elements are rows of many columns; other lists are short.
_ANNOTATIONS = "annotations"


def make_batch(rows: Sequence[Row], schema: pa.Schema) -> pa.RecordBatch:
    """Make a batch of rows that tell geometries as JSON alone."""
    import pyarrow as pa

    return pa.RecordBatch.from_arrays(_columns(rows, schema), schema=schema)


def _columns(rows: Sequence[Row], fields: Iterable[pa.Field]) -> list[pa.Array]:
    import pyarrow as pa

    names = [field.name for field in fields]
    shapes = _shapes(rows) if "geometry" in names else {}
    arrays = []
    for field in fields:
        if field.name in shapes:
            arrays.append(shapes[field.name])
        elif field.name == _ANNOTATIONS:
            arrays.append(_annotations([row[_ANNOTATIONS] for row in rows], field.type.value_type))
        else:
            arrays.append(pa.array([row.get(field.name) for row in rows], field.type))
    return arrays


def _annotations(lists: Sequence[Sequence[Row]], row_type: pa.StructType) -> pa.ListArray:
    import pyarrow as pa

    offsets = pa.array(accumulate(map(len, lists), initial=0), pa.int32())
    fields = [row_type.field(number) for number in range(row_type.num_fields)]
    columns = _columns(list(chain.from_iterable(lists)), fields)
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(columns, fields=fields))


def _shapes(rows: Sequence[Row]) -> Mapping[str, pa.Array]:
    return shape_columns((row["geometry_type"] for row in rows), (row["geometry"] for row in rows))
