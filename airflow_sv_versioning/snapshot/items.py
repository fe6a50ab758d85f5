"""Whole items of a snapshot, with all rows that hang on them: one way for whoever joins its tables.

Items come in their own order, whatever the order in the other tables. Memory holds the rows of a batch, and a
few integers an item and table; see :mod:`stored_rows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_sv_versioning.snapshot.schemas import item_column, table_schema
from airflow_sv_versioning.snapshot.stored_rows import OwnedRows, StoredRows

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

Row = TypeVar("Row", bound=Mapping[str, Any])


class OwnedTables:
    """The tables of a snapshot, opened when they are first asked for.

    :param columns: table -> the columns to read; all of a table that it does not name.
    """

    def __init__(
        self, directory: Path, project_type: str, columns: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._directory = directory
        self._project_type = project_type
        self._columns = columns or {}
        self._opened: dict[str, OwnedRows | None] = {}

    def counts(self, table: str, ids: Numbers) -> Numbers:
        """Count the rows of each item in a table."""
        import numpy as np

        opened = self._open(table)
        return opened.counts(ids) if opened else np.zeros(len(ids), np.int64)

    def rows(self, table: str, ids: Numbers) -> pa.Table:
        """Read the rows of some items in a table, item by item, those of one in their own order."""
        opened = self._open(table)
        return opened.of(ids) if opened else self._schema(table).empty_table()

    def _open(self, table: str) -> OwnedRows | None:
        if table not in self._opened:
            path = self._directory / f"{table}.parquet"
            self._opened[table] = self._owned(table, path) if path.exists() else None
        return self._opened[table]

    def _owned(self, table: str, path: Path) -> OwnedRows:
        column = item_column(self._project_type, table)
        return OwnedRows(StoredRows(path, self._schema(table)), column)

    def _schema(self, table: str) -> pa.Schema:
        import pyarrow as pa

        full = table_schema(self._project_type, table)
        names = self._columns.get(table)
        return full if names is None else pa.schema([full.field(name) for name in names])


@dataclass(frozen=True)
class ItemBatch:
    """Some items, one after the other.

    :param ids: of the items, as an array.
    """

    ids: Numbers
    _tables: OwnedTables

    def table(self, name: str) -> pa.Table:
        """Read their rows in a table, item by item, those of one item in their own order."""
        return self._tables.rows(name, self.ids)

    def counts(self, name: str) -> list[int]:
        """Count the rows of each of them in a table."""
        counts: list[int] = self._tables.counts(name, self.ids).tolist()
        return counts


def cut(
    ids: Numbers, tables: OwnedTables, at_once: int | None, most_rows: Mapping[str, int]
) -> Iterator[ItemBatch]:
    """Cut items into batches.

    :param at_once: the most items of a batch; ``None`` for any number.
    :param most_rows: table -> the most rows that a batch has of it, unless one item has more.
    """
    rows = [(tables.counts(table, ids), most) for table, most in most_rows.items()]
    for piece in pieces(len(ids), rows, at_once):
        yield ItemBatch(ids[piece], tables)


def pieces(count: int, rows: Iterable[tuple[Numbers, int]], at_once: int | None = None) -> Iterator[slice]:
    """Cut a row of items into pieces.

    :param rows: how many rows each item has, and the most that a piece has, unless one item has more.
    :param at_once: the most items of a piece; ``None`` for any number.
    """
    import numpy as np

    # Rows of all items up to each, the first of none.
    ends = [(np.append(0, np.cumsum(counts)), most) for counts, most in rows]
    start = 0
    while start < count:
        stop = count if at_once is None else min(count, start + at_once)
        for reached, most in ends:
            stop = min(stop, int(reached.searchsorted(reached[start] + most, "right")) - 1)
        stop = max(stop, start + 1)
        yield slice(start, stop)
        start = stop


def whole_owners(rows: Iterable[Row], column: str, size: int = 1) -> Iterator[list[Row]]:
    """Group rows of a clustered table into lists of at most ``size``, never parting those of one owner.

    Only an owner with more rows than ``size`` makes a longer list. It goes through the table once, in its
    order, for whoever needs no other table beside it.
    """
    group: list[Row] = []
    last_owner_start = 0
    for row in rows:
        if group and group[-1][column] != row[column]:
            last_owner_start = len(group)
        group.append(row)
        if len(group) > size and last_owner_start:
            yield group[:last_owner_start]
            group = group[last_owner_start:]
            last_owner_start = 0
    if group:
        yield group
