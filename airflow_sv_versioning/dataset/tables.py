"""The tables of a version as streams, with names and paths that are told by others of its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.dataset.naming import Naming
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.snapshot.choosing import Choice, choose, owner_table, refuse_unmatched
from airflow_sv_versioning.snapshot.schemas import column_names, item_column, table_names
from airflow_sv_versioning.snapshot.selection import Selection
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import dataset_paths

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Mask = Callable[["pa.RecordBatch"], "np.ndarray[Any, Any]"]


class Tables:
    """Streams the tables of a snapshot."""

    def __init__(self, snapshot: Snapshot, naming: Naming) -> None:
        self._snapshot = snapshot
        self._naming = naming

    def datasets(self) -> pa.RecordBatchReader:
        """Stream the datasets with their paths."""
        import pyarrow as pa

        table = self._snapshot.read("datasets")
        paths = pa.array([self._paths[row] for row in table["src_dataset_id"].to_pylist()], pa.string())
        return table.set_column(table.schema.get_field_index("full_path"), "full_path", paths).to_reader()

    def figures(self, selection: Selection, columns: Sequence[str] | None) -> pa.RecordBatchReader:
        """Stream the figures of some classes and datasets.

        :raises ConfigurationError: the selection names what there is not, or a column is none.
        """
        if selection.is_everything:
            return self.stream("figures", columns)
        choice = choose(self._snapshot, selection)
        refuse_unmatched(selection, [choice])
        return self.stream("figures", columns, *self._chosen(choice))

    def _chosen(self, choice: Choice) -> tuple[Mask, list[str]]:
        """Say which figures are chosen, and by which columns."""
        item = item_column(self._snapshot.project_type, "figures")
        _, owner = owner_table(self._snapshot.project_type)

        def mask(batch: pa.RecordBatch) -> np.ndarray[Any, Any]:
            of_items = choice.item_ids.mask(batch[item])
            return of_items if choice.owners is None else of_items & choice.owners.mask(batch[owner])

        return mask, [item, owner]

    def stream(
        self, table: str, columns: Sequence[str] | None, mask: Mask | None = None, keys: Sequence[str] = ()
    ) -> pa.RecordBatchReader:
        """Stream a table.

        :param columns: which; all where it is ``None``.
        :param mask: says which rows.
        :param keys: the columns that it looks at.
        :raises ConfigurationError: there is no such table, or column.
        """
        import pyarrow as pa

        schema = self._schema(table, columns)
        needs = [name for known in schema.names for name in self._told_by(table).get(known, [known])]
        batches = self._snapshot.iter_batches(table, list(dict.fromkeys([*needs, *keys])))
        chosen = (self._finished(table, schema, batch, mask) for batch in batches)
        return pa.RecordBatchReader.from_batches(schema, chosen)

    def to_duckdb(self, connection: Any) -> None:
        """Register all tables, and the definitions of classes and tags."""
        import pyarrow.dataset as ds

        for table in table_names(self._snapshot.project_type):
            path, schema = self._snapshot.path(table), self._snapshot.schema(table)
            is_there = path.exists()
            data = ds.dataset(path, schema=schema, format="parquet") if is_there else schema.empty_table()
            connection.register(table, data)
        for table, rows in self._naming.definitions().items():
            connection.register(table, rows)

    def _schema(self, table: str, columns: Sequence[str] | None) -> pa.Schema:
        import pyarrow as pa

        project_type = self._snapshot.project_type
        if table not in table_names(project_type):
            raise ConfigurationError(f"Versions of {project_type} have no {table}.")
        own, more = column_names(project_type, table), self._told_by(table)
        known = list(dict.fromkeys([*own, *more]))
        if unknown := [name for name in columns or () if name not in known]:
            raise ConfigurationError(
                f"{table.capitalize()} have no column {', '.join(unknown)}; they have {', '.join(known)}."
            )
        full = self._snapshot.schema(table)
        names = known if columns is None else list(columns)
        return pa.schema([full.field(name) if name in own else (name, pa.string()) for name in names])

    def _told_by(self, table: str) -> Mapping[str, list[str]]:
        """Name the columns that are made: by which stored ones."""
        if table == "figures":
            has_own = "class_name" in column_names(self._snapshot.project_type, table)
            return {"class_name": [self._naming.class_key, *(["class_name"] if has_own else [])]}
        if table == "tags":
            return {"name": ["tag_id", "name"]}
        return {"dataset_path": ["src_dataset_id"]} if table == self._snapshot.project_type else {}

    def _finished(
        self, table: str, schema: pa.Schema, batch: pa.RecordBatch, mask: Mask | None
    ) -> pa.RecordBatch:
        import pyarrow as pa

        if mask is not None:
            batch = batch.filter(pa.array(mask(batch)))
        made = self._told_by(table)
        columns = [self._made(name, batch) if name in made else batch[name] for name in schema.names]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def _made(self, column: str, batch: pa.RecordBatch) -> pa.Array:
        import pyarrow as pa

        if column == "class_name":
            return self._naming.class_names(batch)
        if column == "name":
            return self._naming.tag_names(batch)
        return pa.array([self._paths[row] for row in batch["src_dataset_id"].to_pylist()], pa.string())

    @cached_property
    def _paths(self) -> dict[int, str]:
        return dataset_paths(self._snapshot)
