"""What annotations of videos leave out of figures: custom data and descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.json_columns import json_text

if TYPE_CHECKING:
    import pyarrow as pa


def with_notes(figures: pa.Table, notes: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Add custom data and descriptions to rows of figures.

    :param notes: each with the figure's ``id``. Source: POST figures.list.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    ids: list[int] = []
    told: dict[str, list[str | None]] = {"custom_data": [], "description": []}
    for note in notes:
        if note.get("customData") or note.get("description"):
            ids.append(note["id"])
            told["custom_data"].append(json_text(note.get("customData")))
            told["description"].append(note.get("description") or None)
    if not ids:
        return figures
    places = pc.index_in(figures["src_figure_id"], value_set=pa.array(ids, pa.int64())).combine_chunks()
    for name, texts in told.items():
        column = pc.coalesce(pa.array(texts, pa.string()).take(places), figures[name].combine_chunks())
        figures = figures.set_column(figures.schema.get_field_index(name), name, column)
    return figures
