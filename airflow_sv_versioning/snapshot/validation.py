"""Checks that a snapshot refers to nothing that it does not hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import pyarrow.compute as pc


def check_known(what: str, used_values: Collection[Any], known_values: Collection[Any]) -> None:
    """Refuse a snapshot that uses what it does not know.

    :param what: names the ids in the message, such as ``classes of figures``.
    :raises FormatError: with some of the ids.
    """
    if unknown := sorted(set(used_values) - set(known_values), key=str):
        raise _unknown(what, unknown)


def check_ids(
    what: str,
    snapshot: Snapshot,
    table: str,
    column: str,
    known_ids: IdSet,
    where: pc.Expression | None = None,
) -> None:
    """Refuse a snapshot where a column of many ids holds one that is not known.

    :param where: selects the rows that are looked at.

    :raises FormatError: with some of the ids.
    """
    for part in snapshot.iter_columns(table, column, where):
        if part.null_count or (unknown := known_ids.missing(part)):
            raise _unknown(what, [None] if part.null_count else unknown)


def _unknown(what: str, ids: Sequence[Any]) -> FormatError:
    return FormatError(
        f"The snapshot refers to {what} that it does not hold: ids {list(ids[:10])}. It is damaged."
    )


def distinct(snapshot: Snapshot, table: str, column: str, where: pc.Expression | None = None) -> set[Any]:
    """Collect the different values of a column."""
    distinct_values: set[Any] = set()
    for part in snapshot.iter_columns(table, column, where):
        distinct_values.update(part.unique().to_pylist())
    return distinct_values
