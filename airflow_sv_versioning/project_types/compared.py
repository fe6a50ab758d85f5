"""One of two snapshots that are compared, and what of its items counts, with names in place of ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.project_types.compared_columns import ComparedColumns
from airflow_sv_versioning.snapshot.items import ItemBatch, OwnedTables
from airflow_sv_versioning.snapshot.schemas import column_names, item_column, table_names
from airflow_sv_versioning.snapshot.stored_rows import OwnedRows, StoredRows
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

# By which rows find each other, and what they are told by.
_KEYS = ("src_figure_id", "src_object_id", "owner_type")


@dataclass(frozen=True)
class Side:
    """A snapshot to compare.

    :param without: ids of items that do not count.
    :param new_names: item id -> the name to take for its own.
    :param references: item id -> the hash to take for what it is made of.
    :param stand_ins: hashes of placeholders.
    :param hidden_tag: name of a tag that does not count.
    :param passed_over: ids of items whose custom data does not count.
    :param class_names: name of a class -> the name to take for it; absent ones keep theirs.
    :param tag_names: the same of tags.
    :param not_compared: table -> columns that do not count.
    :param columns: table -> the columns to read of what hangs on items, see :func:`columns_to_read`.
    """

    snapshot: Snapshot
    without: frozenset[int] = frozenset()
    new_names: Mapping[int, str] = field(default_factory=dict)
    references: Mapping[int, str] = field(default_factory=dict)
    stand_ins: frozenset[str] = frozenset()
    hidden_tag: str | None = None
    passed_over: frozenset[int] = frozenset()
    class_names: Mapping[str, str] = field(default_factory=dict)
    tag_names: Mapping[str, str] = field(default_factory=dict)
    not_compared: Mapping[str, frozenset[str]] = field(default_factory=dict)
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def project_type(self) -> str:
        """The platform's word for the type of the project."""
        return self.snapshot.project_type

    @property
    def id_column(self) -> str:
        """The column with the item's id in the table of items."""
        return item_column(self.project_type, self.project_type)

    @cached_property
    def tables(self) -> OwnedTables:
        """The tables by their items, without the columns that nobody compares."""
        return OwnedTables(self.snapshot.directory, self.project_type, self.columns)

    @cached_property
    def masks(self) -> OwnedRows | None:
        """The alpha masks by the ids of their figures."""
        return alpha_masks(self.snapshot)

    def with_items_as_planned(self, rows: pa.Table) -> pa.Table:
        """Give rows of items what this side is to be taken for."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if self.without:
            rows = rows.filter(~pc.field(self.id_column).isin(pa.array(sorted(self.without), pa.int64())))
        rows = self._replaced(rows, "name", self.new_names.keys(), self.new_names.get)
        rows = self._replaced(rows, "hash", self.references.keys(), self.references.get)
        rows = self._replaced(rows, "link", self.references.keys(), lambda _: None)
        return self._replaced(rows, "custom_data", self.passed_over, lambda _: None)

    def _replaced(
        self, rows: pa.Table, column: str, ids: Any, value_of: Callable[[int], str | None]
    ) -> pa.Table:
        import pyarrow as pa

        if not ids:
            return rows
        pairs = zip(rows[self.id_column].to_pylist(), rows[column].to_pylist(), strict=True)
        values = [value_of(item_id) if item_id in ids else value for item_id, value in pairs]
        return with_column(rows, column, pa.array(values, pa.string()))

    def is_stand_in(self, rows: pa.Table) -> pa.ChunkedArray:
        """Say of each item whether it is a placeholder."""
        import pyarrow as pa
        import pyarrow.compute as pc

        return pc.is_in(rows["hash"], value_set=pa.array(sorted(self.stand_ins), pa.string()))

    def named(self, rows: pa.Table, id_column: str, name_column: str) -> pa.Table:
        """Give rows the names that their definitions have; some archives tell no others.

        :param name_column: ``class_name``, or ``name`` of tags.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        known = self._class_names_by_id if name_column == "class_name" else self._tag_names_by_id
        places = pc.index_in(rows[id_column], value_set=pa.array(known, pa.int64()))
        names = pc.coalesce(pa.array(list(known.values()), pa.string()).take(places), rows[name_column])
        return with_column(rows, name_column, self.renamed(names, name_column))

    def renamed(self, names: pa.ChunkedArray, name_column: str) -> pa.ChunkedArray:
        """Give names of classes or tags those that they are to be taken for."""
        import pyarrow as pa
        import pyarrow.compute as pc

        new = self.class_names if name_column == "class_name" else self.tag_names
        if not new:
            return names
        places = pc.index_in(names, value_set=pa.array(list(new), pa.string()))
        return pc.coalesce(pa.array(list(new.values()), pa.string()).take(places), names)

    def defined_names(self) -> tuple[list[str], list[str]]:
        """Name the classes and the tags of the project, as they are to be taken."""
        meta = self.snapshot.project_meta
        classes = [entry["title"] for entry in meta.get("classes") or []]
        tags = [entry["name"] for entry in meta.get("tags") or [] if entry["name"] != self.hidden_tag]
        return [self.class_names.get(n, n) for n in classes], [self.tag_names.get(n, n) for n in tags]

    @cached_property
    def _class_names_by_id(self) -> dict[int, str]:
        return self._defined("classes", "title")

    @cached_property
    def _tag_names_by_id(self) -> dict[int, str]:
        return self._defined("tags", "name")

    def _defined(self, what: str, name: str) -> dict[int, str]:
        definitions = self.snapshot.project_meta.get(what) or []
        return {entry["id"]: entry[name] for entry in definitions if entry.get("id") is not None}


