"""One of two snapshots that are compared, and what of it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_sv_versioning.snapshot.tables import Snapshot, as_batch, values
from airflow_sv_versioning.snapshot.tree import dataset_paths

if TYPE_CHECKING:
    import pyarrow as pa

SEPARATOR = "\x1f"
"""Stands between texts that are joined to be compared."""


@dataclass(frozen=True)
class Side:
    """A snapshot to compare.

    :param id_column: the column with the item's id in the table of items.
    :param without: ids of items that do not count.
    :param new_names: item id -> the name to take for its own.
    :param references: item id -> the hash to take for what it is made of.
    :param stand_ins: hashes of placeholders.
    :param hidden_tag: name of a tag that does not count.
    :param passed_over: ids of items whose custom data does not count.
    """

    snapshot: Snapshot
    id_column: str
    without: frozenset[int] = frozenset()
    new_names: Mapping[int, str] = field(default_factory=dict)
    references: Mapping[int, str] = field(default_factory=dict)
    stand_ins: frozenset[str] = frozenset()
    hidden_tag: str | None = None
    passed_over: frozenset[int] = frozenset()

    def items(self) -> pa.Table:
        """Read the items that count, each with its ``path``: ``dataset/path/item name``."""
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = self.snapshot.read(self.snapshot.project_type)
        folders = dataset_paths(self.snapshot)
        ids, names = values(rows, self.id_column), values(rows, "name")
        paths = [
            f"{folders[dataset_id]}/{self.new_names.get(item_id, name)}"
            for item_id, dataset_id, name in zip(ids, values(rows, "src_dataset_id"), names, strict=True)
        ]
        rows = self._with_references(rows.append_column("path", pa.array(paths, pa.string())), ids)
        rows = self._without_passed_over(rows, ids)
        if self.without:
            rows = rows.filter(~pc.field(self.id_column).isin(pa.array(sorted(self.without), pa.int64())))
        return rows

    def tags(self) -> pa.Table:
        """Read the tags that count, under the names of their definitions."""
        import pyarrow.compute as pc

        rows = self.named(self.snapshot.read("tags"), "tag_id", "name", "tags")
        if self.hidden_tag is not None:
            rows = rows.filter(pc.field("name") != self.hidden_tag)
        return rows

    def named(self, rows: pa.Table, id_column: str, name_column: str, what: str) -> pa.Table:
        """Give rows the names that their definitions have; some archives tell no others.

        :param what: ``classes`` or ``tags``.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        definitions = self.snapshot.project_meta.get(what) or []
        name = "title" if what == "classes" else "name"
        defined = {entry["id"]: entry[name] for entry in definitions if entry.get("id") is not None}
        listed = as_batch(rows.select([id_column, name_column]))
        places = pc.index_in(listed[id_column], value_set=pa.array(defined, pa.int64()))
        names = pc.coalesce(pa.array(list(defined.values()), pa.string()).take(places), listed[name_column])
        return rows.set_column(rows.schema.get_field_index(name_column), name_column, names)

    def is_stand_in(self, rows: pa.Table) -> pa.ChunkedArray:
        """Say of each item whether it is a placeholder."""
        import pyarrow as pa
        import pyarrow.compute as pc

        return pc.is_in(rows["hash"], value_set=pa.array(sorted(self.stand_ins), pa.string()))

    def _with_references(self, rows: pa.Table, ids: list[int]) -> pa.Table:
        import pyarrow as pa

        if not self.references:
            return rows
        hashes = [self.references.get(key, old) for key, old in zip(ids, values(rows, "hash"), strict=True)]
        links = [
            None if key in self.references else link
            for key, link in zip(ids, values(rows, "link"), strict=True)
        ]
        for name, column in (("hash", hashes), ("link", links)):
            rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array(column, pa.string()))
        return rows

    def _without_passed_over(self, rows: pa.Table, ids: list[int]) -> pa.Table:
        import pyarrow as pa

        if not self.passed_over:
            return rows
        texts = [
            None if key in self.passed_over else text
            for key, text in zip(ids, values(rows, "custom_data"), strict=True)
        ]
        index = rows.schema.get_field_index("custom_data")
        return rows.set_column(index, "custom_data", pa.array(texts, pa.string()))

    def with_paths(self, table: pa.Table, column: str) -> pa.Table:
        """Join rows with the path of their item, leaving out those whose item does not count."""
        items = self.items().select([self.id_column, "path"])
        return table.join(items, column, right_keys=self.id_column, join_type="inner")
