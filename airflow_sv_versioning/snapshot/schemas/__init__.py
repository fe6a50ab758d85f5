"""The tables of snapshots, with the columns of the newest official columnar format and a few more.

Columns beyond the official ones are marked; the official reader selects columns by name and ignores them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from airflow_sv_versioning.snapshot.schemas import images, videos, volumes
from airflow_sv_versioning.snapshot.schemas.table import Clustering, Table

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "SCHEMAS",
    "Clustering",
    "Table",
    "column_names",
    "item_column",
    "owned_tables",
    "table_names",
    "table_schema",
]

SCHEMAS: Mapping[str, Mapping[str, Table]] = MappingProxyType(
    {"images": images.TABLES, "videos": videos.TABLES, "volumes": volumes.TABLES}
)
"""Project type -> its tables, in the order in which a restore reads them."""


def table_names(project_type: str) -> tuple[str, ...]:
    """Name the tables of a project type, in the order in which a restore reads them."""
    return tuple(SCHEMAS[project_type])


def column_names(project_type: str, table: str) -> tuple[str, ...]:
    """Name the columns of one table."""
    return tuple(SCHEMAS[project_type][table].columns)


def item_column(project_type: str, table: str) -> str:
    """Name the column of a table that says which item a row belongs to.

    :raises LookupError: its rows belong to no item.
    """
    column = SCHEMAS[project_type][table].item
    if column is None:
        raise LookupError(f"The rows of {table} of {project_type} belong to no item.")
    return column


def owned_tables(project_type: str) -> tuple[str, ...]:
    """Name the tables of what hangs on items."""
    tables = SCHEMAS[project_type]
    return tuple(name for name in tables if name != project_type and tables[name].item is not None)


def table_schema(project_type: str, table: str) -> pa.Schema:
    """Build the Arrow schema of one table; all columns are nullable."""
    import pyarrow as pa

    columns = SCHEMAS[project_type][table].columns
    return pa.schema([(name, getattr(pa, type_name)()) for name, type_name in columns.items()])
