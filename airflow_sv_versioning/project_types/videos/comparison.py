"""What of video projects is compared, with names in place of ids.

An object has no name; it is told by its number among the objects of its video, in the order of ids.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.project_types.compared import SEPARATOR, Side
from airflow_sv_versioning.project_types.object_numbers import with_numbers
from airflow_sv_versioning.project_types.videos.columns import COMPARED
from airflow_sv_versioning.snapshot.clustering import numbers_within
from airflow_sv_versioning.snapshot.json_columns import json_text, json_value

if TYPE_CHECKING:
    import pyarrow as pa

# Which stream of its file a video is.
STREAM_INDEX = "videoStreamIndex"
_OWNER = ["src_video_id", "src_object_id"]


def videos(side: Side) -> pa.Table:
    """Read the videos."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = side.items()
    # A video with both is restored by its hash.
    bare = pc.if_else(pc.is_valid(rows["hash"]), pa.scalar(None, pa.string()), rows["link"])
    rows = rows.set_column(rows.schema.get_field_index("link"), "link", bare)
    if side.stand_ins:
        rows = _without_file_facts(rows, side.is_stand_in(rows))
    return rows.select(["path", *COMPARED.of("videos")])


def stand_in_meta(meta: dict[str, Any]) -> dict[str, Any]:
    """Make the meta of a placeholder, whose only stream is the first one."""
    return {**meta, STREAM_INDEX: 0} if STREAM_INDEX in meta else meta


def _without_file_facts(rows: pa.Table, is_stand_in: pa.ChunkedArray) -> pa.Table:
    """Drop what placeholders cannot share with the files that they stand in for."""
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing = pa.scalar(None, pa.string())
    timecodes = pc.if_else(is_stand_in, nothing, rows["frames_to_timecodes"])
    rows = rows.set_column(
        rows.schema.get_field_index("frames_to_timecodes"), "frames_to_timecodes", timecodes
    )
    metas = [
        json_text(stand_in_meta(json_value(meta) or {})) if replaced else meta
        for meta, replaced in zip(rows["meta"].to_pylist(), is_stand_in.to_pylist(), strict=True)
    ]
    return rows.set_column(rows.schema.get_field_index("meta"), "meta", pa.array(metas, pa.string()))


def objects(side: Side) -> pa.Table:
    """Read the objects, each with the videos that share it."""
    import pyarrow as pa

    rows = side.with_paths(with_numbers(side.snapshot, side.id_column), "src_video_id")
    paths: dict[int, list[str]] = defaultdict(list)
    for object_id, path in zip(rows["src_object_id"].to_pylist(), rows["path"].to_pylist(), strict=True):
        paths[object_id].append(path)
    shared = [SEPARATOR.join(sorted(paths[object_id])) for object_id in rows["src_object_id"].to_pylist()]
    rows = rows.append_column("shared", pa.array(shared, pa.string()))
    return rows.select(["path", "number", "shared", *COMPARED.of("objects")])


def figures(side: Side) -> pa.Table:
    """Read the figures with exact geometry, each with its depth in its frame."""
    columns = COMPARED.of("figures")
    rows = side.snapshot.read("figures", ["src_video_id", "src_object_id", *columns])
    rows = rows.append_column("depth", numbers_within([rows["src_video_id"], rows["frame_index"]]))
    numbered = with_numbers(side.snapshot, side.id_column).select([*_OWNER, "number"])
    rows = rows.join(numbered, _OWNER)
    return side.with_paths(rows, "src_video_id").select(["path", "depth", "number", *columns])


def tags(side: Side) -> pa.Table:
    """Read the tags of videos and of objects."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = side.tags()
    of_object = pc.equal(rows["owner_type"], "object")
    owners = pc.if_else(of_object, rows["owner_id"], pa.scalar(None, pa.int64()))
    rows = rows.append_column("src_object_id", owners)
    numbered = with_numbers(side.snapshot, side.id_column).select([*_OWNER, "number"])
    rows = rows.join(numbered, ["src_item_id", "src_object_id"], _OWNER)
    columns = COMPARED.of("tags")
    return side.with_paths(rows, "src_item_id").select(["path", "number", *columns])
