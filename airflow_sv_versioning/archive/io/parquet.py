"""Checks of Parquet files that others wrote."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_sv_versioning.archive.io.limits import ArchiveLimits
from airflow_sv_versioning.archive.io.parquet_footer import Group, read_footer
from airflow_sv_versioning.archive.io.parquet_pages import ChunkPages, walk_group
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.snapshot.schemas import SCHEMAS, table_schema

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


def check_table(
    path: Path, project_type: str, table: str, limits: ArchiveLimits, more_columns: tuple[str, ...] = ()
) -> int:
    """Check a table of a payload: its footer, its pages, and all of its content, read through once.

    :param more_columns: text columns that are read beside those of the table's schema.
    :returns: how many rows it has.
    :raises FormatError: no Parquet, damaged, beyond the limits, columns missing or of other types.
    """
    import pyarrow as pa

    expected = table_schema(project_type, table)
    for name in more_columns:
        expected = expected.append(pa.field(name, pa.string()))
    return _check(path, expected, SCHEMAS[project_type][table].required, limits)


@contextmanager
def open_checked(path: Path, columns: tuple[str, ...], limits: ArchiveLimits) -> Iterator[pq.ParquetFile]:
    """Open a table that has these columns, ids as integers and all else as text.

    :raises FormatError: no Parquet, beyond the limits, columns missing or of other types; also what is found
        out while the table is read.
    """
    import pyarrow as pa

    expected = pa.schema([(name, pa.int64() if name.endswith("_id") else pa.string()) for name in columns])
    _check(path, expected, columns, limits)
    with _open(path) as file:
        yield file


def _check(path: Path, expected: pa.Schema, required: tuple[str, ...], limits: ArchiveLimits) -> int:
    with path.open("rb") as content:
        footer = read_footer(content, limits.footer_bytes, f"Table {path.name}")
        if footer.rows > limits.rows:
            raise FormatError(f"{path.name} has {footer.rows} rows; it was refused.")
        pages = [
            _walk(content, group, expected.names, f"row group {number} of {path.name}", limits)
            for number, group in enumerate(footer.groups)
        ]
    with _open(path) as file:
        _check_columns(path.name, file.schema_arrow, expected, required)
        present_names = [name for name in expected.names if name in file.schema_arrow.names]
    _check_content(path, present_names, pages, limits)
    return footer.rows


def _walk(
    content: BinaryIO, group: Group, columns: Collection[str], what: str, limits: ArchiveLimits
) -> dict[str, ChunkPages]:
    """Check how large a row group is, and tell what its pages say."""
    chunks = walk_group(content, group, columns, what)
    size = sum(chunk.plain_bytes for chunk in chunks.values())
    if group.rows > limits.row_group_rows or size > limits.row_group_bytes:
        raise FormatError(f"R{what[1:]} has {group.rows} rows in {size} bytes; it was refused.")
    return chunks


def _check_content(
    path: Path, columns: Collection[str], pages: list[dict[str, ChunkPages]], limits: ArchiveLimits
) -> None:
    """Read a table through once, a row group at a time, texts of a dictionary once each.

    :raises FormatError: something in it cannot be read, or is too large when it is written out.
    """
    dictionaries = {name for group in pages for name, chunk in group.items() if chunk.is_dictionary}
    with _open(path, read_dictionary=sorted(dictionaries)) as file:
        for number in range(len(pages)):
            rows = file.read_row_group(number, columns=list(columns), use_threads=False)
            for column in rows.columns:
                column.validate(full=True)
            size = sum(_written_bytes(column) for column in rows.columns)
            if size > limits.row_group_bytes:
                raise FormatError(
                    f"Row group {number} of {path.name} has {size} bytes when it is written out; "
                    "it was refused."
                )


def _written_bytes(column: pa.ChunkedArray) -> int:
    """Count the bytes of a column of texts, those of a dictionary as often as they come."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    total = 0
    for part in column.chunks:
        lengths = pc.binary_length(part.dictionary) if len(part.dictionary) else pa.array([], pa.int32())
        total += pc.sum(lengths.take(part.indices).cast(pa.int64())).as_py() or 0
    return total


@contextmanager
def _open(path: Path, **options: Any) -> Iterator[pq.ParquetFile]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, **options) as file:
            yield file
    except pa.ArrowMemoryError:
        raise
    # The library reports damage with its own errors and, for broken pages, with OSError.
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FormatError(f"Table {path.name} of the version cannot be read: {error}") from error


def _check_columns(name: str, schema: pa.Schema, expected: pa.Schema, required: tuple[str, ...]) -> None:
    if missing_columns := [column for column in required if column not in schema.names]:
        raise FormatError(
            f"Table {name} of the version lacks {', '.join(missing_columns)}; it cannot be restored."
        )
    for field in expected:
        indices = schema.get_all_field_indices(field.name)
        if len(indices) > 1:
            raise FormatError(f"Table {name} of the version has {field.name} twice; it was refused.")
        for index in indices:
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
