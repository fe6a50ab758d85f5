"""Checks of Parquet files that others wrote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.snapshot.formats.limits import ArchiveLimits
from airflow_sv_versioning.snapshot.schemas import required_columns, table_schema

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_CHECK_ROWS = 1000


def check_footer(path: Path, project_type: str, table: str, limits: ArchiveLimits) -> int:
    """Check what a table's footer says, and count its rows.

    :raises FormatError: no Parquet, row groups beyond the limits, columns missing or of other types.
    """
    with _open(path) as file:
        _check_groups(path.name, file.metadata, limits)
        required = required_columns(project_type, table)
        _check_columns(path.name, file.schema_arrow, table_schema(project_type, table), required)
        return int(file.metadata.num_rows)


@contextmanager
def open_checked(path: Path, columns: tuple[str, ...], limits: ArchiveLimits) -> Iterator[pq.ParquetFile]:
    """Open a table that has these columns, ids as integers and all else as text.

    :raises FormatError: no Parquet, row groups beyond the limits, columns missing or of other types; also
        what is found out while the table is read.
    """
    import pyarrow as pa

    expected = pa.schema([(name, pa.int64() if name.endswith("_id") else pa.string()) for name in columns])
    with _open(path) as file:
        _check_groups(path.name, file.metadata, limits)
        _check_columns(path.name, file.schema_arrow, expected, columns)
        yield file


def _check_groups(name: str, metadata: Any, limits: ArchiveLimits) -> None:
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        if group.num_rows > limits.max_row_group_rows or group.total_byte_size > limits.max_row_group_bytes:
            raise FormatError(
                f"Row group {number} of {name} has {group.num_rows} rows in "
                f"{group.total_byte_size} bytes; it was refused."
            )


def check_content(path: Path) -> None:
    """Read a table through once, in bounded memory.

    :raises FormatError: something in it cannot be read.
    """
    with _open(path) as file:
        rows = 0
        for batch in file.iter_batches(batch_size=_CHECK_ROWS):
            batch.validate(full=True)
            rows += batch.num_rows
        if rows != file.metadata.num_rows:
            raise FormatError(f"{path.name} holds {rows} rows, but its footer says {file.metadata.num_rows}.")


@contextmanager
def _open(path: Path) -> Iterator[pq.ParquetFile]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            yield file
    except pa.ArrowMemoryError:
        raise
    # The library reports damage with its own errors and, for broken pages, with OSError.
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FormatError(f"Table {path.name} of the version cannot be read: {error}") from error


def _check_columns(name: str, schema: pa.Schema, expected: pa.Schema, required: tuple[str, ...]) -> None:
    if missing := [column for column in required if column not in schema.names]:
        raise FormatError(f"Table {name} of the version lacks {', '.join(missing)}; it cannot be restored.")
    for field in expected:
        for index in schema.get_all_field_indices(field.name):
            actual = schema.field(index).type
            if _family(actual) not in (_family(field.type), "null"):
                raise FormatError(f"Column {field.name} of table {name} holds {actual}, not {field.type}.")


def _family(data_type: Any) -> str:
    import pyarrow as pa

    if pa.types.is_dictionary(data_type):
        data_type = data_type.value_type
    if pa.types.is_string(data_type) or pa.types.is_large_string(data_type):
        return "text"
    if pa.types.is_integer(data_type):
        return "integer"
    return str(data_type)
