"""Objects have no names: one is told by its number among the objects of its item."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import pyarrow as pa


def with_numbers(snapshot: Snapshot, item_id: str) -> pa.Table:
    """Read the objects with their ``number``, from 0, in the order of their ids, item by item.

    :param item_id: the column that says which item an object is of.
    """
    import pyarrow as pa

    rows = snapshot.read("objects", [item_id, "src_object_id", "class_name"])
    rows = rows.sort_by([(item_id, "ascending"), ("src_object_id", "ascending")])
    counts: Counter[int] = Counter()
    numbers = []
    for owner in rows[item_id].to_pylist():
        numbers.append(counts[owner])
        counts[owner] += 1
    return rows.append_column("number", pa.array(numbers, pa.int64()))


def owner_keys(rows: Any, video_column: str, object_column: str) -> Any:
    """Make one key of a video and an object: several videos may share an object."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [pc.cast(rows[name], pa.string()) for name in (video_column, object_column)]
    keys = pc.binary_join_element_wise(*columns, ":")
    return keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
