"""Remnants: figures, objects and tags whose class or tag is defined no more.

Projects have them where a definition was deleted, and no server takes them anew. So versions leave them out,
and whoever leaves them out names them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import names_of
from airflow_sv_versioning.project_types.originals import paths_of
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.schemas import item_column
from airflow_sv_versioning.snapshot.tables import Snapshot, values
from airflow_sv_versioning.snapshot.validation import distinct
from airflow_sv_versioning.snapshot.writer import replace_table

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Mask = np.ndarray[Any, Any]

_NAMED = 3
_NAMES = 10


@dataclass(frozen=True)
class Remnants:
    """What of a snapshot nobody can make anew, for nothing defines it.

    :param lines: name it, in whole sentences.
    :param item_ids: the items that it is on.
    """

    sieve: _Sieve
    lines: tuple[str, ...] = ()
    item_ids: frozenset[int] = frozenset()

    def refuse(self) -> None:
        """Refuse a snapshot that has remnants.

        :raises FormatError: it has.
        """
        if self.lines:
            raise FormatError(
                f"The version holds what no project can take: {' '.join(self.lines)} Nothing was created. "
                "Restore with missing_entities='skip' to do without."
            )

    def leave_out(self) -> None:
        """Take the remnants out of the snapshot's tables."""
        if self.lines:
            self.sieve.sift()


def find_remnants(snapshot: Snapshot) -> Remnants:
    """Look for rows of classes and tags that the snapshot's meta does not define, and what hangs on them."""
    sieve = _Sieve(snapshot)
    if sieve.is_clean():
        return Remnants(sieve)
    sieve.find_owners()
    table_remnants = [_TableRemnants(sieve, table) for table in (sieve.owners, "tags")]
    parts = [part for part in table_remnants if part.count]
    items = frozenset(item_id for part in parts for item_id in part.item_ids)
    return Remnants(sieve, tuple(part.line() for part in parts), items)


class _Sieve:
    """Tells rows that are remnants from others.

    :ivar owners: the table whose rows are of classes: figures of images, or objects.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        names = names_of(snapshot.project_meta)
        has_objects = project_type_of(snapshot.project_type).has_objects
        self.snapshot = snapshot
        self.owners = "objects" if has_objects else "figures"
        self.owner_id = "src_object_id" if has_objects else "src_figure_id"
        self.class_column = "class_name" if has_objects else "class_id"
        self._classes: Collection[Any] = set(names.classes.values() if has_objects else names.classes)
        self._tags = set(names.tags)
        self._removed_ids = IdSet([])

    def is_clean(self) -> bool:
        """Say whether everything is defined; quick, for almost always it is."""
        classes = distinct(self.snapshot, self.owners, self.class_column)
        return classes <= set(self._classes) and distinct(self.snapshot, "tags", "tag_id") <= self._tags

    def find_owners(self) -> None:
        """Collect the figures or objects that are remnants: what hangs on them is left out with them."""
        columns = [self.owner_id, self.class_column]
        batches = self.snapshot.iter_batches(self.owners, columns)
        self._removed_ids = IdSet.of_columns(
            batch[self.owner_id].filter(self.is_undefined(self.owners, batch)) for batch in batches
        )

    def is_undefined(self, table: str, rows: pa.RecordBatch) -> pa.Array:
        """Say which rows are of a class, or tags, that nothing defines."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column, known_keys = ("tag_id", self._tags) if table == "tags" else (self.class_column, self._classes)
        return pc.invert(pc.is_in(rows[column], value_set=pa.array(sorted(known_keys), rows[column].type)))

    def hangs_on_removed(self, rows: pa.RecordBatch) -> pa.Array:
        """Say which rows belong to figures or objects that are left out."""
        import pyarrow as pa
        import pyarrow.compute as pc

        names = rows.schema.names
        column = "owner_id" if "owner_id" in names else self.owner_id
        is_removed = pa.array(self._removed_ids.mask(rows[column]))
        if "owner_type" not in names:
            return is_removed
        of_owner = pc.equal(rows["owner_type"], "object" if self.owners == "objects" else "figure")
        return pc.and_(is_removed, pc.fill_null(of_owner, False))

    def sift(self) -> None:
        """Write the tables anew that hold remnants."""
        for table in ("objects", "figures", "alpha_geometries", "tags"):
            if self.snapshot.path(table).exists():
                replace_table(self.snapshot, table, self._kept_rows(table))

    def _kept_rows(self, table: str) -> Iterator[pa.RecordBatch]:
        import pyarrow.compute as pc

        for rows in self.snapshot.iter_batches(table):
            is_removed = self.hangs_on_removed(rows)
            if table in {self.owners, "tags"}:
                is_removed = pc.or_(is_removed, self.is_undefined(table, rows))
            if table == "figures":
                self._remove_masks(rows.filter(is_removed))
            yield rows.filter(pc.invert(is_removed))

    def _remove_masks(self, rows: pa.RecordBatch) -> None:
        for figure_id in values(rows, "src_figure_id"):
            if figure_id is not None:
                self.snapshot.mask_path(figure_id).unlink(missing_ok=True)


