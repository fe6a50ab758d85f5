"""What of video projects is compared, with names in place of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.project_types.compared import Part, Side, with_column
from airflow_sv_versioning.snapshot.json_columns import json_text, json_value

if TYPE_CHECKING:
    import pyarrow as pa

# Which stream of its file a video is.
STREAM_INDEX = "videoStreamIndex"


def items(side: Side, rows: pa.Table) -> pa.Table:
    """Say what videos are made of: one with a hash and a link is restored by its hash."""
    import pyarrow as pa
    import pyarrow.compute as pc

    bare = pc.if_else(pc.is_valid(rows["hash"]), pa.scalar(None, pa.string()), rows["link"])
    rows = with_column(rows, "link", bare)
    return _without_file_facts(rows, side.is_stand_in(rows)) if side.stand_ins else rows


def stand_in_meta(meta: dict[str, Any]) -> dict[str, Any]:
    """Make the meta of a placeholder, whose only stream is the first one."""
    return {**meta, STREAM_INDEX: 0} if STREAM_INDEX in meta else meta


def _without_file_facts(rows: pa.Table, is_stand_in: pa.ChunkedArray) -> pa.Table:
    """Drop what placeholders cannot share with the files that they stand in for."""
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing = pa.scalar(None, pa.string())
    timecodes = pc.if_else(is_stand_in, nothing, rows["frames_to_timecodes"])
    rows = with_column(rows, "frames_to_timecodes", timecodes)
    metas = [
        json_text(stand_in_meta(json_value(meta) or {})) if replaced else meta
        for meta, replaced in zip(rows["meta"].to_pylist(), is_stand_in.to_pylist(), strict=True)
    ]
    return with_column(rows, "meta", pa.array(metas, pa.string()))


def figures(part: Part) -> pa.Table:
    """Read the figures with exact geometry; archives may leave out ids of their own."""
    return part.rows("figures").rename_columns({"src_object_id": "object_id", "geometry_json": "geometry"})