@dataclass(frozen=True)
class Part:
    """Some items of a side, with all rows that hang on them.

    :param keys: of each item a number, which is that of no other item of this side, and that of its pair on
        the other.
    """

    side: Side
    ids: Numbers
    keys: Numbers

    def __len__(self) -> int:
        return len(self.ids)

    def some(self, places: Numbers) -> Part:
        """Take the items at some places."""
        return Part(self.side, self.ids[places], self.keys[places])

    def rows(self, table: str) -> pa.Table:
        """Read their rows in a table, item by item, with ``item``: the item's place among them."""
        import numpy as np
        import pyarrow as pa

        rows = ItemBatch(self.ids, self.side.tables).table(table)
        owners = rows[item_column(self.side.project_type, table)].to_numpy()
        order = np.argsort(self.ids)
        places = order[self.ids[order].searchsorted(owners)]
        return rows.append_column("item", pa.array(places, pa.int64()))


def alpha_masks(snapshot: Snapshot) -> OwnedRows | None:
    """Find the alpha masks of images by the ids of their figures, if there are any."""
    path = snapshot.path("alpha_geometries")
    if not path.exists():
        return None
    return OwnedRows(StoredRows(path, snapshot.schema("alpha_geometries")), "src_figure_id")


def columns_to_read(compared: ComparedColumns) -> dict[str, list[str]]:
    """Name by table the columns to read of what hangs on items; items themselves are read whole."""
    project_type = compared.project_type
    names = {}
    for table in table_names(project_type):
        if table not in {"datasets", project_type}:
            read = {*compared.of(table), *compared.stands_for[table], *_KEYS}
            names[table] = [name for name in column_names(project_type, table) if name in read]
    return names


def with_column(rows: pa.Table, name: str, values: Any) -> pa.Table:
    """Put other values into a column."""
    return rows.set_column(rows.schema.get_field_index(name), name, values)


def compared_objects(part: Part) -> pa.Table:
    """Read the objects of some items: ``item``, ``object_id``, ``class_name``."""
    rows = part.rows("objects").rename_columns({"src_object_id": "object_id"})
    rows = with_column(rows, "class_name", part.side.renamed(rows["class_name"], "class_name"))
    return rows.select(["item", "object_id", "class_name"])


def compared_tags(part: Part) -> pa.Table:
    """Read the tags of some items, objects and figures, under the names of their definitions."""
    import pyarrow.compute as pc

    rows = part.side.named(part.rows("tags"), "tag_id", "name")
    return rows if part.side.hidden_tag is None else rows.filter(pc.field("name") != part.side.hidden_tag)
