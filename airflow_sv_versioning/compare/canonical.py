"""Values in the spelling in which they are compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.project_types.compared_columns import DEFAULTS, REPEATED_IN_META
from airflow_sv_versioning.snapshot.canonical import canonical_json
from airflow_sv_versioning.snapshot.digests import column_digests

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

JSON_COLUMNS = frozenset(
    ("meta", "custom_data", "geometry", "value_json", "smart_tool_input", "frames_to_timecodes")
)
_EMPTY_JSON = frozenset(("null", "{}", "[]", ""))


def digests_of(rows: pa.Table, columns: Iterable[str], *, canonical: bool) -> list[Numbers]:
    """Make digests of columns, in which absent values are what the platform takes for them.

    :param canonical: also make equal what is one JSON value in different spellings, which takes longer.
    """
    return [_digests(rows, name, canonical=canonical) for name in columns]


def _digests(rows: pa.Table, name: str, *, canonical: bool) -> Numbers:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = rows[name]
    if name in DEFAULTS:
        column = pc.fill_null(column, pa.scalar(DEFAULTS[name], column.type))
    if not (canonical and name in JSON_COLUMNS):
        return column_digests(column)
    return column_digests(column, partial(canonical_text, name=name, columns=rows.column_names))


def canonical_text(text: str | None, name: str, columns: Sequence[str] = ()) -> str | None:
    """Write a value as it is compared; what is empty is as good as nothing.

    :param name: of its column.
    :param columns: of the row, of which one may repeat a member of ``meta``.
    """
    if text is None or name not in JSON_COLUMNS:
        return text or None
    repeated = [member for column, member in REPEATED_IN_META.items() if column in columns]
    written = canonical_json(text, repeated if name == "meta" else ())
    return None if written in _EMPTY_JSON else written
