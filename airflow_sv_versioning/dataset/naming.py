"""Names of classes and tags, whatever a table tells: ids of definitions, objects, or names alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.snapshot.ids import joined
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class Naming:
    """Names what the rows of a snapshot are of."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._has_objects = project_type_of(snapshot.project_type).has_objects

    @property
    def class_key(self) -> str:
        """The column of figures by which their classes are found."""
        return "src_object_id" if self._has_objects else "class_id"

    def class_names(self, figures: pa.Table | pa.RecordBatch) -> pa.Array:
        """Name the class of each figure."""
        if self._has_objects:
            return self._class_names_of_objects(figures["src_object_id"])
        return _named(figures, "class_id", "class_name", self._classes)

    def tag_names(self, tags: pa.Table | pa.RecordBatch) -> pa.Array:
        """Name the definition of each tag."""
        return _named(tags, "tag_id", "name", self._tags)

    def definitions(self) -> dict[str, pa.Table]:
        """List the classes and the definitions of tags."""
        return {
            "classes": self._table("classes", {"class_id": "id", "class_name": "title", "shape": "shape"}),
            "tag_definitions": self._table(
                "tags", {"tag_id": "id", "tag_name": "name", "value_type": "value_type"}
            ),
        }

    def _table(self, what: str, members: Mapping[str, str]) -> pa.Table:
        """Make a table of definitions: column -> member."""
        import pyarrow as pa

        schema = pa.schema(
            [(name, pa.int64() if of == "id" else pa.string()) for name, of in members.items()]
        )
        rows = [{name: entry.get(of) for name, of in members.items()} for entry in self._definitions(what)]
        return pa.Table.from_pylist(rows, schema=schema)

    def _class_names_of_objects(self, object_ids: Any) -> pa.Array:
        import numpy as np
        import pyarrow as pa

        known_ids, names = self._objects
        ids = object_ids.to_numpy(zero_copy_only=False)
        places = np.minimum(known_ids.searchsorted(ids), max(0, len(known_ids) - 1))
        return names.take(pa.array(places))

    @cached_property
    def _objects(self) -> tuple[np.ndarray[Any, Any], pa.Array]:
        """Ids of objects, ascending, and the names of their classes; several items may share one."""
        import numpy as np
        import pyarrow as pa

        names: list[pa.Array] = []

        def ids() -> Any:
            for batch in self._snapshot.iter_batches("objects", ["src_object_id", "class_name"]):
                names.append(batch["class_name"].dictionary_encode())
                yield batch["src_object_id"].to_numpy()

        known_ids = joined(ids())
        all_names = pa.chunked_array(names, pa.dictionary(pa.int32(), pa.string())).cast(pa.string())
        order = np.argsort(known_ids, kind="stable")
        return known_ids[order], all_names.combine_chunks().take(pa.array(order))

    @cached_property
    def _classes(self) -> dict[int, str]:
        return {entry["id"]: entry["title"] for entry in self._definitions("classes")}

    @cached_property
    def _tags(self) -> dict[int, str]:
        return {entry["id"]: entry["name"] for entry in self._definitions("tags")}

    def _definitions(self, what: str) -> list[Mapping[str, Any]]:
        return [entry for entry in self._snapshot.project_meta.get(what) or [] if entry.get("id") is not None]


def _named(
    rows: pa.Table | pa.RecordBatch, id_column: str, name_column: str, names: dict[int, str]
) -> pa.Array:
    """Name rows by their definitions, or else by what they say themselves."""
    import pyarrow as pa
    import pyarrow.compute as pc

    places = pc.index_in(rows[id_column], value_set=pa.array(names, pa.int64()))
    found = pa.array(list(names.values()), pa.string()).take(places)
    return pc.coalesce(found, rows[name_column]) if found.null_count else found
