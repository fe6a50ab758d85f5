"""What annotations of videos leave out of figures: custom data and descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.project_types.notes import notes_of
from airflow_sv_versioning.snapshot.json_columns import json_text
from airflow_sv_versioning.snapshot.tables import values

if TYPE_CHECKING:
    import pyarrow as pa


def with_notes(figures: pa.Table, notes: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Add custom data and descriptions to rows of figures.

    :param notes: each with the figure's ``id``. Source: POST figures.list.
    :raises IncompleteListingError: they leave figures out.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    notes_by_id = notes_of(values(figures, "src_figure_id"), notes)
    if not notes_by_id:
        return figures
    members = {
        "custom_data": [json_text(note.get("customData")) for note in notes_by_id.values()],
        "description": [note.get("description") or None for note in notes_by_id.values()],
    }
    places = pc.index_in(
        figures["src_figure_id"], value_set=pa.array(notes_by_id, pa.int64())
    ).combine_chunks()
    for name, texts in members.items():
        column = pc.coalesce(pa.array(texts, pa.string()).take(places), figures[name].combine_chunks())
        figures = figures.set_column(figures.schema.get_field_index(name), name, column)
    return figures
