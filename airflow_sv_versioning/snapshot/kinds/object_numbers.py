"""Objects have no names: one is told by its number among the objects of its video."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import pyarrow as pa


def with_numbers(snapshot: Snapshot) -> pa.Table:
    """Read the objects with their ``number``, from 0, in the order of their ids, video by video."""
    import pyarrow as pa

    rows = snapshot.read("objects", ["src_video_id", "src_object_id", "class_name"])
    rows = rows.sort_by([("src_video_id", "ascending"), ("src_object_id", "ascending")])
    seen: Counter[int] = Counter()
    numbers = []
    for video_id in rows["src_video_id"].to_pylist():
        numbers.append(seen[video_id])
        seen[video_id] += 1
    return rows.append_column("number", pa.array(numbers, pa.int64()))


def owner_keys(rows: Any, video_column: str, object_column: str) -> Any:
    """Make one key of a video and an object: several videos may share an object."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [pc.cast(rows[name], pa.string()) for name in (video_column, object_column)]
    keys = pc.binary_join_element_wise(*columns, ":")
    return keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