class _TableRemnants:
    """The remnants of one table, counted and named."""

    def __init__(self, sieve: _Sieve, table: str) -> None:
        self._sieve = sieve
        self._table = table
        self._definitions: set[Any] = set()
        self._examples: list[Mapping[str, Any]] = []
        self.count = 0
        self.item_ids: set[int] = set()
        self._read()

    def _read(self) -> None:
        import pyarrow.compute as pc

        is_tags = self._table == "tags"
        item = item_column(self._sieve.snapshot.project_type, self._table)
        definition_columns = ["tag_id", "name"] if is_tags else [self._sieve.class_column]
        own_columns = ["tag_assignment_id", "owner_type", "owner_id"] if is_tags else [self._sieve.owner_id]
        for rows in self._sieve.snapshot.iter_batches(self._table, [item, *definition_columns, *own_columns]):
            is_remnant = self._sieve.is_undefined(self._table, rows)
            if is_tags:
                is_remnant = pc.and_not(is_remnant, self._sieve.hangs_on_removed(rows))
            remnants = rows.filter(is_remnant)
            self.count += remnants.num_rows
            self.item_ids.update(values(remnants.filter(pc.is_valid(remnants[item])), item))
            name_columns = (values(remnants, column) for column in reversed(definition_columns))
            self._definitions.update(
                next((name for name in names if name is not None), None)
                for names in zip(*name_columns, strict=True)
            )
            examples = remnants.slice(0, _NAMED - len(self._examples)).to_pylist()
            self._examples += [{**row, "item": row[item]} for row in examples]

    def line(self) -> str:
        """Say in one sentence what is left out and why."""
        names = sorted(str(name) for name in self._definitions - {None})
        names_text = f" ({', '.join(names[:_NAMES])})" if names else ""
        rest_text = (
            f"; and {self.count - len(self._examples)} more" if self.count > len(self._examples) else ""
        )
        texts = "; ".join(self._texts()) + rest_text
        if self._table == "tags":
            return f"{self.count} tags{names_text} that are defined no more are left out: {texts}."
        return (
            f"{self.count} {self._table}, whose classes{names_text} are defined no more, are left out with "
            f"all that hangs on them: {texts}."
        )

    def _texts(self) -> Iterator[str]:
        snapshot = self._sieve.snapshot
        item = project_type_of(snapshot.project_type).item
        paths = paths_of(snapshot, {row["item"] for row in self._examples if row["item"] is not None})
        for row in self._examples:
            on = f"{item} {paths.get(row['item'])!r} (id {row['item']})"
            if self._table != "tags":
                yield f"{self._table[:-1]} {row[self._sieve.owner_id]} of {on}"
            elif row["owner_type"] == "item":
                yield f"tag {row['tag_assignment_id']} of {on}"
            else:
                yield f"tag {row['tag_assignment_id']} of {row['owner_type']} {row['owner_id']} of {on}"
