"""What a figure of a snapshot is added with, on whatever it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_sv_versioning.restore.work import Row
from airflow_sv_versioning.snapshot.json_columns import optional_json_raw


def figure_entry(row: Row, **place: Any) -> dict[str, Any]:
    """Describe a figure for a request, with nothing that its row does not tell.

    :param place: what it is on, where, and its geometry.
    """
    details = {key: value for key, value in _details(row) if value is not None}
    return {"geometryType": row["geometry_type"], **place, **details}


def _details(row: Row) -> Iterator[tuple[str, Any]]:
    yield "priority", row["priority"]
    yield "customData", optional_json_raw(row["custom_data"])
    yield "nnCreated", row["nn_created"]
    yield "nnUpdated", row["nn_updated"]
    yield "description", row["description"]
    # Not figures of all types have these.
    yield "trackId", row.get("track_id")
    yield "smartToolInput", optional_json_raw(row.get("smart_tool_input"))
