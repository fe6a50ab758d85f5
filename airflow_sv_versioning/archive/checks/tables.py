"""The columns of a snapshot's tables: what must be there, is there once, and is JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.archive.checks.json_texts import JsonRule
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.snapshot.schemas import SCHEMAS, table_names
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_OBJECT = JsonRule()
_ANY = JsonRule(is_object=False)
_PASSED_ON = JsonRule(is_decoded=False)
_ANY_PASSED_ON = JsonRule(is_object=False, is_decoded=False)

_JSON: Mapping[str, JsonRule] = {
    "custom_data": _OBJECT,
    "file_meta": _OBJECT,
    "frames_to_timecodes": _ANY,
    "geometry_json": _PASSED_ON,
    "geometry_meta_json": _OBJECT,
    "meta": _OBJECT,
    "smart_tool_input": _ANY_PASSED_ON,
    "value_json": _ANY,
}
_JSON_OF_DECODED_GEOMETRY = {**_JSON, "geometry_json": _OBJECT}


def check_tables(snapshot: Snapshot) -> None:
    """Check every table of a snapshot, each read through once in bounded memory.

    :raises FormatError: with table, column and the text or id that is wrong.
    """
    for table in table_names(snapshot.project_type):
        check_rows(snapshot.project_type, table, snapshot.iter_batches(table))


def check_rows(project_type: str, table: str, batches: Iterable[pa.RecordBatch]) -> None:
    """Check the rows of one table; columns that it lacks are for others to miss.

    :raises FormatError: with column and the text or id that is wrong.
    """
    schema = SCHEMAS[project_type][table]
    keys = _Keys(table, schema.key)
    passes_on = project_type_of(project_type).passes_geometry_on
    rules = _JSON if passes_on else _JSON_OF_DECODED_GEOMETRY
    for batch in batches:
        for name in schema.required:
            if name in batch.schema.names and batch[name].null_count:
                raise FormatError(f"Table {table} of the version has rows without {name}; it is damaged.")
        for name in rules.keys() & set(batch.schema.names):
            _check_texts(table, name, batch[name], rules[name])
        if schema.owner_types:
            _check_owners(batch, schema.owner_types)
        keys.add(batch)
    keys.check()


def _check_texts(table: str, name: str, column: pa.Array, rule: JsonRule) -> None:
    if column.null_count == len(column):
        return
    if fault := rule.find_fault(column.to_pylist()):
        text, why = fault
        raise FormatError(
            f"Column {name} of table {table} of the version holds {text[:60]!r}, which cannot be restored: "
            f"{why}."
        )


def _check_owners(batch: pa.RecordBatch, owner_types: tuple[str, ...]) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    strange_tags = batch.filter(pc.invert(pc.is_in(batch["owner_type"], value_set=pa.array(owner_types))))
    for row in strange_tags.slice(0, 1).to_pylist():
        raise FormatError(
            f"The version has a tag on a {row['owner_type']!r} (id {row.get('owner_id')}); here only "
            f"{' and '.join(owner_types)} have tags."
        )


class _Keys:
    """Collects what tells rows apart, a few bytes a row."""

    def __init__(self, table: str, columns: tuple[str, ...]) -> None:
        self._table = table
        self._columns = columns
        self._parts: list[np.ndarray[Any, Any]] = []

    def add(self, batch: pa.RecordBatch) -> None:
        import numpy as np

        if self._columns and set(self._columns) <= set(batch.schema.names):
            columns = [batch[name].to_numpy(zero_copy_only=False) for name in self._columns]
            self._parts.append(np.array(columns, np.int64))

    def check(self) -> None:
        """Refuse a key that comes twice."""
        import numpy as np

        if not self._parts:
            return
        keys = np.concatenate(self._parts, axis=1)
        keys = keys[:, np.lexsort(keys)] if len(keys) > 1 else np.sort(keys)
        is_again = (keys[:, 1:] == keys[:, :-1]).all(axis=0)
        if is_again.any():
            twice = ", ".join(str(number) for number in keys[:, int(np.argmax(is_again))])
            raise FormatError(
                f"Table {self._table} of the version has {' and '.join(self._columns)} {twice} twice; "
                "it is damaged."
            )
