"""What the items of a snapshot are originally: contents by hash, and links."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import is_linked
from airflow_sv_versioning.snapshot.tables import Snapshot, values
from airflow_sv_versioning.snapshot.tree import dataset_paths

if TYPE_CHECKING:
    import pyarrow as pa


def contents_of(snapshot: Snapshot) -> pa.Table:
    """Collect the contents that items have by hash, each once.

    :returns: columns ``hash`` and ``id`` of one item that has it.
    """
    import pyarrow.compute as pc

    items = _items(snapshot, ["hash", "link"])
    by_hash = items.filter(~is_linked(project_type_of(snapshot.project_type)) & ~pc.field("hash").is_null())
    grouped = by_hash.group_by("hash").aggregate([("id", "min")])
    return grouped.select(["hash", "id_min"]).rename_columns(["hash", "id"])


def links_of(snapshot: Snapshot) -> pa.Table:
    """Collect the items that are links: columns ``link``, ``id``, ``name`` and ``updated_at``."""
    items = _items(snapshot, ["hash", "link", "name", "updated_at"])
    linked_items = items.filter(is_linked(project_type_of(snapshot.project_type)))
    return linked_items.select(["link", "id", "name", "updated_at"])


def iter_hashes(snapshot: Snapshot) -> Iterator[str]:
    """Stream the hashes of :func:`contents_of`."""
    for batch in contents_of(snapshot).to_batches():
        yield from batch["hash"].to_pylist()


def paths_of(snapshot: Snapshot, item_ids: Collection[int]) -> dict[int, str]:
    """Name items as ``dataset/path/item name``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    items = _items(snapshot, ["src_dataset_id", "name"])
    named_items = items.filter(pc.field("id").isin(pa.array(sorted(item_ids), pa.int64())))
    folders = dataset_paths(snapshot)
    rows = zip(*(values(named_items, column) for column in ("id", "src_dataset_id", "name")), strict=True)
    return {item_id: f"{folders.get(dataset_id)}/{name}" for item_id, dataset_id, name in rows}


def _items(snapshot: Snapshot, columns: list[str]) -> pa.Table:
    id_column = project_type_of(snapshot.project_type).id_column
    return snapshot.read(snapshot.project_type, [id_column, *columns]).rename_columns(["id", *columns])
